import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLifecycle } from './lifecycle.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tandem-lifecycle-'));
  await mkdir(join(dataDir, 'regions'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

test('destroying the local cloud keeps what is the only record of what is on AWS', async () => {
  const state = join(dataDir, 'aws', 'us-east-1', 'terraform.tfstate');
  await mkdir(join(dataDir, 'aws', 'us-east-1'), { recursive: true });
  await writeFile(state, '{}');
  await destroy();
  expect(existsSync(state)).toBe(true);
  expect(existsSync(join(dataDir, 'regions'))).toBe(false);
});

test('destroying the local cloud leaves nothing where nothing is on AWS', async () => {
  await destroy();
  expect(existsSync(dataDir)).toBe(false);
});

function destroy(): Promise<void> {
  const connect = () => {
    throw new Error('not expected');
  };
  return createLifecycle({ connect, program: { version: '0', entry: '' } }).destroy(dataDir, () => undefined);
}
