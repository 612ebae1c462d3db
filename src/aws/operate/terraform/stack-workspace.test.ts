import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findProgram } from '../../../platform/process.ts';
import { dataStack, running, workspaces } from '../testing/terraform-stacks.ts';

const isMissing = findProgram('terraform') === undefined;
if (isMissing) console.log('The tests of running Terraform are skipped: there is no terraform on PATH.');

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-operate-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe.skipIf(isMissing)('a stack', () => {
  test('is planned, applied as planned, and then has nothing to change', async () => {
    const { open, told } = await workspaces(root);
    const stack = open(
      dataStack(
        'east',
        { first: running('true'), second: { input: '${terraform_data.first.output}' } },
        { outputs: { url: 'http://x' } },
      ),
    );
    await stack.initialise();
    const plan = await stack.plan();
    expect(plan.changes.map(({ address, action }) => `${action} ${address}`)).toEqual([
      'create terraform_data.first',
      'create terraform_data.second',
    ]);
    expect(plan.existing).toEqual([]);
    await stack.apply();
    expect(told).toEqual([
      'east init started',
      'east init ended',
      'east plan started',
      'east plan ended',
      'east apply started',
      'east terraform_data.first create started',
      'east terraform_data.first create done',
      'east terraform_data.second create started',
      'east terraform_data.second create done',
      'east apply ended',
    ]);
    expect(await stack.outputs()).toEqual({ url: 'http://x' });
    expect((await stack.resources()).map(({ address }) => address)).toEqual([
      'terraform_data.first',
      'terraform_data.second',
    ]);
    expect(await stack.plan()).toMatchObject({ changes: [], isApplicable: false });
  });

  test('has what its document reads from its own folder', async () => {
    const { open } = await workspaces(root);
    const stack = open(
      dataStack(
        'east',
        { first: { input: '${file("${path.module}/functions/a.zip")}' } },
        { files: [{ path: 'functions/a.zip', content: Buffer.from('the code') }] },
      ),
    );
    await stack.initialise();
    const plan = await stack.plan();
    expect(plan.changes.map(({ address }) => address)).toEqual(['terraform_data.first']);
  });

  test('shows what changes, what is replaced and why, and no secret', async () => {
    const { open } = await workspaces(root);
    const before = open(
      dataStack('east', { kept: { input: { size: 1, name: 'a' } }, anew: { triggers_replace: 'one' } }),
    );
    await before.initialise();
    await before.plan();
    await before.apply();
    const after = open(
      dataStack('east', {
        kept: { input: { size: 2, name: '${sensitive("hush")}' } },
        anew: { triggers_replace: 'two' },
      }),
    );
    await after.initialise();
    const { changes } = await after.plan();
    expect(changes.map(({ address, action }) => `${action} ${address}`)).toEqual([
      'replace terraform_data.anew',
      'update terraform_data.kept',
    ]);
    expect(changes[0]!.attributes).toContainEqual({
      path: 'triggers_replace',
      before: '"one"',
      after: '"two"',
      forcesReplacement: true,
    });
    expect(changes[1]!.attributes).toContainEqual({
      path: 'input.size',
      before: '1',
      after: '2',
      forcesReplacement: false,
    });
    expect(JSON.stringify(changes)).not.toContain('hush');
    expect(changes[1]!.attributes).toContainEqual(
      expect.objectContaining({ path: 'input.name', after: '(sensitive)' }),
    );
  });

  test('that fails in the middle keeps what it made, and says which resource failed and where the output is', async () => {
    const { open, told } = await workspaces(root);
    const stack = open(
      dataStack('east', {
        good: {},
        bad: running('echo no room >&2; exit 3', { depends_on: ['terraform_data.good'] }),
      }),
    );
    await stack.initialise();
    await stack.plan();
    const log = join(stack.folder, 'apply.log');
    await expect(stack.apply()).rejects.toMatchObject({
      code: 'TERRAFORM_FAILED',
      message:
        'east: terraform apply failed: terraform_data.bad: local-exec provisioner error: ' +
        `Error running command 'echo no room >&2; exit 3': exit status 3. Output: no room\n  its whole output: ${log}`,
    });
    expect(told).toContain('east terraform_data.bad create failed');
    expect(readFileSync(log, 'utf8')).toContain('no room');
    expect((await stack.resources()).map(({ address }) => address)).toContain('terraform_data.good');
  });

  test('does not apply a plan after somebody else has changed the state', async () => {
    const { open } = await workspaces(root);
    const stack = open(dataStack('east', { one: {} }));
    await stack.initialise();
    await stack.plan();
    await stack.apply();
    await open(dataStack('east', { one: {}, two: {} })).initialise();
    await stack.plan();
    await terraform(stack.folder, 'state', 'rm', 'terraform_data.one');
    await expect(stack.apply()).rejects.toMatchObject({ code: 'PLAN_STALE' });
  });

  test('that somebody else works on names the holder of the lock', async () => {
    const { open } = await workspaces(root);
    const stack = open(dataStack('east', { slow: running('while [ ! -e done ]; do sleep 0.1; done') }));
    await stack.initialise();
    await stack.plan();
    const applying = stack.apply();
    await until(() => existsSync(join(stack.folder, '.terraform.tfstate.lock.info')));
    const other = open(stack.stack);
    await expect(other.plan()).rejects.toMatchObject({
      code: 'STATE_LOCKED',
      message: expect.stringMatching(
        /^the state of east is locked by \S+@\S+ \(apply, since .+, id [0-9a-f-]{36}\)\. Wait .* `tandem unlock east`$/,
      ),
    });
    await writeFile(join(stack.folder, 'done'), '');
    await applying;
  });

  test('stops in good order when it is interrupted, and records what it had finished', async () => {
    const stop = new AbortController();
    const force = new AbortController();
    const { open } = await workspaces(root, { interruption: { stop: stop.signal, force: force.signal } });
    const stack = open(
      dataStack('east', {
        first: running('echo > begun; while [ ! -e done ]; do sleep 0.1; done'),
        second: { depends_on: ['terraform_data.first'] },
      }),
    );
    await stack.initialise();
    await stack.plan();
    const applying = stack.apply();
    const ended = expect(applying).rejects.toMatchObject({ code: 'OPERATION_INTERRUPTED' });
    await until(() => existsSync(join(stack.folder, 'begun')));
    stop.abort();
    await until(() => readFileSync(join(stack.folder, 'apply.log'), 'utf8').includes('Interrupt'));
    await writeFile(join(stack.folder, 'done'), '');
    await ended;
    const { resources } = JSON.parse(readFileSync(join(stack.folder, 'terraform.tfstate'), 'utf8')) as {
      resources: { name: string }[];
    };
    expect(resources.map(({ name }) => name)).toEqual(['first']);
    await expect(stack.plan()).rejects.toMatchObject({ code: 'OPERATION_INTERRUPTED' });
  });

  test('with a state that could not be stored is left alone until somebody stores it', async () => {
    const { open } = await workspaces(root);
    const stack = open(dataStack('east', { one: {} }));
    await stack.initialise();
    const unsaved = join(stack.folder, 'errored.tfstate');
    await writeFile(unsaved, '{}');
    await expect(stack.initialise()).rejects.toMatchObject({
      code: 'STATE_UNSAVED',
      message: expect.stringContaining(
        `terraform -chdir=${stack.folder} state push errored.tfstate && rm ${unsaved}`,
      ),
    });
  });
});

async function terraform(folder: string, ...argv: string[]): Promise<void> {
  const child = spawn('terraform', argv, { cwd: folder, stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(resolve => setTimeout(resolve, 20));
}
