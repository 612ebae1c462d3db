import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { expandWord, expandWords, type Expansion } from './expand.ts';

const VALUES: Record<string, string> = {
  A: 'one',
  EMPTY: '',
  PATHS: '/usr/local/lib.tar.gz',
  SPACED: 'x  y',
};

// By the rules of BuildKit's shell lexer.
test.each([
  ['$A', 'one'],
  ['${A}', 'one'],
  ['pre$A/post', 'preone/post'],
  ['$A_', ''],
  ['${A}_', 'one_'],
  ['$MISSING', ''],
  ['${MISSING:-default}', 'default'],
  ['${EMPTY:-default}', 'default'],
  ['${EMPTY-default}', ''],
  ['${MISSING-default}', 'default'],
  ['${A:-default}', 'one'],
  ['${A:+set}', 'set'],
  ['${EMPTY:+set}', ''],
  ['${EMPTY+set}', 'set'],
  ['${MISSING:+set}', ''],
  ['${MISSING:-${A}}', 'one'],
  ['${MISSING:-a ${A:+b} c}', 'a b c'],
  [String.raw`\$A`, '$A'],
  [String.raw`\\$A`, String.raw`\one`],
  [String.raw`a\ b`, 'a b'],
  ["'$A'", '$A'],
  ['"$A"', 'one'],
  [String.raw`"\$A \x \""`, String.raw`$A \x "`],
  ['"it\'s"', "it's"],
  ['$', '$'],
  ['a$', 'a$'],
  ['$/x', '$/x'],
  ['${PATHS#*/}', 'usr/local/lib.tar.gz'],
  ['${PATHS##*/}', 'lib.tar.gz'],
  ['${PATHS%.*}', '/usr/local/lib.tar'],
  ['${PATHS%%.*}', '/usr/local/lib'],
  ['${PATHS#nothing}', '/usr/local/lib.tar.gz'],
  ['${PATHS/local/share}', '/usr/share/lib.tar.gz'],
  ['${PATHS//l/L}', '/usr/LocaL/Lib.tar.gz'],
  ['${PATHS/l?b/X}', '/usr/local/X.tar.gz'],
])('%s expands to "%s"', (text, expected) => {
  expect(expandWord(text, expansion())).toBe(expected);
});

test.each([
  ['${', 'bad substitution'],
  ['${}', 'bad substitution'],
  ['${:x}', 'bad substitution'],
  ['${A', 'unsupported modifier'],
  ['${A:', 'unsupported modifier'],
  ['${A:#x}', 'unsupported modifier'],
  ['${A^}', 'unsupported modifier'],
  ['${A:-x', 'before the closing }'],
  ["'open", "before the closing '"],
  ['"open', 'before the closing "'],
  ['${MISSING:?tell me}', 'MISSING is not set: tell me'],
  ['${EMPTY:?}', 'EMPTY is empty'],
])('%s is refused: %s', (text, problem) => {
  expect(() => expandWord(text, expansion())).toThrow(problem);
});

test('only unquoted blanks split words', () => {
  expect(expandWords('a "b c" $SPACED "$SPACED"', expansion())).toEqual(['a', 'b c', 'x', 'y', 'x  y']);
});

test('the escape directive decides what escapes', () => {
  expect(expandWord('`$A \\$A', expansion('`'))).toBe('$A \\one');
});

test('a text without special characters stays as it is', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[\w./: -]*$/), text => {
      expect(expandWord(text, expansion())).toBe(text);
    }),
  );
});

test('whatever is single-quoted comes out unchanged', () => {
  fc.assert(
    fc.property(
      fc.string().filter(text => !text.includes("'")),
      text => {
        expect(expandWord(`'${text}'`, expansion())).toBe(text);
      },
    ),
  );
});

test('any text gives a value or a refusal, never anything else', () => {
  const pieces = fc.constantFrom(
    '$',
    '{',
    '}',
    ':',
    '-',
    '+',
    '?',
    '#',
    '%',
    '/',
    '"',
    "'",
    '\\',
    'A',
    '*',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), parts => {
      try {
        expect(typeof expandWord(parts.join(''), expansion())).toBe('string');
      } catch (error) {
        expect(error).toBeInstanceOf(Refused);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('an expansion that would fill the memory is refused', () => {
  const huge = { ...expansion(), lookup: () => 'x'.repeat(400_000) };
  expect(() => expandWord('$A$A$A', huge)).toThrow('more than 1 MiB');
});

class Refused extends Error {}

function expansion(escape = '\\'): Expansion {
  return {
    lookup: name => (Object.hasOwn(VALUES, name) ? VALUES[name] : undefined),
    escape,
    refuse(problem) {
      throw new Refused(problem);
    },
  };
}
