import { Agent } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { startBackEnd, startRawBackEnd, type BackEnd } from './testing/back-end.ts';
import { RawClient, request } from './testing/client.ts';
import { startProxy, targetGroup } from './testing/proxy.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).toReversed()) await close();
});

describe('requests among targets', () => {
  it('take turns', async () => {
    const [a, b, c] = await backEnds('a', 'b', 'c');
    const proxy = await proxyTo([targetGroup([a, b, c])]);
    for (let count = 0; count < 30; count += 1) await request(proxy.port);
    expect([a, b, c].map(({ requests }) => requests.length)).toEqual([10, 10, 10]);
  });

  it('go where the fewest are under way', async () => {
    const release: (() => void)[] = [];
    const slow = await startBackEnd('slow', (_, response) => release.push(() => response.end('slow')));
    const [fast] = await backEnds('fast');
    cleanUp.push(slow.close);
    const proxy = await proxyTo([targetGroup([slow, fast], { algorithm: 'least_outstanding_requests' })]);
    const answers: Promise<{ body: string }>[] = [];
    while (slow.requests.length === 0) {
      const answer = request(proxy.port);
      answers.push(answer);
      await Promise.race([answer, until(() => slow.requests.length > 0)]);
    }
    const fastBefore = fast.requests.length;
    for (let count = 0; count < 20; count += 1) expect((await request(proxy.port)).body).toBe('fast');
    expect(fast.requests.length).toBe(fastBefore + 20);
    release.forEach(end => end());
    await Promise.all(answers);
  });

  it('are spread over target groups by weight', async () => {
    const [blue, green] = await backEnds('blue', 'green');
    const groups = [targetGroup([blue], { name: 'blue' }), targetGroup([green], { name: 'green' })];
    const proxy = await proxyTo(groups);
    const forward = (weights: [number, number]) => ({
      listeners: [
        {
          name: 'production',
          address: '127.0.0.1',
          port: proxy.port,
          forward: [
            { targetGroup: 'blue', weight: weights[0] },
            { targetGroup: 'green', weight: weights[1] },
          ],
        },
      ],
    });
    await proxy.apply(groups, forward([90, 10]));
    for (let count = 0; count < 100; count += 1) await request(proxy.port);
    expect(green.requests).toHaveLength(10);
    await proxy.apply(groups, forward([0, 100]));
    for (let count = 0; count < 10; count += 1)
      expect(await request(proxy.port)).toMatchObject({ body: 'green' });
    expect(blue.requests).toHaveLength(90);
  });

  it('do not fail over to another target group, as with ALB', async () => {
    const [blue] = await backEnds('blue');
    const groups = [targetGroup([blue], { name: 'blue' }), targetGroup([], { name: 'green' })];
    const proxy = await proxyTo(groups);
    const statuses = [await request(proxy.port), await request(proxy.port)].map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 503]);
  });

  it('avoid an unhealthy target, and go to all where none is healthy', async () => {
    let isHealthy = true;
    const [good] = await backEnds('good');
    const sick = await startBackEnd('sick');
    cleanUp.push(sick.close);
    const answerHealth = sick.server.listeners('request')[0] as (...parameters: unknown[]) => void;
    sick.server.removeAllListeners('request');
    sick.server.on('request', (incoming, response) => {
      if (incoming.url === '/health' && !isHealthy) response.writeHead(500).end();
      else answerHealth(incoming, response);
    });
    const proxy = await proxyTo([targetGroup([good, sick])]);
    isHealthy = false;
    await proxy.until(() => proxy.health()['sick'] === 'unhealthy');
    for (let count = 0; count < 10; count += 1)
      expect(await request(proxy.port)).toMatchObject({ body: 'good' });
    expect(proxy.plane.state().targetGroups[0]!.targets[1]!.health).toEqual({
      state: 'unhealthy',
      reason: 'Target.ResponseCodeMismatch',
      description: 'Health checks failed with these codes: [500]',
    });
    await proxy.apply([targetGroup([sick])]);
    expect(await request(proxy.port)).toMatchObject({ status: 200, body: 'sick' });
    isHealthy = true;
    await proxy.until(() => proxy.health()['sick'] === 'healthy');
  });

  it('come slowly to a target that has just become healthy', async () => {
    let laterMs = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + laterMs };
    const [old, fresh] = await backEnds('old', 'fresh');
    const proxy = await startProxy([targetGroup([old], { slowStartMs: 60_000 })], {}, clock);
    cleanUp.push(proxy.close);
    await proxy.allHealthy();
    laterMs = 100_000;
    await proxy.apply([targetGroup([old, fresh], { slowStartMs: 60_000 })]);
    await proxy.allHealthy();
    for (let count = 0; count < 50; count += 1) await request(proxy.port);
    expect(fresh.requests.length).toBeLessThanOrEqual(3);
    laterMs = 200_000;
    const before = fresh.requests.length;
    for (let count = 0; count < 50; count += 1) await request(proxy.port);
    expect(fresh.requests.length - before).toBe(25);
  });

  it('are checked for as ALB checks', async () => {
    const seen = Promise.withResolvers<string>();
    const raw = await startRawBackEnd('a', socket =>
      socket.once('data', bytes => {
        seen.resolve(String(bytes));
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      }),
    );
    cleanUp.push(raw.close);
    await proxyTo([targetGroup([raw])]);
    const text = await seen.promise;
    expect(text).toMatch(/^GET \/health HTTP\/1\.1\r\n/);
    expect(text).toContain('User-Agent: ELB-HealthChecker/2.0\r\n');
    expect(text).toContain(`Host: 127.0.0.1:${raw.port}\r\n`);
  });
});

describe('a request whose target fails', () => {
  it.each(['GET', 'PUT', 'POST'])('goes to another one where no connection was made (%s)', async method => {
    const [a, b] = await backEnds('a', 'b');
    const proxy = await proxyTo([targetGroup([a, b], { healthCheck: rareChecks() })]);
    await a.close();
    for (let count = 0; count < 10; count += 1) {
      expect(await request(proxy.port, { method, body: 'body' })).toMatchObject({ status: 200, body: 'b' });
    }
  });

  it.each([
    ['GET', undefined],
    ['HEAD', undefined],
    ['DELETE', undefined],
    ['PUT', 'a small body'],
  ])('goes to another one where it was not answered and may be repeated (%s)', async (method, body) => {
    const dying = await startBackEnd('dying', incoming => incoming.socket.destroy());
    const [good] = await backEnds('good');
    cleanUp.push(dying.close);
    const proxy = await proxyTo([targetGroup([dying, good])]);
    for (let count = 0; count < 4; count += 1) {
      expect(await request(proxy.port, { method, ...(body && { body }) })).toMatchObject({ status: 200 });
    }
    expect(dying.requests.length).toBeGreaterThan(0);
    expect(good.requests).toHaveLength(4);
  });

  it('goes to one whose health nobody knows yet, where no healthy one takes it', async () => {
    const [old] = await backEnds('old');
    const fresh = await startBackEnd('fresh');
    cleanUp.push(fresh.close);
    const proxy = await proxyTo([targetGroup([old])]);
    fresh.server.prependListener('request', (incoming, response) => {
      if (incoming.url === '/health') response.writeHead(503);
    });
    const patient = { ...targetGroup([]).healthCheck, startAllowanceMs: 60_000, intervalMs: 60_000 };
    await proxy.apply([targetGroup([old, fresh], { healthCheck: patient })]);
    expect(await request(proxy.port)).toMatchObject({ body: 'old' });
    await old.close();
    expect(await request(proxy.port)).toMatchObject({ status: 200, body: 'fresh' });
    expect(proxy.health()).toEqual({ old: 'healthy', fresh: 'initial' });
  });

  it('is answered 502 where it may not be repeated', async () => {
    const dying = await startBackEnd('dying', incoming => incoming.socket.destroy());
    const [good] = await backEnds('good');
    cleanUp.push(dying.close);
    const proxy = await proxyTo([targetGroup([dying, good])]);
    const statuses = [];
    for (let count = 0; count < 2; count += 1)
      statuses.push((await request(proxy.port, { method: 'POST', body: 'x' })).status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 502]);
    expect([dying, good].map(({ requests }) => requests.length)).toEqual([1, 1]);
  });

  it('is tried once at each target, then answered 502', async () => {
    const dying = await Promise.all(
      ['a', 'b', 'c'].map(id => startBackEnd(id, incoming => incoming.socket.destroy())),
    );
    cleanUp.push(...dying.map(({ close }) => close));
    const proxy = await proxyTo([targetGroup(dying)]);
    expect(await request(proxy.port)).toMatchObject({ status: 502 });
    expect(dying.map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
  });

  it('is sent again to the same one where only a waiting connection was stale', async () => {
    const [a] = await backEnds('a');
    const proxy = await proxyTo([targetGroup([a])]);
    for (let count = 0; count < 5; count += 1) {
      expect(await request(proxy.port)).toMatchObject({ status: 200 });
      // The target's end may or may not have arrived when the next request comes: both must work.
      for (const connection of a.connections) connection.destroy();
    }
  });

  it('is answered by another one without a break, while targets die under load', async () => {
    const all = await backEnds('a', 'b', 'c');
    const proxy = await proxyTo([targetGroup(all)]);
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    cleanUp.push(async () => agent.destroy());
    let isOver = false;
    const failures: unknown[] = [];
    const load = Promise.all(
      Array.from({ length: 20 }, async () => {
        while (!isOver) {
          const answer = await request(proxy.port, { agent }).catch((error: unknown) => error as Error);
          if (!('status' in answer) || answer.status !== 200) failures.push(answer);
        }
      }),
    );
    await until(() => all.every(({ requests }) => requests.length > 50));
    await all[0].close();
    await proxy.until(() => proxy.health()['a'] === 'unhealthy');
    await all[1].close();
    const before = all[2].requests.length;
    await until(() => all[2].requests.length > before + 200);
    isOver = true;
    await load;
    expect(failures).toEqual([]);
  });
});

describe('an upgraded connection', () => {
  it('carries bytes both ways, and each side’s end', async () => {
    const backEnd = await startBackEnd('a');
    backEnd.server.on('upgrade', (incoming, socket, head) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nwelcome ',
      );
      socket.write(head);
      socket.pipe(socket);
    });
    cleanUp.push(backEnd.close);
    const proxy = await proxyTo([targetGroup([backEnd])]);
    const client = new RawClient(proxy.port).send(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly ',
    );
    await client.until(text => text.endsWith('welcome early '));
    expect(proxy.plane.state().targetGroups[0]!.targets[0]!.outstanding).toBe(1);
    client.send('later');
    await client.until(text => text.endsWith('later'));
    client.socket.end();
    await client.closed();
    await until(() => proxy.plane.state().targetGroups[0]!.targets[0]!.outstanding === 0);
  });

  it('is a plain answer where the target does not upgrade', async () => {
    const [a] = await backEnds('a');
    const proxy = await proxyTo([targetGroup([a])]);
    const client = new RawClient(proxy.port).send(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: echo\r\n\r\n',
    );
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('is never h2c', async () => {
    const [a] = await backEnds('a');
    const proxy = await proxyTo([targetGroup([a])]);
    await request(proxy.port, {
      headers: {
        Connection: 'Upgrade, HTTP2-Settings',
        Upgrade: 'h2c',
        'HTTP2-Settings': 'AAMAAABkAAQAAP__',
      },
    });
    expect(a.requests[0]!.headers).not.toHaveProperty('upgrade');
    expect(a.requests[0]!.headers).not.toHaveProperty('http2-settings');
  });
});

async function proxyTo(groups: Parameters<typeof startProxy>[0]) {
  const proxy = await startProxy(groups);
  cleanUp.push(proxy.close);
  await proxy.allHealthy();
  return proxy;
}

async function backEnds<Ids extends string[]>(...ids: Ids): Promise<{ [Index in keyof Ids]: BackEnd }> {
  const all = await Promise.all(ids.map(id => startBackEnd(id)));
  cleanUp.push(...all.map(({ close }) => close));
  return all as { [Index in keyof Ids]: BackEnd };
}

/** So that the balancer does not notice by itself. */
function rareChecks() {
  return { ...targetGroup([]).healthCheck, intervalMs: 60_000 };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 2));
}
