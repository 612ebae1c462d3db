import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepLogSmall, mkdir, readTextWithin, writeFileDurably } from './files.ts';
import { runCommand } from './process.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-files-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('writeFileDurably', () => {
  test('replaces the whole content and leaves nothing else', () => {
    writeFileDurably(join(folder, 'a.json'), 'a longer first content');
    writeFileDurably(join(folder, 'a.json'), 'second');
    expect(readdirSync(folder)).toEqual(['a.json']);
    expect(readFileSync(join(folder, 'a.json'), 'utf8')).toBe('second');
  });

  test('removes what a killed writer left half-written, and nothing of a living one', () => {
    const { pid: gone } = spawnSync('true');
    writeFileSync(join(folder, `b.json.${gone}.tmp`), 'ha');
    writeFileSync(join(folder, `b.json.${process.ppid}.tmp`), 'being written');
    writeFileDurably(join(folder, 'a.json'), 'whole');
    expect(existsSync(join(folder, `b.json.${gone}.tmp`))).toBe(false);
    expect(existsSync(join(folder, `b.json.${process.ppid}.tmp`))).toBe(true);
  });
});

describe('keepLogSmall', () => {
  test('leaves a small log, sets a full one aside, and whoever writes goes on at its new end', () => {
    const path = join(folder, 'a.log');
    keepLogSmall(path);
    const log = openSync(path, 'a');
    appendFileSync(log, 'x'.repeat(1_048_576));
    keepLogSmall(path);
    expect(readdirSync(folder)).toEqual(['a.log']);
    appendFileSync(log, 'y');
    keepLogSmall(path);
    appendFileSync(log, 'z');
    closeSync(log);
    expect(readFileSync(path, 'utf8')).toBe('z');
    expect(readFileSync(`${path}.1`, 'utf8')).toMatch(/^x+y$/);
  });
});

describe('readTextWithin', () => {
  test('reads a file up to its bound, and refuses one that is larger', async () => {
    const path = join(folder, 'a.txt');
    writeFileSync(path, 'ä'.repeat(500));
    expect(await readTextWithin(path, 1_000)).toBe('ä'.repeat(500));
    await expect(readTextWithin(path, 999)).rejects.toThrow('is larger than 999 bytes');
  });

  test('refuses what never ends, and what nobody writes to', async () => {
    symlinkSync('/dev/zero', join(folder, 'endless'));
    expect((await runCommand('mkfifo', [join(folder, 'silent')])).exitCode).toBe(0);
    for (const name of ['endless', 'silent', '.'])
      await expect(readTextWithin(join(folder, name), 1_000)).rejects.toThrow('is not a regular file');
    await expect(readTextWithin(join(folder, 'missing'), 1_000)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('making folders', () => {
  test('makes every missing one, and is content with what is there', async () => {
    const deep = join(folder, 'a', 'b', 'c');
    await Promise.all([mkdir(deep, { recursive: true }), mkdir(deep, { recursive: true })]);
    await mkdir(deep, { recursive: true });
    expect(existsSync(deep)).toBe(true);
  });

  test('refuses a place that a file holds', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(mkdir(join(folder, 'file'), { recursive: true })).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(mkdir(join(folder, 'file', 'below'), { recursive: true })).rejects.toMatchObject({
      code: 'ENOTDIR',
    });
  });

  test.runIf(process.platform === 'linux')('ends where the file system takes no new names', async () => {
    await expect(mkdir('/proc/nope/below', { recursive: true })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
