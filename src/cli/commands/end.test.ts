import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pathExists } from '../../platform/files.ts';
import type { Inventory } from '../../model/local-lifecycle.ts';
import { cloudDouble } from '../testing/cloud-double.ts';
import { runCli, type RunOptions } from '../testing/command-run.ts';

let folder: string;
let dataDir: string;
let calls: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-end-'));
  dataDir = join(folder, '.tandem');
  await mkdir(dataDir);
  calls = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('down', () => {
  test('stops what runs, showing how far it is', async () => {
    const { exitCode, stdout, stderr } = await run(['down'], { cloud: cloudDouble() });
    expect(calls).toEqual([`down ${dataDir}`]);
    expect(stderr).toBe('us-east-1  tasks stop\n');
    expect(stdout).toBe('stopped\n');
    expect(exitCode).toBe(0);
  });

  test('is content where nothing runs', async () => {
    const { exitCode, stdout } = await run(['down', '--json']);
    expect(JSON.parse(stdout)).toEqual({ stopped: false, dataDir });
    expect(calls).toEqual([]);
    expect(exitCode).toBe(0);
  });
});

describe('destroy', () => {
  test('shows what will be deleted, and wants the application’s name', async () => {
    const { exitCode, stdout, stderr } = await run(['destroy'], {
      isTerminal: true,
      answers: ['storefront'],
    });
    expect(stderr).toContain(`folder  ${dataDir} (2.0 MiB)`);
    expect(stderr).toContain('1 process runs, and will be ended:');
    expect(stderr).toContain('42  us-east-1  tandem region us-east-1');
    expect(stdout).toBe('deleted: nothing of it is left\n');
    expect(await pathExists(dataDir)).toBe(false);
    expect(exitCode).toBe(0);
  });

  test.each(['', 'yes', 'storefron'])('does nothing when the name is typed as "%s"', async answer => {
    const { exitCode } = await run(['destroy'], { isTerminal: true, answers: [answer] });
    expect(calls).toEqual([]);
    expect(exitCode).toBe(2);
  });

  test('asks nobody where there is no terminal: --yes must say it', async () => {
    expect((await run(['destroy'])).stderr).toContain('error[CONFIRMATION_MISSING]');
    expect(calls).toEqual([]);
    expect((await run(['destroy', '--yes'])).exitCode).toBe(0);
    expect(calls).toEqual([`destroy ${dataDir}`]);
  });

  test('leaves a folder alone that is none of ours', async () => {
    const foreign = join(folder, 'precious');
    await mkdir(foreign);
    const argv = ['destroy', '--yes', '--data-dir', foreign];
    const { exitCode, stderr } = await run(argv, {}, { processes: [], bytes: 1 });
    expect(stderr).toContain('error[DATA_FOLDER_FOREIGN]');
    expect(calls).toEqual([]);
    expect(exitCode).toBe(1);
  });

  test('deletes a data folder whose record is damaged', async () => {
    const argv = ['destroy'];
    const options = { isTerminal: true, answers: ['.tandem'] };
    expect((await run(argv, options, { processes: [], bytes: 1 })).exitCode).toBe(0);
    expect(calls).toEqual([`destroy ${dataDir}`]);
  });

  test('has nothing to do where there is nothing', async () => {
    await rm(dataDir, { recursive: true });
    expect(await run(['destroy'])).toMatchObject({ exitCode: 0, stdout: `there is nothing at ${dataDir}\n` });
  });
});

const inventoryOfOne: Inventory = {
  application: 'storefront',
  processes: [{ pid: 42, title: 'tandem region us-east-1', region: 'us-east-1' }],
  bytes: 2 * 1024 * 1024,
};

function run(argv: string[], options: RunOptions = {}, inventory = inventoryOfOne) {
  return runCli(argv, {
    workingFolder: folder,
    ...options,
    local: {
      attach: async () => options.cloud,
      inventory: async () => inventory,
      down: async (target, onProgress) => {
        calls.push(`down ${target}`);
        onProgress({ region: 'us-east-1', message: 'tasks stop' });
      },
      destroy: async target => {
        calls.push(`destroy ${target}`);
        await rm(target, { recursive: true });
      },
    },
  });
}
