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
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepLogSmall, mkdir, writeFileDurably } from './files.ts';

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
