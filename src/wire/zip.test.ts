import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeZip } from './zip.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-zip-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const entries = [
  { name: 'index.mjs', bytes: Buffer.from('export const answer = 42;\n') },
  { name: 'größe/leer.txt', bytes: Buffer.alloc(0) },
];

test('another program takes the files out as they went in', () => {
  const archive = join(folder, 'a.zip');
  writeFileSync(archive, encodeZip(entries));
  execFileSync('python3', ['-c', UNPACK, archive, folder]);
  for (const { name, bytes } of entries) expect(readFileSync(join(folder, name))).toEqual(bytes);
  expect(statSync(join(folder, 'index.mjs')).size).toBe(26);
});

test('equal contents make equal bytes', () => {
  expect(encodeZip(entries)).toEqual(encodeZip(structuredClone(entries)));
});

/** Python's zipfile checks every header and every sum. */
const UNPACK = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    assert all(entry.external_attr >> 16 == 0o100644 for entry in archive.infolist())
    archive.extractall(sys.argv[2])
`;
