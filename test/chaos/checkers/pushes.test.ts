import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../end-to-end/test-cloud.ts';
import { emptyHistory } from '../history.ts';
import { checkPushes, checkRepositories } from './pushes.ts';
import { FakeCloud } from './testing/fake-cloud.ts';

const MAIN = 'refs/heads/main';

let cloud: FakeCloud;
let first: string;
let second: string;
beforeEach(async () => {
  cloud = new FakeCloud();
  for (const region of cloud.regions) {
    mkdirSync(repositoryOf(region), { recursive: true });
    await git(region, 'init', '--quiet', '--bare');
  }
  first = await commit('us-east-1', 'first');
  second = await commit('us-east-1', 'second', first);
  await git('us-east-1', 'update-ref', MAIN, second);
  await git('us-west-2', 'fetch', '--quiet', repositoryOf('us-east-1'), `${MAIN}:${MAIN}`);
});
afterEach(() => cloud.remove());

test('commits that a later one follows are there', async () => {
  expect(await check(first, second)).toEqual([]);
  expect(await checkRepositories(cloud)).toEqual([]);
});

test('a ref that is gone is told', async () => {
  await git('us-west-2', 'update-ref', '-d', MAIN);
  expect(await check(first)).toEqual([
    expect.stringMatching(/acknowledged by us-east-1: the ref is not in us-west-2/),
    `${MAIN} differs between regions, and no region reports a split`,
  ]);
});

test('a commit that a ref no longer reaches is told, for each region', async () => {
  for (const region of cloud.regions) await git(region, 'update-ref', MAIN, first);
  expect(await check(second)).toEqual([
    expect.stringMatching(/us-east-1 has .* there, without it/),
    expect.stringMatching(/us-west-2 has .* there, without it/),
  ]);
});

test('regions that part are told, unless one of them says so', async () => {
  const other = await commit('us-west-2', 'other', first);
  await git('us-west-2', 'update-ref', MAIN, other);
  expect(await check(first)).toEqual([`${MAIN} differs between regions, and no region reports a split`]);
  const split = { ref: MAIN, here: other, there: second };
  const reported = cloud.statuses['us-west-2'].replication[0]!;
  Object.assign(reported, { state: 'split', splits: [{ ...split, mends: [] }] });
  expect(await check(first), 'a split that comes without a mend is not reported').not.toEqual([]);
  Object.assign(reported, { splits: [{ ...split, mends: [{ keeps: 'both', command: 'git pull' }] }] });
  expect(await check(first)).toEqual([]);
});

test('a repository that lost an object is told', async () => {
  const object = join(repositoryOf('us-east-1'), 'objects', first.slice(0, 2));
  for (const name of readdirSync(object)) rmSync(join(object, name));
  expect(await checkRepositories(cloud)).toEqual([
    expect.stringContaining('the repository of us-east-1 is broken'),
  ]);
});

function check(...commits: string[]): Promise<string[]> {
  const pushes = commits.map(id => ({ region: 'us-east-1', ref: MAIN, commit: id }));
  return checkPushes(cloud, { ...emptyHistory(), pushes });
}

async function commit(region: string, message: string, ...parents: string[]): Promise<string> {
  const tree = await git(region, 'mktree');
  return git(region, 'commit-tree', tree, '-m', message, ...parents.flatMap(parent => ['-p', parent]));
}

async function git(region: string, ...argv: string[]): Promise<string> {
  const output = await run('git', ['--git-dir', repositoryOf(region), ...argv], cloud.folder(region));
  if (output.exitCode !== 0) throw new Error(`git ${argv.join(' ')}: ${output.stderr}`);
  return output.stdout.trim();
}

function repositoryOf(region: string): string {
  return join(cloud.folder(region), 'repository/repository.git');
}
