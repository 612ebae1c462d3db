import { join } from 'node:path';
import { run } from '../../end-to-end/test-cloud.ts';
import type { CheckedCloud } from './checked-cloud.ts';
import type { AcknowledgedPush, History } from '../history.ts';

/**
 * Every acknowledged push is there: its commit in the region that took it, on the ref (or behind what was pushed
 * later), and the refs of all regions are equal, except those that a region reports as split, with both ids.
 */
export async function checkPushes(cloud: CheckedCloud, history: History): Promise<string[]> {
  const broken: string[] = [];
  const refs = new Map(
    await Promise.all(cloud.regions.map(async region => [region, await refsOf(cloud, region)] as const)),
  );
  const split = await splitRefs(cloud);
  for (const push of history.pushes) {
    const where = `${push.ref} ${push.commit.slice(0, 7)}, acknowledged by ${push.region}`;
    const holders = split.has(push.ref) ? [push.region] : cloud.regions;
    for (const region of holders) {
      const tip = refs.get(region)!.get(push.ref);
      if (tip === undefined) broken.push(`${where}: the ref is not in ${region}`);
      else if (!(await isReached(cloud, region, push, tip))) {
        const isLoserOfConflict =
          push.ref.includes('conflict') && (await hasCommit(cloud, push.region, push.commit));
        broken.push(
          `${where}: ${region} has ${tip.slice(0, 7)} there, without it (${isLoserOfConflict ? 'object kept' : 'object gone'})`,
        );
      }
    }
  }
  const names = new Set([...refs.values()].flatMap(own => [...own.keys()]));
  for (const name of names) {
    const ids = new Set(cloud.regions.map(region => refs.get(region)!.get(name)));
    if (ids.size > 1 && !split.has(name))
      broken.push(`${name} differs between regions, and no region reports a split`);
  }
  return broken;
}

/** Commits whose objects are broken or missing. */
export async function checkRepositories(cloud: CheckedCloud): Promise<string[]> {
  const results = await Promise.all(
    cloud.regions.map(async region => {
      const { exitCode, stdout, stderr } = await git(cloud, region, 'fsck', '--full', '--connectivity-only');
      return exitCode === 0 ? [] : [`the repository of ${region} is broken: ${stdout}${stderr}`];
    }),
  );
  return results.flat();
}

async function splitRefs(cloud: CheckedCloud): Promise<Set<string>> {
  const found = new Set<string>();
  for (const region of cloud.regions) {
    const { replication } = await cloud.region(region).status();
    for (const { state, splits } of replication) {
      if (state !== 'split') continue;
      for (const { ref, mends } of splits) if (mends.length > 0) found.add(ref);
    }
  }
  return found;
}

async function refsOf(cloud: CheckedCloud, region: string): Promise<Map<string, string>> {
  const { stdout } = await git(
    cloud,
    region,
    'for-each-ref',
    '--format=%(refname) %(objectname)',
    'refs/heads',
  );
  return new Map(
    stdout
      .trim()
      .split('\n')
      .map(line => line.split(' ') as [string, string]),
  );
}

async function isReached(
  cloud: CheckedCloud,
  region: string,
  { commit }: AcknowledgedPush,
  tip: string,
): Promise<boolean> {
  if (commit === tip) return true;
  return (await git(cloud, region, 'merge-base', '--is-ancestor', commit, tip)).exitCode === 0;
}

async function hasCommit(cloud: CheckedCloud, region: string, commit: string): Promise<boolean> {
  return (await git(cloud, region, 'cat-file', '-e', `${commit}^{commit}`)).exitCode === 0;
}

function git(cloud: CheckedCloud, region: string, ...argv: string[]) {
  return run(
    'git',
    ['--git-dir', join(cloud.folder(region), 'repository/repository.git'), ...argv],
    cloud.folder(region),
  );
}
