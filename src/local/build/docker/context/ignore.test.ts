import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanPath, globToRegExp, parseIgnoreFile } from './ignore.ts';

// By the rules of moby/patternmatcher.
test.each([
  ['node_modules', 'node_modules/a/b.js', true],
  ['node_modules', 'src/node_modules/a.js', false],
  ['**/node_modules', 'src/node_modules/a.js', true],
  ['*.md', 'README.md', true],
  ['*.md', 'docs/README.md', false],
  ['**/*.md', 'docs/a/README.md', true],
  ['**/*.md', 'README.md', true],
  ['*.md\n!README.md', 'README.md', false],
  ['!README.md\n*.md', 'README.md', true],
  ['*\n!src', 'src/a.js', false],
  ['*\n!src\nsrc/secret', 'src/secret', true],
  ['docs\n!docs/keep.md', 'docs/keep.md', false],
  ['docs\n!docs/keep.md', 'docs/other.md', true],
  ['/leading', 'leading', true],
  ['./dot/', 'dot/x', true],
  ['a/../b', 'b', true],
  ['temp?', 'temp1', true],
  ['temp?', 'temp', false],
  ['te[a-m]p', 'temp', true],
  ['te[^a-m]p', 'temp', false],
  [String.raw`a\*b`, 'a*b', true],
  [String.raw`a\*b`, 'axb', false],
  ['# comment', '# comment', false],
  ['a**/b', 'axx/b', true],
  ['[z-a]', 'm', false],
  ['dir/**', 'dir/a/b', true],
  ['dir/**', 'dir', false],
  ['a.b', 'aXb', false],
])('.dockerignore %j and %s: ignored is %s', (text, path, ignored) => {
  expect(parseIgnoreFile(text).isIgnored(path)).toBe(ignored);
});

test('an ignored folder is walked only where something below may be taken back', () => {
  const rules = parseIgnoreFile('vendor\ncache\n!vendor/keep/*.js');
  expect(rules.mayTakeBackBelow('vendor')).toBe(true);
  expect(rules.mayTakeBackBelow('vendor/keep')).toBe(true);
  expect(rules.mayTakeBackBelow('cache')).toBe(false);
});

test('any text is a .dockerignore, and an exception for everything at its end takes everything back', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 60 }),
      fc.stringMatching(/^[a-z]{1,5}(?:\/[a-z]{1,5}){0,3}$/),
      (text, path) => {
        expect(parseIgnoreFile(`${text}\n!**`).isIgnored(path)).toBe(false);
      },
    ),
  );
});

test('a cleaned path never climbs and stays as it is when cleaned again', () => {
  const parts = fc.array(fc.constantFrom('..', '.', '', 'a', 'b'), { maxLength: 10 });
  fc.assert(
    fc.property(parts, given => {
      const cleaned = cleanPath(given.join('/'));
      expect(cleaned.split('/')).not.toContain('..');
      expect(cleanPath(cleaned)).toBe(cleaned);
    }),
  );
});

test('a glob made by escaping a name matches that name only', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[\w*?[\]{}()+.^$|-]{1,20}$/),
      fc.string({ maxLength: 20 }),
      (name, other) => {
        const expression = globToRegExp(name.replace(/[*?[\\]/g, String.raw`\$&`), true);
        expect(expression.test(name)).toBe(true);
        expect(expression.test(other)).toBe(name === other);
      },
    ),
  );
});
