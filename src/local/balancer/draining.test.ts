import { Agent } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../platform/network.ts';
import { startBackEnd, type BackEnd } from './testing/back-end.ts';
import { RawClient, request } from './testing/client.ts';
import { startProxy, targetGroup } from './testing/proxy.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).toReversed()) await close();
});

describe('a target that is no longer listed', () => {
  it('keeps its request, gets no new one, and is gone when the request has ended', async () => {
    const old = await startHeldBackEnd('old');
    const next = await startBackEnd('next');
    const proxy = await proxyTo([old]);
    cleanUp.push(next.close);
    const answer = request(proxy.port);
    await old.arrived();
    await proxy.apply([targetGroup([next])]);
    expect(proxy.plane.state().targetGroups[0]!.targets[0]).toEqual({
      id: 'old',
      health: {
        state: 'draining',
        reason: 'Target.DeregistrationInProgress',
        description: 'Target deregistration is in progress',
      },
      outstanding: 1,
    });
    for (let count = 0; count < 5; count += 1)
      expect(await request(proxy.port)).toMatchObject({ body: 'next' });
    const gone = proxy.until(() => !('old' in proxy.health()));
    old.release();
    expect(await answer).toMatchObject({ status: 200, body: 'old' });
    await gone;
    expect(old.requests).toHaveLength(1);
  });

  it('is gone at once where nothing is in flight, and its waiting connections are closed', async () => {
    const old = await startBackEnd('old');
    const next = await startBackEnd('next');
    const proxy = await proxyTo([old]);
    cleanUp.push(old.close, next.close);
    await request(proxy.port);
    expect(old.connections.size).toBe(1);
    const closed = Promise.all(
      [...old.connections].map(socket => new Promise(resolve => socket.on('close', resolve))),
    );
    await proxy.apply([targetGroup([next])]);
    expect(proxy.health()).not.toHaveProperty('old');
    await closed;
  });

  it('stays for the whole delay where draining does not end with the last request', async () => {
    const old = await startBackEnd('old');
    const next = await startBackEnd('next');
    const group = { drainingEndsWhenIdle: false, deregistrationDelayMs: 150 };
    const proxy = await proxyTo([old], group);
    cleanUp.push(old.close, next.close);
    await proxy.apply([targetGroup([next], group)]);
    expect(proxy.health()).toMatchObject({ old: 'draining' });
    await proxy.until(() => !('old' in proxy.health()));
  });

  it('loses its request when the delay is over', async () => {
    const old = await startHeldBackEnd('old');
    const group = { deregistrationDelayMs: 100 };
    const proxy = await proxyTo([old], group);
    const answer = request(proxy.port);
    await old.arrived();
    await proxy.apply([targetGroup([], group)]);
    expect(await answer).toMatchObject({ status: 502 });
    expect(proxy.health()).toEqual({});
  });

  it('keeps its upgraded connection', async () => {
    const old = await startBackEnd('old');
    old.server.on('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n');
      socket.pipe(socket);
    });
    cleanUp.push(old.close);
    const proxy = await proxyTo([old]);
    const client = new RawClient(proxy.port).send(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
    );
    await client.until(text => text.endsWith('\r\n\r\n'));
    await proxy.apply([targetGroup([])]);
    client.send('still here');
    await client.until(text => text.endsWith('still here'));
    expect(proxy.health()).toEqual({ old: 'draining' });
    const gone = proxy.until(() => !('old' in proxy.health()));
    client.socket.end();
    await gone;
  });

  it('is registered as new when it is listed again, and keeps what it has', async () => {
    const old = await startHeldBackEnd('old');
    const proxy = await proxyTo([old]);
    const answer = request(proxy.port);
    await old.arrived();
    await proxy.apply([targetGroup([])]);
    expect(proxy.health()).toEqual({ old: 'draining' });
    await proxy.apply([targetGroup([old])]);
    expect(proxy.health()).toEqual({ old: 'initial' });
    await proxy.allHealthy();
    old.release();
    expect(await answer).toMatchObject({ status: 200 });
    expect(proxy.health()).toEqual({ old: 'healthy' });
  });

  it('drains with its whole target group', async () => {
    const old = await startHeldBackEnd('old');
    const next = await startBackEnd('next');
    cleanUp.push(next.close);
    const proxy = await proxyTo([old]);
    const answer = request(proxy.port);
    await old.arrived();
    await proxy.apply([targetGroup([next], { name: 'green' })]);
    expect(
      proxy.plane
        .state()
        .targetGroups.map(({ name }) => name)
        .toSorted(),
    ).toEqual(['blue', 'green']);
    expect(await request(proxy.port)).toMatchObject({ body: 'next' });
    old.release();
    expect(await answer).toMatchObject({ status: 200, body: 'old' });
    await proxy.until(() => proxy.plane.state().targetGroups.length === 1);
  });
});

describe('a new configuration', () => {
  it('takes no request from any client, whatever moves', async () => {
    const all = await Promise.all(['a', 'b', 'c', 'd'].map(id => startBackEnd(id)));
    cleanUp.push(...all.map(({ close }) => close));
    const proxy = await proxyTo(all.slice(0, 2));
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    cleanUp.push(async () => agent.destroy());
    let isOver = false;
    let sent = 0;
    const failures: unknown[] = [];
    const load = Promise.all(
      Array.from({ length: 16 }, async (_, client) => {
        while (!isOver) {
          sent += 1;
          const body = client % 2 === 0 ? 'x'.repeat(2_000) : undefined;
          const answer = await request(proxy.port, {
            agent,
            method: body ? 'POST' : 'GET',
            ...(body && { body }),
          }).catch((error: unknown) => error as Error);
          if (!('status' in answer) || answer.status !== 200) failures.push(answer);
        }
      }),
    );
    for (let round = 0; round < 30; round += 1) {
      const first = all[round % 4]!;
      const second = all[(round + 1) % 4]!;
      const name = round % 3 === 0 ? 'green' : 'blue';
      await proxy.apply([targetGroup([first, second], { name })]);
      await proxy.until(
        () => proxy.health()[first.id] === 'healthy' && proxy.health()[second.id] === 'healthy',
      );
      const before = sent;
      await until(() => sent > before + 40);
    }
    isOver = true;
    await load;
    expect(failures).toEqual([]);
    expect(all.reduce((sum, { requests }) => sum + requests.length, 0)).toBe(sent);
    expect(proxy.plane.counters().listeners[0]!.newConnections).toBeLessThanOrEqual(16);
  });

  it('opens and closes listeners, ending connections as they come to rest', async () => {
    const held = await startHeldBackEnd('held');
    const proxy = await proxyTo([held]);
    const idle = new RawClient(proxy.port);
    const busy = new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await held.arrived();
    const forward = [{ targetGroup: 'blue', weight: 1 }];
    const other = { name: 'staging', address: '127.0.0.1', port: await freePort('127.0.0.1'), forward };
    await proxy.apply([targetGroup([held])], { listeners: [other] });
    expect(await idle.closed()).toBe('');
    await expect(request(proxy.port)).rejects.toThrow(/ECONNREFUSED/);
    held.release();
    expect(await busy.closed()).toMatch(/^HTTP\/1\.1 200 OK[^]*Connection: close/);
  });

  it('that cannot be changes nothing', async () => {
    const a = await startBackEnd('a');
    const taken = await startBackEnd('taken');
    cleanUp.push(a.close, taken.close);
    const proxy = await proxyTo([a]);
    const forward = [{ targetGroup: 'green', weight: 1 }];
    const otherPort = await freePort('127.0.0.1');
    const listeners = [
      { name: 'other', address: '127.0.0.1', port: otherPort, forward },
      { name: 'production', address: '127.0.0.1', port: taken.port, forward },
    ];
    await expect(proxy.apply([targetGroup([], { name: 'green' })], { listeners })).rejects.toMatchObject({
      code: 'LISTENER_UNAVAILABLE',
      data: { listener: `127.0.0.1:${taken.port}`, systemCode: 'EADDRINUSE' },
    });
    await expect(request(otherPort)).rejects.toThrow(/ECONNREFUSED/);
    expect(await request(proxy.port)).toMatchObject({ status: 200, body: 'a' });
    expect(proxy.plane.counters().listeners.map(({ name }) => name)).toEqual(['production']);
  });
});

describe('the end of the balancer', () => {
  it('waits for requests in flight, and tells their clients not to come back', async () => {
    const held = await startHeldBackEnd('held');
    const proxy = await proxyTo([held]);
    const idle = new RawClient(proxy.port);
    const busy = new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await held.arrived();
    const closed = proxy.plane.close(60_000);
    await idle.closed();
    await expect(request(proxy.port)).rejects.toThrow(/ECONNREFUSED/);
    held.release();
    expect(await busy.closed()).toMatch(/^HTTP\/1\.1 200 OK[^]*Connection: close/);
    await closed;
  });

  it('cuts what has not ended in time', async () => {
    const held = await startHeldBackEnd('held');
    const proxy = await proxyTo([held]);
    const busy = new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await held.arrived();
    await proxy.plane.close(50);
    expect(await busy.closed()).toBe('');
  });
});

/** A back end whose answers wait for `release`, as those of a slow request do. */
async function startHeldBackEnd(id: string) {
  const held: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  const backEnd: BackEnd = await startBackEnd(id, (_, response) => {
    held.push(() => response.end(id));
    waiting.splice(0).forEach(resolve => resolve());
  });
  cleanUp.push(backEnd.close);
  return {
    ...backEnd,
    arrived: () => new Promise<void>(resolve => void (held.length > 0 ? resolve() : waiting.push(resolve))),
    release: () => held.splice(0).forEach(answer => answer()),
  };
}

async function proxyTo(targets: readonly BackEnd[], overrides: Parameters<typeof targetGroup>[1] = {}) {
  const proxy = await startProxy([targetGroup(targets, overrides)]);
  cleanUp.push(proxy.close);
  await proxy.allHealthy();
  return proxy;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 2));
}
