import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { freePort } from '../../platform/network.ts';
import { processIdentity } from '../../platform/process.ts';
import type { ServiceContext } from '../context.ts';
import { testContext } from '../testing/context.ts';
import { AdminClient } from './admin-client.ts';
import { createBalancer } from './balancer.ts';
import type { Balancer } from './contract.ts';
import { pidOf, processFolder, readLivingRecord } from './process-files.ts';
import { startBackEnd, type BackEnd } from './testing/back-end.ts';
import { request } from './testing/client.ts';
import { configOf, targetGroup } from './testing/proxy.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).toReversed()) await close();
});

describe('the balancer process', () => {
  it('serves what was applied, and tells the targets’ state', async () => {
    const { balancer, port, backEnd } = await running();
    expect(await request(port)).toMatchObject({ status: 200, body: 'a' });
    expect(balancer.state()).toEqual({
      targetGroups: [{ name: 'blue', targets: [{ id: 'a', health: { state: 'healthy' }, outstanding: 0 }] }],
    });
    await changed(
      balancer,
      () => (balancer.counters()?.targetGroups[0]?.targetResponses['2xx'] ?? 0) > 0,
      20,
    );
    expect(balancer.counters()).toMatchObject({
      listeners: [{ name: 'production', requests: 1 }],
      targetGroups: [{ name: 'blue', requests: 1, targetResponses: { '2xx': 1 } }],
    });
    expect(backEnd.requests).toHaveLength(1);
  });

  it('goes on when the one who started it is gone, and is adopted by the next', async () => {
    const { balancer, context, port } = await running();
    const before = await readLivingRecord(context.folder);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanUp.push(async () => agent.destroy());
    await request(port, { agent });
    await balancer.stop();
    expect(balancer.state()).toBeUndefined();
    expect(await request(port, { agent })).toMatchObject({ status: 200 });
    const next = keeper(context);
    await next.start();
    expect(await readLivingRecord(context.folder)).toEqual(before);
    expect(next.state()).toMatchObject({
      targetGroups: [{ targets: [{ id: 'a', health: { state: 'healthy' } }] }],
    });
    const other = await startBackEnd('other');
    cleanUp.push(other.close);
    await next.apply(configOf(port, [targetGroup([other])]));
    expect(await request(port, { agent })).toMatchObject({ status: 200, body: 'other' });
  });

  it('is started again when it is killed, with what was applied last', async () => {
    const { balancer, context, port } = await running();
    const before = await readLivingRecord(context.folder);
    process.kill(Number(before!.identity.split(':')[0]), 'SIGKILL');
    await changed(balancer, () => balancer.state() === undefined);
    await changed(balancer, () => isHealthy(balancer));
    expect((await readLivingRecord(context.folder))!.identity).not.toBe(before!.identity);
    expect(await request(port)).toMatchObject({ status: 200, body: 'a' });
    const types = [];
    for await (const event of context.events.read({})) types.push(event.type);
    expect(types).toEqual(['BalancerDied', 'BalancerRestarted']);
  });

  it('is started again by a new start when it was killed meanwhile', async () => {
    const { balancer, context, port } = await running();
    const { identity } = (await readLivingRecord(context.folder))!;
    await balancer.stop();
    process.kill(Number(identity.split(':')[0]), 'SIGKILL');
    await gone(identity);
    await expect(request(port)).rejects.toThrow();
    const next = keeper(context);
    await next.start();
    await changed(next, () => isHealthy(next));
    expect(await request(port)).toMatchObject({ status: 200 });
  });

  it('is told what it missed: a configuration given while it was down is in force once it is up', async () => {
    const { balancer, context, port } = await running();
    const other = await startBackEnd('other');
    cleanUp.push(other.close);
    const { identity } = (await readLivingRecord(context.folder))!;
    process.kill(Number(identity.split(':')[0]), 'SIGKILL');
    await balancer.apply(configOf(port, [targetGroup([other])]));
    expect(balancer.state()!.targetGroups[0]!.targets[0]!.id).toBe('other');
    await changed(balancer, () => isHealthy(balancer));
    expect(await request(port)).toMatchObject({ body: 'other' });
  });

  it('is never there twice for one folder', async () => {
    const { context } = await running();
    const record = await readLivingRecord(context.folder);
    const { spawnBalancerProcess } = await import('./spawn-process.ts');
    expect(await spawnBalancerProcess(context.folder)).toBe('locked');
    expect(await readLivingRecord(context.folder)).toEqual(record);
  });

  it('ends when it is shut down, and leaves nothing to take up again', async () => {
    const { balancer, context, port } = await running();
    const { identity } = (await readLivingRecord(context.folder))!;
    await balancer.shutDown(1_000);
    expect(processIdentity(Number(identity.split(':')[0]))).not.toBe(identity);
    await expect(request(port)).rejects.toThrow(/ECONNREFUSED/);
    await expect(balancer.apply(configOf(port, []))).rejects.toMatchObject({ code: 'BALANCER_STOPPED' });
    await balancer.start();
    expect(balancer.state()).toEqual({ targetGroups: [] });
  });

  it('lets a request in flight finish when it is shut down', async () => {
    const held = Promise.withResolvers<() => void>();
    const { balancer, port } = await running((_, response) => held.resolve(() => void response.end('late')));
    const answer = request(port);
    const release = await held.promise;
    const down = balancer.shutDown(20_000);
    release();
    expect(await answer).toMatchObject({ status: 200, body: 'late', headers: { connection: 'close' } });
    await down;
  });

  it('is shut down by one who never started it', async () => {
    const { balancer, context } = await running();
    const { identity } = (await readLivingRecord(context.folder))!;
    await balancer.stop();
    await createBalancer(context).shutDown(1_000);
    expect(processIdentity(Number(identity.split(':')[0]))).not.toBe(identity);
  });

  it('refuses a configuration that cannot be, and goes on', async () => {
    const { balancer, context, port } = await running();
    await expect(
      balancer.apply(configOf(port, [targetGroup([]), targetGroup([], { healthCheck: badPath() })])),
    ).rejects.toMatchObject({
      code: 'BALANCER_CONFIG_INVALID',
      data: { faults: ['target group blue is there twice', 'target group blue checks the path no slash'] },
    });
    const taken = await startBackEnd('taken');
    cleanUp.push(taken.close);
    await expect(balancer.apply(configOf(taken.port, []))).rejects.toMatchObject({
      code: 'LISTENER_UNAVAILABLE',
    });
    expect(await request(port)).toMatchObject({ status: 200 });
    expect(await readFile(join(context.folder, 'balancer.log'), 'utf8')).toContain('configuration in force');
  });

  it('takes orders in a folder whose path is too long for a socket', async () => {
    const { context, port } = await running(undefined, 'a-rather-long-name-of-a-folder/'.repeat(4));
    const { socketPath } = (await readLivingRecord(context.folder))!;
    expect(socketPath.startsWith(context.folder)).toBe(false);
    expect(await request(port)).toMatchObject({ status: 200 });
  });

  it('carries a WebSocket', async () => {
    const { port, backEnd } = await running();
    const server = new WebSocketServer({ server: backEnd.server });
    server.on('connection', socket => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`);
    await new Promise(resolve => socket.on('open', resolve));
    const message = Buffer.alloc(1_000_000, 'x');
    const echoed = new Promise<Buffer>(resolve => socket.on('message', data => resolve(data as Buffer)));
    socket.send(message);
    expect((await echoed).equals(message)).toBe(true);
    const closed = new Promise<number>(resolve => socket.on('close', resolve));
    socket.close(1_000);
    expect(await closed).toBe(1_000);
    server.close();
  });
});

describe('the log of requests', () => {
  it('goes to the region’s log store, from all processes, while the configuration says so', async () => {
    const { balancer, context, port, backEnd } = await running(undefined, '', 2);
    await request(port, { path: '/before' });
    await balancer.apply({ ...configOf(port, [targetGroup([backEnd])]), logsRequests: true });
    const paths = Array.from({ length: 40 }, (_, index) => `/${index}`);
    await Promise.all(paths.map(path => request(port, { path })));
    const logged = await loggedPaths(context, 40);
    expect(logged.toSorted()).toEqual(paths.toSorted());
  });

  it('has what came while there was no region process, and what came last', async () => {
    const { balancer, context, port, backEnd } = await running();
    await balancer.apply({ ...configOf(port, [targetGroup([backEnd])]), logsRequests: true });
    await request(port, { path: '/1' });
    await loggedPaths(context, 1);
    await balancer.stop();
    await request(port, { path: '/2' });
    const next = keeper(context);
    await next.start();
    await loggedPaths(context, 2);
    await request(port, { path: '/3' });
    await next.shutDown(1_000);
    expect(await loggedPaths(context, 3)).toEqual(['/1', '/2', '/3']);
  });

  it('goes on where what could not be stored at first can be', async () => {
    const { balancer, context, port, backEnd } = await running();
    const { logs } = context;
    const append = logs.appendRequests.bind(logs);
    logs.appendRequests = () => {
      logs.appendRequests = append;
      throw new Error('database or disk is full');
    };
    await balancer.apply({ ...configOf(port, [targetGroup([backEnd])]), logsRequests: true });
    await request(port, { path: '/1' });
    expect(await loggedPaths(context, 1)).toEqual(['/1']);
  });
});

describe('several balancer processes on one port', () => {
  it('share the connections, and say together what each counted', async () => {
    const { balancer, context, port } = await running(undefined, '', 2);
    const [one, two] = await Promise.all(
      [0, 1].map(index => readLivingRecord(processFolder(context.folder, index))),
    );
    expect(one!.identity).not.toBe(two!.identity);
    // Each of 64 connections goes to either with the same chance: that all go to one is not to be met with.
    await Promise.all(Array.from({ length: 64 }, () => request(port)));
    await changed(balancer, () => balancer.counters()?.listeners[0]?.requests === 64, 20);
    for (const record of [one!, two!]) {
      const { counters } = await new AdminClient(record.socketPath).state();
      expect(counters.listeners[0]!.requests).toBeGreaterThan(0);
      expect(counters.listeners[0]!.requests).toBeLessThan(64);
    }
    expect(balancer.state()!.targetGroups).toMatchObject([{ name: 'blue', targets: [{ id: 'a' }] }]);
  });

  it('go on, one without the other, and are complete again by themselves', async () => {
    const { balancer, context, port } = await running(undefined, '', 2);
    const second = processFolder(context.folder, 1);
    const { identity } = (await readLivingRecord(second))!;
    process.kill(Number(identity.split(':')[0]), 'SIGKILL');
    await gone(identity);
    // The system closes a killed process's sockets a moment after it: those few connections break.
    while (!(await isServing(port))) await new Promise(resolve => setImmediate(resolve));
    const restarted = async () => (await readLivingRecord(second)) !== undefined;
    while (!(await restarted())) await new Promise<void>(resolve => balancer.onChange(resolve));
  });

  it('keep their number until they are shut down, and all end then', async () => {
    const { balancer, context, port } = await running(undefined, '', 2);
    await balancer.stop();
    const next = keeper({ ...context, config: { ...context.config, local: { balancerProcesses: 1 } } });
    await next.start();
    await next.apply(configOf(port, []));
    const records = await Promise.all(
      [0, 1].map(index => readLivingRecord(processFolder(context.folder, index))),
    );
    await next.shutDown(0);
    for (const record of records) expect(processIdentity(pidOf(record!))).not.toBe(record!.identity);
    await next.start();
    expect(await readLivingRecord(processFolder(context.folder, 1))).toBeUndefined();
  });
});

async function running(handler?: Parameters<typeof startBackEnd>[1], under = '', processes = 1) {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-'));
  const context = testContext(join(folder, under), {
    config: { local: { balancerProcesses: processes } },
  });
  const backEnd: BackEnd = await startBackEnd('a', handler);
  const port = await freePort('127.0.0.1');
  cleanUp.push(
    () => rm(folder, { recursive: true, force: true }),
    async () => context.database.close(),
    backEnd.close,
    () => createBalancer(context).shutDown(0),
  );
  const balancer = keeper(context);
  await balancer.start();
  await balancer.apply(configOf(port, [targetGroup([backEnd])]));
  await changed(balancer, () => isHealthy(balancer));
  return { balancer, context, port, backEnd };
}

function keeper(context: ServiceContext): Balancer {
  const balancer = createBalancer(context);
  cleanUp.push(() => balancer.stop());
  return balancer;
}

/** The paths of the first so many requests in the log, once there are so many. */
async function loggedPaths({ logs }: ServiceContext, count: number): Promise<string[]> {
  const leaving = new AbortController();
  const paths: string[] = [];
  for await (const { message } of logs.read({ group: 'balancer', follow: true }, leaving.signal)) {
    paths.push(/ http:\/\/[^/]+(\S+) /.exec(message)![1]!);
    if (paths.length === count) leaving.abort();
  }
  return paths;
}

function isHealthy(balancer: Balancer): boolean {
  const targets = balancer.state()?.targetGroups.flatMap(group => group.targets) ?? [];
  return targets.length > 0 && targets.every(({ health }) => health.state === 'healthy');
}

/** Whether the answers on sixteen new connections are all there. */
async function isServing(port: number): Promise<boolean> {
  const answers = await Promise.allSettled(Array.from({ length: 16 }, () => request(port)));
  return answers.every(answer => answer.status === 'fulfilled' && answer.value.status === 200);
}

/** Resolves when the condition holds; counters have no event, so those are looked at every `everyMs`. */
async function changed(balancer: Balancer, condition: () => boolean, everyMs?: number): Promise<void> {
  while (!condition()) {
    await new Promise<void>(resolve => {
      if (everyMs !== undefined) setTimeout(resolve, everyMs);
      balancer.onChange(resolve);
    });
  }
}

async function gone(identity: string): Promise<void> {
  while (processIdentity(Number(identity.split(':')[0])) === identity)
    await new Promise(resolve => setTimeout(resolve, 2));
}

function badPath() {
  return { ...targetGroup([]).healthCheck, path: 'no slash' };
}
