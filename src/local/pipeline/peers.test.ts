import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DAY_MS } from '../../core/duration.ts';
import type { Execution } from '../../model/execution.ts';
import { systemClock, type Clock } from '../../platform/clock.ts';
import type { ServiceContext } from '../context.ts';
import { testContext } from '../testing/context.ts';
import type { Pipeline } from './contract.ts';
import { createPipeline } from './pipeline.ts';
import { testNeighbours, type TestNeighbours } from './test-doubles.ts';

interface Region {
  name: string;
  context: ServiceContext;
  neighbours: TestNeighbours;
  pipeline: Pipeline;
  server: Server;
}

/**
 * Five seconds of the regions pass in one: the pauses between questions are no part of what is tested. What they
 * would wait longest for never comes, so that a question which is held ends by an event or not at all.
 */
const PACE = 5;
const fastClock: Clock = {
  now: () => systemClock.now() * PACE,
  monotonicMs: () => systemClock.monotonicMs() * PACE,
  after: (delayMs, callback, options) =>
    delayMs >= 20_000 ? { cancel: () => undefined } : systemClock.after(delayMs / PACE, callback, options),
  every: (periodMs, callback, options) => systemClock.every(periodMs / PACE, callback, options),
};

const COMMIT = 'abcd'.repeat(10);
const timing = { approvalExpiresAfterMs: 7 * DAY_MS, buildTimeoutMs: 60_000 };
let folder: string;
let east: Region;
let west: Region;
let questions: number;
let changed = Promise.withResolvers<void>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-pipeline-'));
  questions = 0;
  const servers = [await listening(), await listening()] as const;
  const endpoints = servers.map(server => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const registries = new Map(endpoints.map(endpoint => [endpoint, new Set<string>()]));
  const [inEast, inWest] = ['us-east-1', 'us-west-2'].map((name, index) => {
    const neighbours = testNeighbours(registries);
    registries.set(endpoints[index]!, neighbours.images);
    const peers = [{ region: ['us-west-2', 'us-east-1'][index]!, endpoint: endpoints[1 - index]! }];
    const context = testContext(folder, {
      region: name,
      peers,
      endpoint: endpoints[index]!,
      clock: fastClock,
    });
    const pipeline = createPipeline(context, { ...neighbours, timing });
    const server = servers[index]!;
    pipeline.onChange(notify);
    server.on('request', (request, response) => {
      questions += 1;
      notify();
      if (!pipeline.handle(request, response)) response.writeHead(404).end();
    });
    return { name, context, neighbours, pipeline, server };
  });
  [east, west] = [inEast!, inWest!];
  await Promise.all([east.pipeline.start(), west.pipeline.start()]);
});

afterEach(async () => {
  for (const region of [east, west]) {
    await region.pipeline.stop();
    region.server.closeAllConnections();
    region.server.close();
    region.context.database.close();
  }
  await rm(folder, { recursive: true });
});

test('the other region waits for the build and takes its very image', async () => {
  east.neighbours.next.build = 'hold';
  east.neighbours.push(COMMIT);
  replicate(east, west);
  await heldQuestion();
  await until(east, execution => execution.stages[1]?.buildId !== undefined);
  east.neighbours.endBuild([...east.neighbours.builds.keys()][0]!, 'SUCCEEDED');
  const [there, here] = await Promise.all([waiting(east), waiting(west)]);
  expect(here.release).toEqual(there.release);
  expect(here.release?.builtIn).toBe('us-east-1');
  expect(here.stages[1]?.summary).toMatch(/^image built in us-east-1, copied from us-east-1 \(sha256:/);
  expect(west.neighbours.builds.size).toBe(0);
  expect(west.neighbours.pulls).toEqual([`${here.release?.digest} ${COMMIT}`]);
});

test('a question that is held is not asked again, whatever else happens here', async () => {
  east.neighbours.next.build = 'hold';
  east.neighbours.push(COMMIT);
  replicate(east, west);
  await heldQuestion();
  west.neighbours.push('5ec0'.repeat(10));
  await until(west, execution => execution.number === 2 && execution.status === 'Queued');
  east.neighbours.endBuild([...east.neighbours.builds.keys()][0]!, 'SUCCEEDED');
  await waiting(west);
  expect(questions).toBe(2);
});

test('a build that failed in the origin fails there and here with one cause; a retry builds here', async () => {
  east.neighbours.next.build = 'FAILED';
  east.neighbours.push(COMMIT);
  replicate(east, west);
  const failed = await until(west, execution => execution.status === 'Failed');
  expect(failed.cause).toContain('the build of this commit failed in us-east-1: build 1 FAILED');
  west.pipeline.retry(failed.id, 'ada');
  expect((await waiting(west)).release?.builtIn).toBe('us-west-2');
});

test('while the origin is down the other region builds by itself, and says so', async () => {
  east.server.closeAllConnections();
  await new Promise(resolve => east.server.close(resolve));
  replicate(east, west);
  const { release, stages } = await waiting(west);
  expect(release?.builtIn).toBe('us-west-2');
  expect(stages[1]?.summary).toMatch(/built here: us-east-1 did not answer \(.*ECONNREFUSED/);
});

test('an origin that goes down while it builds is not waited for', async () => {
  east.neighbours.next.build = 'hold';
  east.neighbours.push(COMMIT);
  replicate(east, west);
  await heldQuestion();
  await east.pipeline.stop();
  east.server.closeAllConnections();
  await new Promise(resolve => east.server.close(resolve));
  expect((await waiting(west)).release?.builtIn).toBe('us-west-2');
});

test('an image that can not be copied is built here', async () => {
  west.neighbours.next.pull = 'fails';
  east.neighbours.push(COMMIT);
  await waiting(east);
  replicate(east, west);
  const { stages } = await waiting(west);
  expect(stages[1]?.summary).toContain('the image could not be copied from us-east-1');
});

test('the same commit pushed to both regions is built in both, and neither waits for the other', async () => {
  east.neighbours.push(COMMIT);
  west.neighbours.push(COMMIT);
  const [there, here] = await Promise.all([waiting(east), waiting(west)]);
  expect([there.release?.builtIn, here.release?.builtIn]).toEqual(['us-east-1', 'us-west-2']);
});

test('two regions that each got the commit from the other do not wait for ever', async () => {
  replicate(east, west);
  replicate(west, east);
  await Promise.all([waiting(east), waiting(west)]);
});

test('only a region of this cloud is answered, and only what is asked in form', async () => {
  const ask = async (path: string, token = east.context.internalToken, method = 'GET') => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${east.context.endpoint}${path}`, { method, headers })).status;
  };
  const path = `/internal/pipeline/releases/${COMMIT}`;
  expect(await ask(path)).toBe(200);
  expect(await ask(path, 'guessed')).toBe(401);
  expect(await ask('/internal/pipeline/releases/../../etc')).toBe(404);
  expect(await ask('/internal/pipeline/releases/abc')).toBe(404);
  expect(await ask(path, undefined, 'POST')).toBe(405);
  expect(await ask('/api')).toBe(404);
});

test('an answer that makes no sense counts as none', async () => {
  east.server.removeAllListeners('request');
  const release = { commit: 'f'.repeat(40), digest: `sha256:${'0'.repeat(64)}`, builtIn: 'x', builtAt: 1 };
  const answers = ['{', '[]', JSON.stringify({ state: 'built', release }), 'x'.repeat(100_000)];
  east.server.on('request', (_request, response) => response.end(answers.shift() ?? '{"state":"maybe"}'));
  replicate(east, west);
  const { release: built, stages } = await waiting(west);
  expect(built?.builtIn).toBe('us-west-2');
  expect(stages[1]?.summary).toContain('us-east-1 did not answer (its answer is not understood)');
});

function replicate(from: Region, to: Region): void {
  to.neighbours.push(COMMIT, { replicatedFrom: from.name, by: from.name });
}

/** The first question is answered at once, with `building`; the second is held. */
async function heldQuestion(): Promise<void> {
  await until(west, execution => {
    const saysSo = execution.waiting?.for.includes('which it is building') === true;
    return saysSo && questions === 2;
  });
}

function waiting(region: Region): Promise<Execution> {
  return until(region, execution => execution.status === 'Waiting');
}

async function until(region: Region, condition: (newest: Execution) => boolean): Promise<Execution> {
  let isLate = false;
  const limit = systemClock.after(15_000, () => {
    isLate = true;
    notify();
  });
  try {
    for (;;) {
      const next = changed.promise;
      const [newest] = region.pipeline.executions(1);
      if (newest && condition(newest)) return newest;
      if (isLate) throw new Error(`${region.name} still ${JSON.stringify(newest)}`);
      await next;
    }
  } finally {
    limit.cancel();
  }
}

function notify(): void {
  changed.resolve();
  changed = Promise.withResolvers<void>();
}

async function listening(): Promise<Server> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return server;
}
