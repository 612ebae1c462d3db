import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { terraformFiles } from '../src/aws/terraform/files.ts';
import { configSchema } from '../src/model/config/schema.ts';
import { CONFIGURATIONS } from './aws/configurations.ts';

/* What `npm pack` would carry, made as it makes it; `packaging/README.md` says how it differs from the source. */

const ROOT = resolve(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [join(ROOT, 'packaging', 'build.ts')]);
}, 300_000);

test('nothing in the package needs cdktn or the provider, and nothing a path of this machine', async () => {
  const paths = (await readdir(DIST, { recursive: true })).filter(path => path.endsWith('.js'));
  expect(paths.length).toBeGreaterThan(100);
  const faults: string[] = [];
  for (const path of paths) {
    const text = await readFile(join(DIST, path), 'utf8');
    if (/(from|require\(|import\()\s*['"]@?cdktn/.test(text)) faults.push(`${path} imports cdktn`);
    if (text.includes(ROOT)) faults.push(`${path} names ${ROOT}`);
  }
  expect(faults).toEqual([]);
});

test('the package writes the same Terraform as the source, byte for byte', async () => {
  const bundled = (await import(pathToFileURL(join(DIST, 'aws', 'terraform', 'files.js')).href)) as {
    terraformFiles: typeof terraformFiles;
  };
  const config = configSchema.parse(CONFIGURATIONS.everything);
  const options = { state: 's3', protect: true } as const;
  const archives = new Map([['replication', new Uint8Array()]] as const);
  expect(bundled.terraformFiles(config, options, archives)).toEqual(
    terraformFiles(config, options, archives),
  );
});

test('every entry of the package is there, with its types', async () => {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, { types: string; default: string }>;
  };
  for (const { types, default: entry } of Object.values(manifest.exports)) {
    expect(await readFile(join(ROOT, types), 'utf8')).not.toBe('');
    expect(Object.keys((await import(pathToFileURL(join(ROOT, entry)).href)) as object)).not.toEqual([]);
  }
});

test('the code of every function is in the package', async () => {
  expect(await readdir(join(DIST, 'functions'))).toContain('replication.mjs');
});
