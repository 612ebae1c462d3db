import { expect, test } from 'vitest';
import type { Release } from '../../model/release.ts';
import type { Action, Outcome } from './state.ts';
import { World } from './test-world.ts';

const RELEASE: Release = { commit: 'abc', digest: 'sha256:feed', builtIn: 'us-west-2', builtAt: 5 };

test('a replicated commit takes the image that its region of origin has built', () => {
  const world = replicate();
  expect(question(world)).toMatchObject({ kind: 'AskPeer', region: 'us-west-2', isHeld: false });
  answer(world, { kind: 'peer', answer: { state: 'building' } });
  expect(question(world)).toMatchObject({ kind: 'AskPeer', isHeld: true });
  expect(world.execution(1).waiting?.for).toContain(
    'us-west-2 to tell the release of abc, which it is building',
  );
  answer(world, { kind: 'peer', answer: { state: 'built', release: RELEASE } });
  expect(question(world)).toMatchObject({ kind: 'PullImage', release: RELEASE });
  answer(world, { kind: 'pulled' });
  expect(world.execution(1)).toMatchObject({ stage: 'Staging', release: RELEASE });
  expect(world.builds.size).toBe(0);
  expect(world.builtReleases()).toEqual([RELEASE]);
});

test('a build that failed in the origin fails here with its cause, and a retry builds here', () => {
  const world = replicate();
  answer(world, { kind: 'peer', answer: { state: 'failed', cause: 'npm test: exit status 1' } });
  expect(world.execution(1)).toMatchObject({ status: 'Failed', stage: 'Build' });
  expect(world.execution(1).cause).toContain(
    'the build of this commit failed in us-west-2: npm test: exit status 1',
  );
  world.retry(1);
  world.tick();
  expect(world.builds.size).toBe(1);
});

test('an origin that does not answer, or has no build, is asked a few times; then this region builds', () => {
  for (const outcome of [
    { kind: 'failed', failure: 'connect ECONNREFUSED' },
    { kind: 'peer', answer: { state: 'absent' } },
  ] satisfies Outcome[]) {
    const world = replicate();
    let questions = 0;
    while (world.builds.size === 0) {
      answer(world, outcome);
      questions += 1;
      world.now = world.lastDecision?.waiting?.until ?? world.now;
      world.tick();
    }
    expect(questions).toBe(5);
    expect(world.now).toBeLessThan(1_000_000 + 5_000);
    world.succeed(1);
    expect(world.execution(1).stages[1]?.summary).toMatch(
      /built here: us-west-2 (did not answer|has no build)/,
    );
  }
});

test('an image that cannot be copied is built here', () => {
  const world = replicate();
  answer(world, { kind: 'peer', answer: { state: 'built', release: RELEASE } });
  for (let failures = 0; failures < 3; failures += 1) {
    answer(world, { kind: 'failed', failure: 'blob is corrupt' });
    world.now += 1_000;
    world.tick();
  }
  expect(world.builds.size).toBe(1);
  world.succeed(1);
  expect(world.execution(1).stages[1]?.summary).toContain(
    'the image could not be copied from us-west-2 (blob is corrupt)',
  );
});

test('waiting for the origin ends with the build timeout', () => {
  const world = replicate();
  answer(world, { kind: 'peer', answer: { state: 'building' } });
  world.now += world.settings.buildTimeoutMs;
  world.tick();
  expect(world.builds.size).toBe(1);
});

test('a commit whose image is here already is not built again', () => {
  const world = new World();
  const first = world.pushUpTo('Approval');
  world.push({ commit: first.commit.id });
  world.tick();
  world.answerCommits();
  expect(world.execution(2)).toMatchObject({ stage: 'Staging', release: first.release });
  expect(world.builds.size).toBe(1);
  expect(world.execution(2).stages[1]?.summary).toContain('this region has the image of');
});

test('a stop ends the waiting for another region at once', () => {
  const world = replicate();
  world.stop(1);
  world.tick();
  expect(world.execution(1)).toMatchObject({ status: 'Stopped', cause: 'stopped by ada in Build' });
});

function replicate(): World {
  const world = new World();
  world.push({ commit: 'abc', replicatedFrom: 'us-west-2' });
  world.tick();
  world.answerCommits();
  return world;
}

function question(world: World): Action | undefined {
  return [...world.questions.values()][0];
}

function answer(world: World, outcome: Outcome): void {
  world.answer([...world.questions.keys()][0]!, outcome);
  world.tick();
}
