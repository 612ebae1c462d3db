import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compilePattern, findFiles, folderInside } from './file-patterns.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patterns-'));
  for (const path of [
    'a.txt',
    '.hidden',
    'my-build1/file1.txt',
    'my-build2/file2.js',
    'my-build2/sub/file3.txt',
  ]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), path);
  }
  symlinkSync('a.txt', join(folder, 'link.txt'));
  symlinkSync('my-build2', join(folder, 'linked'));
  symlinkSync('nowhere', join(folder, 'broken'));
});

afterEach(() => rmSync(folder, { recursive: true }));

test.each([
  [['a.txt'], ['a.txt']],
  [['./a.txt'], ['a.txt']],
  [['*.txt'], ['a.txt', 'link.txt']],
  [['my-build2/*'], ['my-build2/file2.js']],
  [['my-build2/**/*'], ['my-build2/file2.js', 'my-build2/sub/file3.txt']],
  [['my-build2'], ['my-build2/file2.js', 'my-build2/sub/file3.txt']],
  [['*/file?.txt'], ['my-build1/file1.txt']],
  [['**/file[12].*'], ['my-build1/file1.txt', 'my-build2/file2.js']],
  [['**/*.{js,md}'], ['my-build2/file2.js']],
  [
    ['**/*'],
    ['.hidden', 'a.txt', 'link.txt', 'my-build1/file1.txt', 'my-build2/file2.js', 'my-build2/sub/file3.txt'],
  ],
  [['missing', 'a.txt'], ['a.txt']],
])('%j finds %j', async (patterns, expected) => {
  expect((await findFiles(folder, patterns)).map(({ path }) => path)).toEqual(expected);
});

test('exclusions win, and links can be kept', async () => {
  const found = await findFiles(folder, ['**/*'], { exclude: ['my-build*/**', '.*'], keepLinks: true });
  expect(found).toEqual([
    { path: 'a.txt', isLink: false },
    { path: 'broken', isLink: true },
    { path: 'link.txt', isLink: true },
    { path: 'linked', isLink: true },
  ]);
});

test.each(['../secret', '/etc/passwd', 'a/../../b'])('%s is refused', async pattern => {
  await expect(findFiles(folder, [pattern])).rejects.toMatchObject({ code: 'PATH_OUTSIDE_SOURCE' });
  expect(() => folderInside(folder, pattern)).toThrow('outside');
});

test('what is no wildcard stands for itself', () => {
  expect(compilePattern('a+(b).$c|d^').test('a+(b).$c|d^')).toBe(true);
  expect(compilePattern('a.c').test('abc')).toBe(false);
  expect(compilePattern('[x').test('[x')).toBe(true);
  expect(compilePattern('{x').test('{x')).toBe(true);
});
