import { expect, test } from 'vitest';
import type { Release } from '../../model/release.ts';
import { World } from './test-world.ts';

test('a push goes through the stages in order, and production gets the digest that staging proved', () => {
  const world = new World();
  const { number } = world.pushUpTo('Production');
  world.succeed(number);
  const execution = world.execution(number);
  expect(execution).toMatchObject({ status: 'Succeeded', stage: 'Production' });
  expect(execution.stages.map(stage => stage.status)).toEqual(Array(5).fill('Succeeded'));
  expect([...world.deployments.values()].map(({ service, release }) => [service, release.digest])).toEqual([
    ['staging', execution.release?.digest],
    ['production', execution.release?.digest],
  ]);
  expect(world.eventTypes().filter(type => type.startsWith('Stage'))).toHaveLength(10);
  expect(world.eventTypes().at(-1)).toBe('ExecutionSucceeded');
});

test('a failed build stops the execution with its cause, and nothing after it runs', () => {
  const world = new World();
  const { number } = world.pushUpTo('Build');
  const [build] = world.builds.keys();
  world.endBuild(build!, 'FAILED', 'npm test: exit status 1\n3 tests failed');
  world.tick();
  expect(world.execution(number)).toMatchObject({
    status: 'Failed',
    stage: 'Build',
    cause: 'npm test: exit status 1 3 tests failed',
  });
  expect(world.deployments.size).toBe(0);
  expect(world.eventTypes().slice(-2)).toEqual(['StageFailed', 'ExecutionFailed']);
});

test('a build that made no image fails, saying what is missing', () => {
  const world = new World();
  const { number } = world.pushUpTo('Build');
  const [id] = world.builds.keys();
  world.endBuild(id!, 'SUCCEEDED');
  world.builds.set(id!, { ...world.builds.get(id!)!, images: [] });
  world.tick();
  expect(world.execution(number).cause).toContain('imagedefinitions.json');
});

test('a build interrupted by the end of the region runs once more, not twice', () => {
  const world = new World();
  const { number } = world.pushUpTo('Build');
  world.endBuild([...world.builds.keys()][0]!, 'FAULT', 'interrupted: the region ended during the build');
  world.tick();
  expect(world.builds.size).toBe(2);
  expect(world.execution(number).status).toBe('InProgress');
  world.endBuild([...world.builds.keys()][1]!, 'FAULT', 'interrupted: the region ended during the build');
  world.tick();
  expect(world.builds.size).toBe(2);
  expect(world.execution(number).status).toBe('Failed');
});

test('a deployment that went back is never a success', () => {
  const world = new World();
  const { number } = world.pushUpTo('Production');
  world.endDeployment(
    [...world.deployments.keys()].at(-1)!,
    'ROLLBACK_SUCCESSFUL',
    '3 tasks failed to start',
  );
  world.tick();
  expect(world.execution(number)).toMatchObject({ status: 'RolledBack', cause: '3 tasks failed to start' });
  expect(world.eventTypes().at(-1)).toBe('ExecutionRolledBack');
  expect(
    world.ledger.filter(entry => entry.kind === 'deployed' && entry.environment === 'production'),
  ).toEqual([]);
});

test('a rollback of the deployment that fails, too, is a failure', () => {
  const world = new World();
  const { number } = world.pushUpTo('Staging');
  world.endDeployment([...world.deployments.keys()][0]!, 'ROLLBACK_FAILED', 'no task became healthy');
  world.tick();
  expect(world.execution(number)).toMatchObject({ status: 'Failed', stage: 'Staging' });
});

test('without approval required the stage is skipped, saying why', () => {
  const world = new World({ approvalRequired: false });
  const { number } = world.pushUpTo('Production');
  expect(world.execution(number).stages[3]).toMatchObject({
    status: 'Skipped',
    summary: 'not asked for: pipeline.approval.required is false',
  });
});

test('an approval counts once, and expires at its last moment', () => {
  const world = new World({ approvalExpiresAfterMs: 1_000 });
  const first = world.pushUpTo('Approval').number;
  expect(world.lastDecision?.waiting?.until).toBe(world.now + 1_000);
  world.approve(first);
  expect(() => world.approve(first)).toThrow(/was approved by grace and is waiting before Production/);
  expect(() => world.reject(first)).toThrow(/does not wait for approval/);

  const second = world.pushUpTo('Approval').number;
  world.now += 1_000;
  expect(() => world.approve(second)).toThrow(/expired at/);
  world.tick();
  expect(world.execution(second)).toMatchObject({
    status: 'Failed',
    cause: 'the approval expired: nobody answered within 1.0 s',
    approval: { decision: 'Expired' },
  });
  world.retry(second);
  world.tick();
  expect(world.execution(second)).toMatchObject({ status: 'Waiting', stage: 'Approval' });
  expect(world.execution(second).approval).toBeUndefined();
});

test('a rejection fails the execution with the comment', () => {
  const world = new World();
  const { number } = world.pushUpTo('Approval');
  world.reject(number);
  world.tick();
  expect(world.execution(number)).toMatchObject({ status: 'Failed', cause: 'rejected by grace: looks good' });
});

test('SUPERSEDED: before a busy stage the newest waits, and the others are superseded', () => {
  const world = new World();
  const running = world.pushUpTo('Build').number;
  const [second, third] = [world.push().number, world.push().number];
  world.tick();
  world.answerCommits();
  world.answerCommits();
  expect(world.execution(running).status).toBe('InProgress');
  expect(world.execution(second)).toMatchObject({ status: 'Superseded', cause: 'superseded by execution 3' });
  expect(world.execution(third)).toMatchObject({ status: 'Queued', stage: 'Build' });
  expect(world.execution(third).waiting?.for).toBe('execution 1, ahead of it in Build');
});

test('SUPERSEDED: who waits for approval is superseded when a newer one gets there', () => {
  const world = new World();
  const first = world.pushUpTo('Approval').number;
  const second = world.pushUpTo('Staging').number;
  expect(world.execution(first).status).toBe('Waiting');
  world.succeed(second);
  expect(world.execution(first).status).toBe('Superseded');
  expect(world.execution(second)).toMatchObject({ status: 'Waiting', stage: 'Approval' });
  expect(() => world.approve(first)).toThrow(/has ended as Superseded/);
});

test('QUEUED: the next one waits until the approval before it is answered', () => {
  const world = new World({ mode: 'QUEUED' });
  const first = world.pushUpTo('Approval').number;
  const second = world.pushUpTo('Staging').number;
  world.succeed(second);
  expect(world.execution(first).status).toBe('Waiting');
  expect(world.execution(second)).toMatchObject({ status: 'Queued', stage: 'Approval' });
  world.approve(first);
  world.tick();
  expect(world.execution(second)).toMatchObject({ status: 'Waiting', stage: 'Approval' });
});

test('PARALLEL: nobody waits, and of two deployments to one service the newer wins', () => {
  const world = new World({ mode: 'PARALLEL' });
  const first = world.pushUpTo('Staging').number;
  const second = world.pushUpTo('Staging').number;
  world.tick();
  expect(world.execution(second).status).toBe('InProgress');
  expect(world.execution(first)).toMatchObject({ status: 'Superseded' });
  expect(world.execution(first).cause).toBe(
    "superseded by execution 2: its newer deployment to staging took the place of this one's",
  );
});

test('stop lets the running build finish and starts nothing after it; the release is kept for a retry', () => {
  const world = new World();
  const { number } = world.pushUpTo('Build');
  world.stop(number);
  world.tick();
  expect(world.execution(number)).toMatchObject({ status: 'Stopping', stage: 'Build' });
  world.succeed(number);
  expect(world.execution(number)).toMatchObject({ status: 'Stopped', cause: 'stopped by ada after Build' });
  const { release } = world.execution(number);
  world.retry(number);
  world.tick();
  expect(world.execution(number)).toMatchObject({ status: 'InProgress', stage: 'Staging', release });
  expect(world.builds.size).toBe(1);
});

test('abandon ends the deployment at once and says what is left', () => {
  const world = new World();
  const { number } = world.pushUpTo('Production');
  world.stop(number);
  world.stop(number, true);
  world.tick();
  expect([...world.deployments.values()].at(-1)?.status).toBe('STOPPED');
  expect(world.execution(number)).toMatchObject({ status: 'Stopped' });
  expect(world.execution(number).cause).toBe(
    'abandoned by ada in Production; its deployment was ended half-way and production keeps the tasks that run now',
  );
});

test('stopping what has ended is refused', () => {
  const world = new World();
  const { number } = world.pushUpTo('Approval');
  world.stop(number);
  world.tick();
  expect(world.execution(number)).toMatchObject({ status: 'Stopped', stage: 'Approval' });
  expect(() => world.stop(number)).toThrow(/has ended as Stopped/);
});

test('a retry of Build builds anew, and a retry of Production deploys the very same release', () => {
  const world = new World();
  const { number } = world.pushUpTo('Build');
  world.endBuild([...world.builds.keys()][0]!, 'FAILED', 'flaky');
  world.tick();
  world.retry(number);
  world.tick();
  expect([...world.builds.keys()]).toHaveLength(2);
  expect(world.execution(number).stages[1]?.attempt).toBe(2);
  world.succeed(number);
  world.succeed(number);
  world.approve(number);
  world.tick();
  const { release } = world.execution(number);
  world.endDeployment([...world.deployments.keys()].at(-1)!, 'ROLLBACK_SUCCESSFUL', 'unhealthy');
  world.tick();
  world.retry(number);
  world.tick();
  world.succeed(number);
  expect(world.execution(number)).toMatchObject({ status: 'Succeeded', release });
  expect(world.execution(number).cause).toBeUndefined();
  expect([...world.deployments.values()].map(deployment => deployment.release)).toEqual([
    release,
    release,
    release,
  ]);
});

test('a retry is refused with the reason', () => {
  const world = new World();
  const { number } = world.pushUpTo('Build');
  expect(() => world.retry(number)).toThrow(/it is in Build; wait for its end/);
  world.endBuild([...world.builds.keys()][0]!, 'FAILED', 'broken');
  world.tick();
  expect(() => world.retry(number, 7)).toThrow(/execution 7, which is newer, has come to Build since/);
});

test('a rollback takes production over: the deployment there ends, who waits for it is superseded', () => {
  const world = new World({ mode: 'QUEUED' });
  const good = world.pushUpTo('Production').number;
  world.succeed(good);
  const release = world.execution(good).release as Release;
  const bad = world.pushUpTo('Production').number;
  const behind = world.pushUpTo('Approval').number;
  world.approve(behind);
  world.tick();
  expect(world.execution(behind)).toMatchObject({ status: 'Queued', stage: 'Production' });
  const rollback = world.rollback(release).number;
  world.tick();
  expect(world.execution(bad)).toMatchObject({ status: 'Superseded' });
  expect(world.execution(bad).cause).toContain('superseded by execution 4 (a rollback asked for by grace)');
  expect(world.execution(behind).status).toBe('Superseded');
  expect(world.execution(rollback)).toMatchObject({ status: 'InProgress', stage: 'Production', release });
  world.succeed(rollback);
  expect(world.execution(rollback)).toMatchObject({ status: 'Succeeded' });
  expect(world.execution(rollback).stages.map(stage => stage.status)).toEqual([
    'Skipped',
    'Skipped',
    'Skipped',
    'Skipped',
    'Succeeded',
  ]);
});

test('a rollback does not wait for the deployment that somebody has asked to stop', () => {
  const world = new World();
  const good = world.pushUpTo('Production').number;
  world.succeed(good);
  const bad = world.pushUpTo('Production').number;
  world.stop(bad);
  world.tick();
  expect(world.execution(bad).status).toBe('Stopping');
  const rollback = world.rollback(world.execution(good).release as Release).number;
  world.tick();
  expect(world.execution(bad).status).toBe('Superseded');
  expect(world.execution(rollback).status).toBe('InProgress');
});

test('after a change of mode an older execution does not take the approval from a newer one', () => {
  const world = new World({ mode: 'PARALLEL' });
  const older = world.pushUpTo('Staging').number;
  const newer = world.pushUpTo('Build').number;
  world.settings.mode = 'SUPERSEDED';
  world.endDeployment([...world.deployments.keys()][0]!, 'ROLLBACK_SUCCESSFUL', 'unhealthy');
  world.tick();
  world.succeed(newer);
  world.succeed(newer);
  expect(world.execution(newer).status).toBe('Waiting');
  world.retry(older);
  world.tick();
  world.succeed(older);
  expect(world.execution(newer).status).toBe('Waiting');
  expect(world.execution(older)).toMatchObject({ status: 'Queued', stage: 'Approval' });
});

test('a commit that cannot be read fails Source after a few tries, an unknown one at once', () => {
  const world = new World();
  const { number } = world.push();
  world.tick();
  for (let failures = 0; failures < 5; failures += 1) {
    const [key] = world.questions.keys();
    world.answer(key!, { kind: 'failed', failure: 'git was killed' });
    world.tick();
    world.now += 2_000;
    world.tick();
  }
  expect(world.execution(number)).toMatchObject({ status: 'Failed', stage: 'Source' });
  const unknown = world.push().number;
  world.tick();
  world.answer([...world.questions.keys()][0]!, { kind: 'commit-unknown', message: 'commit2 is not here' });
  world.tick();
  expect(world.execution(unknown)).toMatchObject({ status: 'Failed', cause: 'commit2 is not here' });
});
