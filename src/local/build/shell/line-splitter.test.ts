import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from './line-splitter.ts';

test('the same lines come out however the bytes were cut into chunks', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary' })),
      fc.array(fc.integer({ min: 1, max: 7 })),
      (texts, cuts) => {
        const lines = texts.map(text => text.replaceAll(/[\r\n]/g, ''));
        const bytes = Buffer.from(lines.map(line => `${line}\n`).join(''));
        const seen = split(bytes, cuts);
        expect(seen).toEqual(lines.map(line => Buffer.from(line).toString('utf8')));
      },
    ),
  );
});

test('a fence is found wherever it is cut, ends the line before it and is not shown', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.array(fc.integer({ min: 1, max: 9 })), (before, after, cuts) => {
      const mark = Buffer.from('\u0000fence\u0000');
      const seen: string[] = [];
      const splitter = new LineSplitter(
        line => seen.push(line),
        () => seen.push('<fence>'),
        16,
      );
      splitter.expectFence(mark);
      feed(splitter, Buffer.concat([Buffer.from(before), mark, Buffer.from(after)]), cuts);
      splitter.end();
      const fenceAt = seen.indexOf('<fence>');
      expect(fenceAt).toBeGreaterThanOrEqual(0);
      expect(plain(seen.slice(0, fenceAt))).toBe(plain([before]));
      expect(plain(seen.slice(fenceAt + 1))).toBe(plain([after]));
    }),
  );
});

test('a line without end is cut at the limit, between characters', () => {
  const seen: string[] = [];
  const splitter = new LineSplitter(
    line => seen.push(line),
    () => undefined,
    5,
  );
  splitter.push(Buffer.from('abcdéfghij'));
  splitter.end();
  expect(seen).toEqual(['abcd', 'éfgh', 'ij']);
});

test('bytes that are no UTF-8 do not stop the log', () => {
  expect(split(Buffer.from([0x61, 0xff, 0xfe, 0x0a, 0x80, 0x80, 0x80, 0x80, 0x0a]), [1])).toEqual([
    'a\ufffd\ufffd',
    '\ufffd\ufffd\ufffd\ufffd',
  ]);
});

test('a carriage return before the line end is not part of the line', () => {
  expect(split(Buffer.from('10%\r50%\r\nend\r\n'), [])).toEqual(['10%\r50%', 'end']);
});

function plain(lines: string[]): string {
  return lines.join('').replaceAll(/[\r\n]/g, '');
}

function split(bytes: Buffer, cuts: number[]): string[] {
  const seen: string[] = [];
  const splitter = new LineSplitter(
    line => seen.push(line),
    () => undefined,
  );
  feed(splitter, bytes, cuts);
  splitter.end();
  return seen;
}

function feed(splitter: LineSplitter, bytes: Buffer, cuts: number[]): void {
  let start = 0;
  for (const cut of cuts) {
    splitter.push(bytes.subarray(start, start + cut));
    start += cut;
  }
  splitter.push(bytes.subarray(start));
}
