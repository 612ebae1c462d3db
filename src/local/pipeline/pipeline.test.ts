import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DAY_MS } from '../../core/duration.ts';
import type { ConfigInput } from '../../model/config/schema.ts';
import { ENDED_EXECUTION_STATUSES, type Execution, type ExecutionStatus } from '../../model/execution.ts';
import type { RegionEvent } from '../../model/event.ts';
import { systemClock } from '../../platform/clock.ts';
import type { ServiceContext } from '../context.ts';
import { testContext } from '../testing/context.ts';
import type { Pipeline } from './contract.ts';
import { createPipeline } from './pipeline.ts';
import { digestOf, testNeighbours, type TestNeighbours } from './test-doubles.ts';

let folder: string;
let context: ServiceContext;
let neighbours: TestNeighbours;
let pipeline: Pipeline;
let heard: () => void = () => undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-pipeline-'));
});

afterEach(async () => {
  await pipeline.stop();
  context.database.close();
  await rm(folder, { recursive: true });
});

test('a push is delivered, and its pusher reads where to watch', async () => {
  await begin();
  const lines = neighbours.push(commit('a'));
  const [execution] = pipeline.executions(1);
  expect(lines).toEqual([
    `Tandem: execution 1 (${execution!.id.slice(0, 8)}) started in us-east-1`,
    'Watch it: tandem executions --follow',
    '      or: http://127.0.0.1:1/',
  ]);
  await until('Waiting');
  pipeline.approve({ executionId: execution!.id.slice(0, 6), by: 'grace', comment: 'ship it' });
  const done = await until('Succeeded');
  expect(done).toMatchObject({ commit: { subject: 'Change aaaa' }, approval: { by: 'grace' } });
  expect(done.stages.map(stage => stage.summary)).toEqual([
    'aaaaaaa "Change aaaa" by Ada on refs/heads/main',
    expect.stringMatching(/^build 1, sha256:\w{12}, in 10 ms$/),
    '2 tasks healthy on aaaaaaa in 10 ms',
    'approved by grace: ship it',
    '2 tasks healthy on aaaaaaa in 10 ms',
  ]);
  expect((await events()).map(event => event.type).join(' ')).toBe(
    'ExecutionStarted StageStarted StageSucceeded StageStarted StageSucceeded StageStarted StageSucceeded ' +
      'StageStarted ApprovalNeeded ApprovalGiven StageSucceeded StageStarted StageSucceeded ExecutionSucceeded',
  );
  expect(pipeline.releases()).toMatchObject([
    { commit: commit('a'), runningIn: ['staging', 'production'], imageAvailable: true },
  ]);
});

test('other branches, tags and deletions start nothing and say so', async () => {
  await begin();
  expect(neighbours.push(commit('a'), { ref: 'refs/heads/feature/x' })).toEqual([
    "Tandem: branch 'feature/x' stored; only 'main' is delivered",
  ]);
  expect(neighbours.push(commit('a'), { ref: 'refs/tags/v1' })).toEqual([
    "Tandem: tag 'v1' stored; only 'main' is delivered",
  ]);
  expect(pipeline.handleRefChange({ sequence: 99, ref: 'refs/heads/main', by: 'ada' })).toBeUndefined();
  expect(pipeline.executions(10)).toEqual([]);
});

test('the same ref change told again starts nothing new', async () => {
  await begin();
  const change = { sequence: 7, ref: 'refs/heads/main', after: commit('a'), by: 'ada' };
  const first = pipeline.handleRefChange(change);
  await until('Waiting');
  expect(pipeline.handleRefChange(change)?.id).toBe(first?.id);
  expect(pipeline.executions(10)).toHaveLength(1);
});

test('an execution is on disk before the push is acknowledged', async () => {
  await begin();
  await pipeline.stop();
  pipeline.handleRefChange({ sequence: 1, ref: 'refs/heads/main', after: commit('a'), by: 'ada' });
  const other = testContext(folder);
  const reader = createPipeline(other, { ...neighbours, timing });
  expect(reader.executions(1)).toMatchObject([{ number: 1, status: 'Queued', stage: 'Source' }]);
  other.database.close();
});

test('a commit that the repository lacks fails Source', async () => {
  await begin();
  neighbours.push('dead'.repeat(10));
  expect((await until('Failed')).cause).toBe(`commit ${'dead'.repeat(10)} is not here`);
});

test('a failed build can be retried, and a deployment that went back as well', async () => {
  await begin();
  neighbours.next.build = 'FAILED';
  neighbours.push(commit('a'));
  const failed = await until('Failed');
  expect(failed).toMatchObject({ stage: 'Build', cause: 'build 1 FAILED' });
  neighbours.next.build = 'SUCCEEDED';
  neighbours.next.deployment = 'ROLLBACK_SUCCESSFUL';
  pipeline.retry(failed.id, 'ada');
  const back = await until('RolledBack');
  expect(back).toMatchObject({ stage: 'Staging' });
  expect(back.stages[1]?.attempt).toBe(2);
  neighbours.next.deployment = 'SUCCESSFUL';
  pipeline.retry(failed.id, 'ada');
  const waiting = await until('Waiting');
  expect(waiting.release).toEqual(back.release);
  expect(neighbours.builds.size).toBe(2);
});

test('a retry is refused once a newer execution came to the stage, or the image is gone', async () => {
  await begin();
  neighbours.next.deployment = 'ROLLBACK_SUCCESSFUL';
  neighbours.push(commit('a'));
  const first = await until('RolledBack');
  neighbours.images.clear();
  expect(() => pipeline.retry(first.id, 'ada')).toThrow(/the image of aaaaaaa .* has been removed/);
  neighbours.push(commit('b'));
  await until('RolledBack');
  expect(() => pipeline.retry(first.id, 'ada')).toThrow(/execution 2, which is newer, has come to Staging/);
});

test('an approval asked for twice at once counts once', async () => {
  await begin();
  neighbours.next.deployment = 'SUCCESSFUL';
  neighbours.push(commit('a'));
  const { id } = await until('Waiting');
  const request = { executionId: id, by: 'grace', comment: '' };
  pipeline.approve(request);
  expect(() => pipeline.approve(request)).toThrow(expect.objectContaining({ code: 'APPROVAL_NOT_WAITING' }));
  await until('Succeeded');
  expect((await events()).filter(event => event.type === 'ApprovalGiven')).toHaveLength(1);
});

test('an approval that nobody gives expires by itself', async () => {
  await begin({}, { approvalExpiresAfterMs: 30 });
  neighbours.push(commit('a'));
  expect((await until('Failed')).cause).toContain('the approval expired');
  expect((await events()).map(event => event.type)).toContain('ApprovalExpired');
});

test('abandon ends the build, stop waits for it', async () => {
  await begin();
  neighbours.next.build = 'hold';
  neighbours.push(commit('a'));
  const building = await when(execution => execution.stages[1]?.buildId !== undefined);
  expect(building.waiting?.for).toBe('build 1, in phase SUBMITTED');
  expect(pipeline.stopExecution(building.id, { abandon: false, by: 'ada' }).status).toBe('Stopping');
  pipeline.stopExecution(building.id, { abandon: true, by: 'grace' });
  expect((await until('Stopped')).cause).toBe('abandoned by grace in Build; build 1 was ended');
  expect([...neighbours.builds.values()].map(build => build.status)).toEqual(['STOPPED']);
});

test('rollback goes back one good release at a time, and never to one that was rolled back from', async () => {
  await begin({ pipeline: { approval: { required: false } } });
  for (const name of ['a', 'b', 'c']) await deliver(name);
  await rollback();
  expect(running()).toBe(commit('b'));
  await rollback();
  expect(running()).toBe(commit('a'));
  expect(() => pipeline.rollback({ by: 'ada' })).toThrow(/aaaaaaa "Change aaaa" is the first good release/);
  await deliver('d');
  await rollback();
  expect(running()).toBe(commit('a'));
  await rollback('ccccc');
  expect(running()).toBe(commit('c'));
  await rollback(pipeline.releases().at(-1)!.digest.slice(7, 20));
  expect(running()).toBe(commit('a'));
  expect(() => pipeline.rollback({ by: 'ada', to: 'aaaa' })).toThrow(/Production runs aaaaaaa .* already/);
  expect(() => pipeline.rollback({ by: 'ada', to: 'ffff' })).toThrow(
    expect.objectContaining({ code: 'RELEASE_UNKNOWN' }),
  );
  expect(pipeline.executions(1)).toMatchObject([{ trigger: { kind: 'rollback', by: 'ada' } }]);
});

test('rollback during a bad deployment ends it and goes to the release that is good', async () => {
  await begin({ pipeline: { approval: { required: false } } });
  expect(() => pipeline.rollback({ by: 'ada' })).toThrow(/no release has been deployed there with success/);
  await deliver('a');
  neighbours.push(commit('b'));
  await when(execution => execution.number === 2 && execution.stage === 'Staging');
  neighbours.next.deployment = 'hold';
  await when(({ number, stages }) => number === 2 && stages[4]?.deploymentId !== undefined);
  neighbours.next.deployment = 'SUCCESSFUL';
  pipeline.rollback({ by: 'ada' });
  expect(() => pipeline.rollback({ by: 'grace' })).toThrow(
    /Execution 3, asked for by ada, is rolling production/,
  );
  await when(execution => execution.number === 3 && execution.status === 'Succeeded');
  expect(pipeline.executions(2)[1]).toMatchObject({ number: 2, status: 'Superseded' });
  expect(running()).toBe(commit('a'));
});

test('a rollback to a release whose image is gone is refused, naming the way out', async () => {
  await begin({ pipeline: { approval: { required: false } } });
  for (const name of ['a', 'b']) await deliver(name);
  neighbours.images.delete(pipeline.releases().at(-1)!.digest);
  expect(() => pipeline.rollback({ by: 'ada' })).toThrow(/The image of aaaaaaa .* has been removed/);
});

test('old images are removed after a delivery, never one that a rollback would need', async () => {
  await begin({ pipeline: { approval: { required: false } } });
  for (const name of ['a', 'b']) await deliver(name);
  const [newest, before] = pipeline.releases().map(release => release.digest);
  expect(neighbours.lifecycles.at(-1)).toEqual(new Set([newest, before]));
});

test('no image is removed while another one is being made', async () => {
  await begin({ pipeline: { approval: { required: false } } });
  neighbours.next.deployment = 'hold';
  neighbours.push(commit('a'));
  await when(execution => execution.stages[2]?.deploymentId !== undefined);
  const before = neighbours.lifecycles.length;
  neighbours.next.build = 'hold';
  neighbours.push(commit('b'));
  await when(({ number, stages }) => number === 2 && stages[1]?.buildId !== undefined);
  neighbours.next.deployment = 'SUCCESSFUL';
  neighbours.endDeployment('deployment-1', 'SUCCESSFUL');
  await when(() => pipeline.executions(2)[1]?.status === 'Succeeded');
  expect(neighbours.lifecycles).toHaveLength(before);
  neighbours.endBuild([...neighbours.builds.keys()][1]!, 'SUCCEEDED');
  await until('Succeeded');
  expect(neighbours.lifecycles.length).toBeGreaterThan(before);
});

test('a rollback since does not keep a failed build from being retried', async () => {
  await begin({ pipeline: { approval: { required: false } } });
  for (const name of ['a', 'b']) await deliver(name);
  neighbours.next.build = 'FAILED';
  await deliver('c');
  const failed = pipeline.executions(1)[0]!;
  await rollback();
  neighbours.next.build = 'SUCCEEDED';
  expect(pipeline.retry(failed.id, 'ada')).toMatchObject({ status: 'Queued', stage: 'Build' });
  await when(() => pipeline.execution(failed.id).status === 'Succeeded');
});

test('a deployment that can not start fails the stage with the reason', async () => {
  await begin();
  neighbours.next.build = 'hold';
  neighbours.push(commit('a'));
  await when(execution => execution.stages[1]?.buildId !== undefined);
  const [id] = neighbours.builds.keys();
  neighbours.endBuild(id!, 'SUCCEEDED');
  neighbours.images.clear();
  expect((await until('Failed')).cause).toBe(
    `the deployment to staging could not start: image ${digestOf(id!)} is not here`,
  );
});

test('executions are found by prefix, and an unknown or ambiguous one is refused', async () => {
  await begin();
  neighbours.push(commit('a'));
  const { id } = await until('Waiting');
  expect(pipeline.execution(id.slice(0, 4).toUpperCase()).id).toBe(id);
  expect(() => pipeline.execution(id.slice(0, 3))).toThrow(
    expect.objectContaining({ code: 'EXECUTION_UNKNOWN' }),
  );
  expect(() => pipeline.execution('%%%%')).toThrow(/No execution has an id that begins with '%%%%'/);
  const copy = { ...pipeline.execution(id), id: `${id.slice(0, 8)}-copy`, number: 2 };
  context.database
    .prepare('INSERT INTO pipeline_executions VALUES (2, ?, NULL, ?, 0, 1, 0, ?)')
    .run(copy.id, copy.commit.id, JSON.stringify({ execution: copy }));
  expect(() => pipeline.execution(id.slice(0, 8))).toThrow(
    expect.objectContaining({ code: 'EXECUTION_AMBIGUOUS' }),
  );
  expect(pipeline.execution(id).id).toBe(id);
});

test('a long history is not loaded: newest, by prefix and under way go by index', async () => {
  await begin();
  const plans = [
    'SELECT record FROM pipeline_executions ORDER BY number DESC LIMIT 20',
    "SELECT record FROM pipeline_executions WHERE id >= 'a' AND id < 'b' ORDER BY id LIMIT 2",
    'SELECT record FROM pipeline_executions WHERE has_ended = 0 ORDER BY number',
    "SELECT record FROM pipeline_executions WHERE commit_id = 'a' AND has_ended = 1 ORDER BY number DESC LIMIT 1",
    'SELECT record FROM pipeline_executions WHERE furthest = 4 ORDER BY number DESC LIMIT 1',
  ].map(query => context.database.prepare(`EXPLAIN QUERY PLAN ${query}`).all());
  for (const plan of plans) {
    expect(plan).toHaveLength(1);
    expect(String(plan[0]?.['detail'])).toMatch(/USING INDEX|^SCAN pipeline_executions$/);
  }
});

test('stop and start again go on where it was', async () => {
  await begin();
  neighbours.next.build = 'hold';
  neighbours.push(commit('a'));
  await when(execution => execution.stages[1]?.buildId !== undefined);
  await pipeline.stop();
  neighbours.endBuild([...neighbours.builds.keys()][0]!, 'SUCCEEDED');
  await pipeline.start();
  await until('Waiting');
  expect(neighbours.builds.size).toBe(1);
});

test('an event that could not be told is told later, and nothing waits for it', async () => {
  await begin();
  const append = context.events.append.bind(context.events);
  let failures = 0;
  context.events.append = event => {
    if (event.source === 'pipeline' && failures < 3) {
      failures += 1;
      throw new Error('disk full');
    }
    return append(event);
  };
  neighbours.push(commit('a'));
  await until('Waiting');
  const types = async () => (await events()).map(event => event.type);
  while (!(await types()).includes('ApprovalNeeded')) await new Promise(resolve => setImmediate(resolve));
  expect((await types()).filter(type => type === 'ExecutionStarted')).toHaveLength(1);
});

const timing = { approvalExpiresAfterMs: 7 * DAY_MS, buildTimeoutMs: 60_000 };

async function begin(config: Partial<ConfigInput> = {}, times: Partial<typeof timing> = {}): Promise<void> {
  context = testContext(folder, { config });
  neighbours = testNeighbours();
  pipeline = createPipeline(context, { ...neighbours, timing: { ...timing, ...times } });
  pipeline.onChange(() => heard());
  await pipeline.start();
}

/** Resolves when the newest execution is in that state. */
function until(status: ExecutionStatus): Promise<Execution> {
  return when(execution => execution.status === status);
}

function when(condition: (newest: Execution) => boolean): Promise<Execution> {
  return new Promise((resolve, reject) => {
    const limit = systemClock.after(10_000, () => {
      reject(new Error(`still ${JSON.stringify(pipeline.executions(1)[0])}`));
    });
    heard = () => {
      const [newest] = pipeline.executions(1);
      if (!newest || !condition(newest)) return;
      limit.cancel();
      heard = () => undefined;
      resolve(newest);
    };
    heard();
  });
}

async function deliver(name: string): Promise<void> {
  neighbours.push(commit(name));
  await when(
    execution => execution.commit.id === commit(name) && ENDED_EXECUTION_STATUSES.has(execution.status),
  );
}

async function rollback(to?: string): Promise<void> {
  const { id } = pipeline.rollback({ by: 'ada', ...(to === undefined ? {} : { to }) });
  await when(execution => execution.id === id && execution.status === 'Succeeded');
}

function running(): string | undefined {
  return neighbours.compute.service('production').release?.commit;
}

async function events(): Promise<RegionEvent[]> {
  const all: RegionEvent[] = [];
  for await (const event of context.events.read({ limit: 1_000 })) all.push(event);
  return all;
}

function commit(name: string): string {
  return name.repeat(40).slice(0, 40);
}
