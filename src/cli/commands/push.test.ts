import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Execution } from '../../model/execution.ts';
import { runCommand } from '../../platform/process.ts';
import { systemGit, type Git } from '../git.ts';
import { cloudDouble, type CloudDouble, type RegionDouble } from '../testing/cloud-double.ts';
import { linesOf, runCli } from '../testing/command-run.ts';
import { executionOf, stagesAt } from '../testing/fixtures.ts';

let root: string;
let application: string;
let east: string;
let west: string;
let cloud: CloudDouble;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-push-'));
  [application, east, west] = [join(root, 'application'), join(root, 'east.git'), join(root, 'west.git')];
  for (const bare of [east, west]) await git(root, 'init', '--quiet', '--bare', bare);
  await git(root, 'init', '--quiet', '-b', 'trunk', application);
  await git(application, 'config', 'user.name', 'Ada');
  await git(application, 'config', 'user.email', 'ada@example.com');
  await writeFile(join(application, 'tandem.config.ts'), `export default { application: 'storefront' };`);
  await git(application, 'add', '-A');
  await git(application, 'commit', '--quiet', '-m', 'First');
  cloud = cloudDouble();
  cloud.east.statusOverrides = { gitUrl: east, branch: 'release' };
  cloud.west.statusOverrides = { gitUrl: west, branch: 'release' };
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('pushes HEAD to the pipeline’s branch of the primary, and follows the commit in every region', async () => {
  const head = await git(application, 'rev-parse', 'HEAD');
  const { exitCode, stdout, stderr } = await push([], () => {
    start(cloud.east, head, 'Waiting');
    // Replication takes a moment.
    setTimeout(() => start(cloud.west, head, 'Waiting'), 10);
  });
  expect(await git(east, 'rev-parse', 'refs/heads/release')).toBe(head);
  const short = head.slice(0, 7);
  expect(linesOf(stdout)).toEqual([
    `us-east-1  waiting      #1 ${short} First, for a person to approve`,
    `us-west-2  waiting      #1 ${short} First, for a person to approve`,
  ]);
  expect(stderr).toContain('HEAD -> release');
  expect(stderr).toContain('us-west-2  waiting: the commit to arrive from us-east-1\n');
  expect(stderr).toMatch(/to let it into production: tandem approve\n$/);
  expect(exitCode).toBe(4);
});

test('uses the remote `tandem` where it points to that region, so that its tracking branch follows', async () => {
  await git(application, 'remote', 'add', 'tandem', east);
  const head = await git(application, 'rev-parse', 'HEAD');
  await push(['--no-wait'], () => undefined);
  expect(await git(application, 'rev-parse', 'refs/remotes/tandem/release')).toBe(head);
});

test('--region pushes to another region; --no-wait returns at once', async () => {
  const { exitCode, stdout } = await push(['--region', 'us-west-2', '--no-wait'], () => undefined);
  expect(await git(west, 'rev-parse', 'refs/heads/release')).toBe(
    await git(application, 'rev-parse', 'HEAD'),
  );
  expect(stdout).toBe('');
  expect(exitCode).toBe(0);
});

test('what is there already is not pushed again, but shown on its way', async () => {
  const head = await git(application, 'rev-parse', 'HEAD');
  await push(['--no-wait'], () => undefined);
  start(cloud.east, head, 'Succeeded');
  start(cloud.west, head, 'RolledBack');
  const { exitCode, stdout, stderr } = await push([], () => undefined);
  expect(stderr).toContain(`us-east-1 has ${head.slice(0, 7)} already`);
  expect(linesOf(stdout)[1]).toMatch(/^us-west-2 {2}rolled back/);
  expect(exitCode).toBe(3);
});

test('an older execution of the same commit is not taken for the one that this push starts', async () => {
  const head = await git(application, 'rev-parse', 'HEAD');
  start(cloud.east, head, 'Failed');
  start(cloud.west, head, 'Failed');
  const { exitCode, stdout } = await push([], () => {
    start(cloud.east, head, 'Succeeded');
    start(cloud.west, head, 'Succeeded');
  });
  expect(stdout).not.toContain('failed');
  expect(stdout).toContain('#2');
  expect(exitCode).toBe(0);
});

test('a refused push starts nothing; git has said why', async () => {
  await git(east, 'config', 'receive.denyCurrentBranch', 'refuse');
  await writeFile(join(east, 'hooks', 'pre-receive'), '#!/bin/sh\necho not today\nexit 1\n', { mode: 0o755 });
  const { exitCode, stderr } = await push([], () => undefined);
  expect(stderr).toContain('not today');
  expect(stderr).toContain('error[PUSH_REFUSED]: git push ended with exit code 1');
  expect(exitCode).toBe(1);
});

test('a region that never starts an execution: unknown, and where to look', async () => {
  const head = await git(application, 'rev-parse', 'HEAD');
  const { exitCode, stdout, stderr } = await push([], () => start(cloud.east, head, 'Succeeded'));
  expect(linesOf(stdout)[1]).toBe('us-west-2  unknown');
  expect(stderr).toContain('error[EXECUTION_NOT_STARTED]: us-west-2: us-west-2 has started no execution of');
  expect(exitCode).toBe(6);
});

test('a primary that is down: nothing is pushed, and another region is named', async () => {
  cloud.east.isUnreachable = true;
  const { exitCode, stderr } = await push([], () => undefined);
  expect(stderr).toContain('error[PUSH_TARGET_UNREACHABLE]');
  expect(stderr).toContain('tandem push --region us-west-2');
  expect(exitCode).toBe(1);
});

test('says what is left behind: changes that are not committed', async () => {
  await writeFile(join(application, 'tandem.config.ts'), `export default { application: 'other' };`);
  const { stderr } = await push(['--no-wait'], () => undefined);
  expect(stderr).toContain('1 file has changes that are not committed; they are not pushed\n');
});

test('without a commit, or without a repository, says how to get there', async () => {
  await rm(join(application, '.git'), { recursive: true });
  expect((await push([], () => undefined)).stderr).toContain('error[GIT_REPOSITORY_MISSING]');
  await git(application, 'init', '--quiet');
  expect((await push([], () => undefined)).stderr).toContain('error[NOTHING_TO_PUSH]');
});

test('--json keeps git’s own output away from the result', async () => {
  const head = await git(application, 'rev-parse', 'HEAD');
  const { stdout, stderr } = await push(['--json'], () => {
    start(cloud.east, head, 'Succeeded');
    start(cloud.west, head, 'Succeeded');
  });
  expect(JSON.parse(stdout)).toMatchObject({ commit: head, executions: [{ status: 'Succeeded' }, {}] });
  expect(stderr).toContain('HEAD -> release');
});

test('from another folder, tells the command with the configuration that it needs', async () => {
  const head = await git(application, 'rev-parse', 'HEAD');
  const { stderr } = await push(
    ['--config', 'application/tandem.config.ts'],
    () => {
      start(cloud.east, head, 'Waiting');
      start(cloud.west, head, 'Waiting');
    },
    dirname(application),
  );
  expect(stderr).toMatch(/: tandem approve --config application\/tandem.config.ts\n$/);
});

/** Runs `tandem push` with real git; `onPushed` plays the regions' part. */
function push(options: string[], onPushed: () => void, workingFolder = application) {
  const gitThatTells: Git = async (argv, gitOptions) => {
    const result = await systemGit(argv, { ...gitOptions });
    if (argv.includes('push') && result.exitCode === 0) onPushed();
    return result;
  };
  return runCli(['push', ...options], { cloud, workingFolder, git: gitThatTells });
}

function start(region: RegionDouble, commit: string, status: Execution['status']): void {
  const number = region.held.length + 1;
  const execution = executionOf({
    id: `0000000${number}-0000-4000-8000-${region.name}`,
    number,
    region: region.name,
    status,
    stages: stagesAt('Approval', status === 'Waiting' ? 'Waiting' : 'Succeeded'),
    ...(status === 'Waiting' && { waiting: { for: 'a person to approve' } }),
  });
  region.held.unshift({ ...execution, commit: { ...execution.commit, id: commit, subject: 'First' } });
  region.tell('an execution has started');
}

async function git(folder: string, ...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand('git', argv, { cwd: folder });
  expect(exitCode, stderr).toBe(0);
  return stdout.trim();
}
