import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InfrastructureStack, StackOutcome, WorkFolder } from '../../model/infrastructure.ts';
import { systemClock } from '../../platform/clock.ts';
import { environment, findProgram } from '../../platform/process.ts';
import { dataStack, running } from './testing/terraform-stacks.ts';
import { openWorkFolder } from './work-folder.ts';

const isMissing = findProgram('terraform') === undefined;
if (isMissing) console.log('The tests of running Terraform are skipped: there is no terraform on PATH.');

let root: string;
let work: WorkFolder;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-work-'));
  work = await open();
});
afterEach(async () => {
  await work.close();
  await rm(root, { recursive: true, force: true });
});

describe.skipIf(isMissing)('stacks', () => {
  test('are applied in their order, and one that fails keeps only those from beginning that stand on it', async () => {
    const stacks = [
      dataStack('east', { base: running('exit 1') }),
      dataStack('west', { base: {} }, { outputs: { url: 'http://west' } }),
      dataStack('east-production', { app: {} }, { after: ['east'] }),
      dataStack('west-production', { app: {} }, { after: ['west'], outputs: { url: 'http://app' } }),
    ];
    const planned = await work.plan(stacks, 'normal');
    expect(planned.map(outcome => outcome.state === 'done' && outcome.value.isDeferred)).toEqual([
      false,
      false,
      true,
      true,
    ]);
    const applied = await work.apply(stacks, 'apply');
    expect(applied.map(summary)).toEqual([
      'east: TERRAFORM_FAILED',
      'west: {"url":"http://west"}',
      'east-production: waits for east',
      'west-production: {"url":"http://app"}',
    ]);
  });

  test('that cannot be planned yet are to be made as far as their states do not have them', async () => {
    const base = dataStack('east', { base: {} });
    const app = (...names: string[]) =>
      dataStack('app', Object.fromEntries(names.map(name => [name, {}])), { after: ['east'] });
    await applyAll([base, app('old')]);
    await rm(join(root, 'aws', 'east', 'terraform.tfstate'));
    const [, outcome] = await work.plan([base, app('old', 'new')], 'normal');
    expect(outcome).toMatchObject({
      value: {
        isDeferred: true,
        changes: [{ address: 'terraform_data.new', action: 'create' }],
        existing: [{ address: 'terraform_data.old' }],
      },
    });
  });

  test('that stand on one that changed are left alone where something else turns out to be due', async () => {
    const base = (input: string): InfrastructureStack => dataStack('east', { base: { input } });
    const app = (name: string): InfrastructureStack => dataStack('app', { [name]: {} }, { after: ['east'] });
    await applyAll([base('one'), app('old')]);
    await work.plan([base('two'), app('old')], 'normal');
    // Meanwhile somebody takes the resource out of the state: it would be made a second time.
    const { spawnSync } = await import('node:child_process');
    spawnSync('terraform', ['state', 'rm', 'terraform_data.old'], { cwd: join(root, 'aws', 'app') });
    const applied = await work.apply([base('two'), app('old')], 'apply');
    expect(applied.map(summary)).toEqual(['east: {}', 'app: PLAN_CHANGED']);
  });

  test('are destroyed in the opposite order, and a second time there is nothing to do', async () => {
    const stacks = [dataStack('east', { base: {} }), dataStack('app', { one: {} }, { after: ['east'] })];
    await applyAll(stacks);
    const planned = await work.plan(stacks, 'destroy');
    expect(
      planned.map(outcome => outcome.state === 'done' && outcome.value.changes.map(({ action }) => action)),
    ).toEqual([['delete'], ['delete']]);
    expect((await work.apply(stacks, 'destroy')).map(({ state }) => state)).toEqual(['done', 'done']);
    const again = await work.plan(stacks, 'destroy');
    expect(again.map(outcome => outcome.state === 'done' && outcome.value.changes)).toEqual([[], []]);
  });

  test('are worked on by one process at a time, and their plans are deleted at the end', async () => {
    const stacks = [dataStack('east', { base: {} })];
    await work.plan(stacks, 'normal');
    const saved = join(work.folderOf(stacks[0]!), 'tandem.tfplan');
    expect(existsSync(saved)).toBe(true);
    await expect(open()).rejects.toMatchObject({ code: 'WORK_FOLDER_BUSY' });
    await work.close();
    expect(existsSync(saved)).toBe(false);
    work = await open();
  });
});

describe('Terraform', () => {
  test('that is not there is named, with where to get it', async () => {
    await expect(open('no-such-terraform')).rejects.toMatchObject({
      code: 'TERRAFORM_MISSING',
      message: expect.stringContaining(
        'there is no program no-such-terraform on the PATH: install Terraform',
      ),
    });
  });

  test('that is too old is refused', async () => {
    const { chmod, writeFile } = await import('node:fs/promises');
    const path = join(root, 'terraform');
    await writeFile(path, '#!/bin/sh\necho \'{"terraform_version": "1.9.8"}\'\n');
    await chmod(path, 0o755);
    await expect(open(path)).rejects.toMatchObject({ code: 'TERRAFORM_TOO_OLD' });
  });
});

function open(program?: string): Promise<WorkFolder> {
  return openWorkFolder({
    root: join(root, 'aws'),
    ...(program !== undefined && { program }),
    environment: { ...environment, XDG_CACHE_HOME: join(root, 'cache') },
    clock: systemClock,
    onProgress: () => undefined,
  });
}

async function applyAll(stacks: readonly InfrastructureStack[]): Promise<void> {
  await work.plan(stacks, 'normal');
  const applied = await work.apply(stacks, 'apply');
  expect(applied.map(({ state }) => state)).toEqual(stacks.map(() => 'done'));
}

function summary(outcome: StackOutcome<Record<string, unknown>>): string {
  const { name } = outcome.stack;
  if (outcome.state === 'done') return `${name}: ${JSON.stringify(outcome.value)}`;
  if (outcome.state === 'skipped') return `${name}: waits for ${outcome.because}`;
  return `${name}: ${(outcome.error as { code?: string }).code}`;
}
