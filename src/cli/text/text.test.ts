import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatBytes } from './bytes.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';
import { ago, parseSince } from './time.ts';

describe('printable', () => {
  test.each([
    ['colour', 'a\u001b[31mred\u001b[0m', 'ared'],
    ['a window title', '\u001b]0;owned\u0007text', 'text'],
    ['a title that never ends', 'text\u001b]0;owned', 'text'],
    ['a clipboard write', '\u001b]52;c;b3duZWQ=\u001b\\text', 'text'],
    ['a line end', 'one\r\ntwo', 'one  two'],
    ['text in the other direction', 'user\u202egnp.exe', 'user gnp.exe'],
    ['C1 controls', 'a\u009b31mb', 'a 31mb'],
  ])('takes out %s', (_what, text, expected) => expect(printable(text)).toBe(expected));

  test('leaves nothing that a terminal would obey, and all that it would show', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        // oxlint-disable-next-line no-control-regex
        expect(printable(text)).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'Z', 'ä', '✓', '漢', '🙂', ' ', '\t') }), text => {
        expect(printable(text)).toBe(text);
      }),
    );
  });
});

test('a table aligns by what is seen, not by colour codes, and ends no line in blanks', () => {
  const rows = [
    ['\u001b[31ma\u001b[39m', 'b', ''],
    ['long', 'x', 'end'],
  ];
  expect(table(rows, '  ')).toEqual(['  \u001b[31ma\u001b[39m     b', '  long  x  end']);
});

test('bytes for people', () => {
  expect([0, 1023, 1024, 12_900_000].map(formatBytes)).toEqual(['0 B', '1023 B', '1.0 KiB', '12.3 MiB']);
});

describe('--since', () => {
  test.each([
    ['90s', 910_000],
    ['10m', 400_000],
    ['0.1h', 640_000],
    ['1970-01-01T00:01:00Z', 60_000],
  ])('%s', (text, expected) => expect(parseSince(text)(1_000_000)).toBe(expected));

  test.each(['', 'yesterday', '10', '10 m', '-5m', '10w'])('refuses "%s"', text =>
    expect(() => parseSince(text)).toThrow('Write how long ago'),
  );
});

test('a moment ago is just now, also where clocks differ a little', () => {
  expect([ago(1_000, 1_500), ago(2_000, 1_000), ago(0, 65_000)]).toEqual([
    'just now',
    'just now',
    '1 min 05 s ago',
  ]);
});
