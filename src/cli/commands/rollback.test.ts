import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { Execution } from '../../model/execution.ts';
import { cloudDouble, type CloudDouble } from '../testing/cloud-double.ts';
import { linesOf, runCli } from '../testing/command-run.ts';
import {
  executionOf,
  NOW,
  releaseOf,
  releaseRecordOf,
  serviceOf,
  stagesAt,
  succeeded,
} from '../testing/fixtures.ts';

test('shows what will change in each region, goes back, and follows it to its end', async () => {
  const cloud = cloudWith('b', 'a');
  const { exitCode, stdout, stderr } = await runCli(['rollback', '--yes'], { cloud });
  expect(stderr).toContain('us-east-1  production: bbbbbbb -> aaaaaaa\n');
  expect(cloud.east.calls).toEqual(['rollback to the last good one by ada']);
  expect(stdout).toContain('us-west-2  succeeded');
  expect(exitCode).toBe(0);
});

test('asks on a terminal, and a no changes nothing', async () => {
  const cloud = cloudWith('b', 'a');
  const refused = await runCli(['rollback'], { cloud, isTerminal: true, answers: ['n'] });
  expect(refused.stderr).toContain('Go back? [y/N] nothing was changed\n');
  expect(refused.exitCode).toBe(1);
  expect(cloud.east.calls).toEqual([]);
  await runCli(['rollback'], { cloud, isTerminal: true, answers: ['y'] });
  expect(cloud.east.calls).toHaveLength(1);
});

test('without a terminal nothing is done unless --yes was said', async () => {
  const cloud = cloudWith('b', 'a');
  const { exitCode, stderr } = await runCli(['rollback'], { cloud });
  expect(stderr).toContain('error[CONFIRMATION_MISSING]');
  expect(cloud.east.calls).toEqual([]);
  expect(exitCode).toBe(2);
});

test('a named release is handed on as it was written', async () => {
  const cloud = cloudWith('c', 'b', 'a');
  const { stderr } = await runCli(['rollback', 'aaaa', '--yes', '--region', 'us-east-1'], { cloud });
  expect(stderr).toContain('us-east-1  production: ccccccc -> aaaaaaa\n');
  expect(cloud.east.calls).toEqual(['rollback to aaaa by ada']);
  expect(cloud.west.calls).toEqual([]);
});

test('what was rolled back from is not gone back to again', async () => {
  const cloud = cloudWith('b', 'c', 'b', 'a');
  cloud.east.held[0] = { ...cloud.east.held[0]!, trigger: { kind: 'rollback', by: 'ada', ref: '' } };
  const { stderr } = await runCli(['rollback', '--yes'], { cloud });
  expect(stderr).toContain('us-east-1  production: bbbbbbb -> aaaaaaa\n');
});

test('a deployment under way is gone back from to what is good now', async () => {
  const cloud = cloudWith('b', 'a');
  cloud.east.held.unshift(
    executionOf({
      id: 'c0000000',
      release: releaseOf('c'),
      status: 'InProgress',
      stages: stagesAt('Production', 'InProgress'),
    }),
  );
  cloud.east.script('c0000000', { status: 'Succeeded' });
  const { stderr } = await runCli(['rollback', '--yes'], { cloud });
  expect(stderr).toContain('us-east-1  production: ccccccc -> bbbbbbb\n');
});

test.each(['zzzz', 'aaa', 'cccc'])(
  '%s, which names no release, is refused before anything is asked',
  async name => {
    const cloud = cloudWith('b', 'a');
    for (const region of [cloud.east, cloud.west])
      region.releaseRecords.push(releaseRecordOf('c', { deployedAt: {} }));
    const { exitCode, stdout, stderr } = await runCli(['rollback', name], {
      cloud,
      isTerminal: true,
      answers: [],
    });
    const [east, west] = linesOf(stripVTControlCharacters(stderr));
    expect(east).toMatch(
      `error[RELEASE_UNKNOWN]: us-east-1: no release that was deployed with success begins with '${name}'`,
    );
    expect(west).toMatch(`error[RELEASE_UNKNOWN]: us-west-2: `);
    expect(stdout).toBe('');
    expect(cloud.east.calls).toEqual([]);
    expect(exitCode).toBe(1);
  },
);

test('a beginning that several releases share is refused before anything is asked', async () => {
  const cloud = cloudWith('b', 'a');
  for (const region of [cloud.east, cloud.west]) {
    const [, earlier] = region.releaseRecords;
    const commit = `aaaa${'0'.repeat(36)}`;
    region.releaseRecords.push({ ...earlier!, commit, digest: `sha256:${'9'.repeat(64)}`, subject: 'Other' });
  }
  const { exitCode, stderr } = await runCli(['rollback', 'aaaa'], { cloud, isTerminal: true, answers: [] });
  const [east, west] = linesOf(stripVTControlCharacters(stderr));
  expect(east).toBe(
    `error[RELEASE_AMBIGUOUS]: us-east-1: 'aaaa' may mean aaaaaaa "Change a", aaaa000 "Other": give more of the commit id`,
  );
  expect(west).toMatch('error[RELEASE_AMBIGUOUS]: us-west-2: ');
  expect(stderr).not.toContain('Go back?');
  expect(cloud.east.calls).toEqual([]);
  expect(exitCode).toBe(1);
});

test('a region that knows the release goes back, and one that does not is reported', async () => {
  const cloud = cloudWith('b', 'a');
  cloud.west.releaseRecords = [releaseRecordOf('b', { deployedAt: { production: NOW } })];
  const { exitCode, stderr } = await runCli(['rollback', 'AAAA', '--yes'], { cloud });
  expect(stderr).toContain('error[RELEASE_UNKNOWN]: us-west-2: ');
  expect(cloud.east.calls).toEqual(['rollback to AAAA by ada']);
  expect(cloud.west.calls).toEqual([]);
  expect(exitCode).toBe(1);
});

test('a region that is down is reported, and the others go back', async () => {
  const cloud = cloudWith('b', 'a');
  cloud.west.isUnreachable = true;
  const { exitCode, stdout } = await runCli(['rollback', '--yes'], { cloud });
  expect(stdout).toMatch(/^us-east-1 {2}succeeded/);
  expect(exitCode).toBe(6);
});

/** Regions that ran these releases in production, the current first. */
function cloudWith(...newestFirst: string[]): CloudDouble {
  const cloud = cloudDouble();
  for (const double of [cloud.east, cloud.west]) {
    double.held = newestFirst.map((letter, index): Execution => {
      const number = newestFirst.length - index;
      const id = `${double.name}-${number}`;
      return succeeded(executionOf({ letter, id, number, region: double.name }));
    });
    double.services = [serviceOf('production', { release: releaseOf(newestFirst[0]!) })];
    double.releaseRecords = newestFirst.map((letter, index) =>
      releaseRecordOf(letter, { deployedAt: { production: NOW - index } }),
    );
  }
  return cloud;
}
