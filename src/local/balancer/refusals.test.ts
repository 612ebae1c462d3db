import { afterEach, describe, expect, it } from 'vitest';
import type { BalancerLimits } from './contract.ts';
import { startBackEnd, startRawBackEnd } from './testing/back-end.ts';
import { RawClient, request } from './testing/client.ts';
import { startProxy, targetGroup } from './testing/proxy.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).toReversed()) await close();
});

describe('what is refused', () => {
  it.each([
    [
      'both framings',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody'],
    ['another coding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n'],
    ['a folded line', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n'],
    ['bare line feeds', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['space before a colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
    ['a bad chunk size', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
    ['a long request line', `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['an endless request line', `GET /${'a'.repeat(17_000)}`],
    ['a large head', `GET / HTTP/1.1\r\nHost: a\r\n${`X: ${'y'.repeat(1_000)}\r\n`.repeat(70)}\r\n`],
    ['an endless head', `GET / HTTP/1.1\r\nHost: a\r\n${`X: ${'y'.repeat(1_000)}\r\n`.repeat(70)}`],
  ])('is %s, with 400 and the end of the connection, and no target sees it', async (_, text) => {
    const { port, requests } = await proxyToOne();
    const answer = await new RawClient(port).send(text).closed();
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(requests).toHaveLength(0);
  });

  it('includes whatever follows a refused request on its connection', async () => {
    const { port, requests } = await proxyToOne();
    const smuggled = 'GET /admin HTTP/1.1\r\nHost: a\r\n\r\n';
    const text = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding : chunked\r\n\r\n${smuggled}`;
    const answer = await new RawClient(port).send(text + smuggled).closed();
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(requests).toHaveLength(0);
  });

  it('is a chunk that breaks off in the middle of a body, and the target sees no end of it', async () => {
    const { port, requests } = await proxyToOne(() => undefined);
    const client = new RawClient(port).send(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    );
    await until(() => requests.length === 1);
    const aborted = new Promise<boolean>(resolve =>
      requests[0]!.on('close', () => resolve(!requests[0]!.complete)),
    );
    requests[0]!.on('error', () => undefined);
    client.send('zz\r\n');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 /);
    expect(await aborted).toBe(true);
  });

  it.each([
    ['a length', 'Content-Length: 1001\r\n\r\n'],
    ['chunks', `Transfer-Encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1_001)}\r\n0\r\n\r\n`],
  ])('is a body beyond the limit by %s, with 413', async (_, rest) => {
    const { port } = await proxyToOne(undefined, { bodyBytes: 1_000 });
    const answer = await new RawClient(port).send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`).closed();
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('is more than 30 addresses in X-Forwarded-For, with 463', async () => {
    const { port } = await proxyToOne();
    const addresses = (count: number) =>
      Array.from({ length: count }, (_, index) => `10.0.0.${index}`).join(', ');
    expect(await request(port, { headers: { 'X-Forwarded-For': addresses(30) } })).toMatchObject({
      status: 200,
    });
    expect(await request(port, { headers: { 'X-Forwarded-For': addresses(31) } })).toMatchObject({
      status: 463,
    });
  });

  it('is an expectation that nobody knows, with 417', async () => {
    const { port } = await proxyToOne();
    const client = new RawClient(port).send('GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 417 /);
  });
});

describe('time limits', () => {
  it.each([
    ['a head', 'GET / HTTP/1.1\r\nHost'],
    ['a body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel'],
  ])('answer 408 to a client that stops in %s', async (_, text) => {
    const { port } = await proxyToOne(() => undefined, { idleTimeoutMs: 100 });
    expect(await new RawClient(port).send(text).closed()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('answer 504 in the stead of a target that does not', async () => {
    const { port, proxy } = await proxyToOne(() => undefined, { idleTimeoutMs: 100 });
    const client = new RawClient(port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.until(text => text.includes('</html>'))).toMatch(
      /^HTTP\/1\.1 504 [^]*Connection: keep-alive/,
    );
    expect(proxy.plane.counters().targetGroups[0]!.balancerResponses).toEqual({ '504': 1 });
    client.socket.destroy();
  });

  it('break an answer off that stops on its way', async () => {
    const { port } = await proxyToOne(
      (_, response) => {
        response.writeHead(200, { 'Content-Length': '10' });
        response.write('hel');
      },
      { idleTimeoutMs: 100 },
    );
    await expect(request(port)).rejects.toThrow();
  });

  it('close a connection on which nothing comes', async () => {
    const { port } = await proxyToOne(undefined, { idleTimeoutMs: 100, clientKeepAliveMs: 100 });
    expect(await new RawClient(port).closed()).toBe('');
    const client = new RawClient(port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('leave an answer alone that keeps coming', async () => {
    const { port } = await proxyToOne(
      (_, response) => {
        let left = 10;
        const timer = setInterval(() => {
          left -= 1;
          if (left > 0) response.write('.');
          else {
            clearInterval(timer);
            response.end();
          }
        }, 40);
      },
      { idleTimeoutMs: 200 },
    );
    expect(await request(port)).toMatchObject({ status: 200, body: '.........' });
  });
});

describe('answers in a target’s stead', () => {
  it('are 503 without a target, and the connection goes on', async () => {
    const proxy = await startProxy([targetGroup([])]);
    cleanUp.push(proxy.close);
    const client = new RawClient(proxy.port).send(
      'GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    const text = await client.closed();
    expect(text.match(/HTTP\/1\.1 503 Service Temporarily Unavailable/g)).toHaveLength(2);
    expect(text.match(/<html>/g)).toHaveLength(1);
  });

  it('are 503 where every weight is nothing', async () => {
    const backEnd = await startBackEnd('a');
    const proxy = await startProxy([targetGroup([backEnd])]);
    cleanUp.push(backEnd.close, proxy.close);
    const forward = [{ targetGroup: 'blue', weight: 0 }];
    await proxy.apply([targetGroup([backEnd])], {
      listeners: [{ name: 'production', address: '127.0.0.1', port: proxy.port, forward }],
    });
    expect(await request(proxy.port)).toMatchObject({ status: 503 });
  });

  it('are 502 where nobody listens at the target', async () => {
    const backEnd = await startBackEnd('a');
    await backEnd.close();
    const proxy = await startProxy([targetGroup([backEnd])]);
    cleanUp.push(proxy.close);
    expect(await request(proxy.port)).toMatchObject({ status: 502 });
    expect(proxy.plane.counters().targetGroups[0]).toMatchObject({
      connectionErrors: 1,
      balancerResponses: { '502': 1 },
    });
  });

  it.each([
    ['something else than HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a head beyond 32 KiB', `HTTP/1.1 200 OK\r\n${`X: ${'y'.repeat(1_000)}\r\n`.repeat(40)}\r\n`],
    [
      'an upgrade that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
    ],
    ['a broken chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n'],
    ['nothing, and closes', ''],
  ])('are 502 where the target says %s', async (_, text) => {
    const raw = await startRawBackEnd('a', socket => socket.once('data', () => socket.end(text)));
    const proxy = await startProxy([targetGroup([raw])]);
    cleanUp.push(raw.close, proxy.close);
    expect(await request(proxy.port, { method: 'POST', body: 'x' })).toMatchObject({ status: 502 });
  });

  it('are no answer, but a broken connection, where the target breaks off in its body', async () => {
    const raw = await startRawBackEnd('a', socket =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () => socket.destroy()),
      ),
    );
    const proxy = await startProxy([targetGroup([raw])]);
    cleanUp.push(raw.close, proxy.close);
    await expect(request(proxy.port)).rejects.toThrow(/ECONNRESET|aborted|socket hang up/);
  });

  it('never give a later request what a target says unasked', async () => {
    const raw = await startRawBackEnd('a', socket =>
      socket.on('data', () =>
        socket.write(
          'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
        ),
      ),
    );
    const proxy = await startProxy([targetGroup([raw])]);
    cleanUp.push(raw.close, proxy.close);
    for (let count = 0; count < 5; count += 1)
      expect(await request(proxy.port)).toMatchObject({ status: 200, body: 'ok' });
  });
});

describe('a client that leaves', () => {
  it('ends its request at the target', async () => {
    const { port, requests, proxy } = await proxyToOne(() => undefined);
    const client = new RawClient(port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => requests.length === 1);
    const gone = new Promise(resolve => requests[0]!.on('close', resolve));
    client.socket.destroy();
    await gone;
    await until(() => proxy.plane.state().targetGroups[0]!.targets[0]!.outstanding === 0);
    expect(proxy.plane.counters().listeners[0]!.balancerResponses).toEqual({ '460': 1 });
    expect(proxy.plane.counters().listeners[0]!.activeConnections).toBe(0);
  });

  it('in the middle of its body ends its request at the target', async () => {
    const { port, requests } = await proxyToOne(incoming => incoming.resume());
    const client = new RawClient(port).send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nhalf');
    await until(() => requests.length === 1);
    const gone = new Promise(resolve => requests[0]!.on('close', resolve));
    requests[0]!.on('error', () => undefined);
    client.socket.resetAndDestroy();
    await gone;
    expect(requests[0]!.complete).toBe(false);
  });
});

async function proxyToOne(
  handler?: Parameters<typeof startBackEnd>[1],
  limits: Partial<BalancerLimits> = {},
) {
  const backEnd = await startBackEnd('a', handler);
  const proxy = await startProxy([targetGroup([backEnd])], { limits });
  cleanUp.push(backEnd.close, proxy.close);
  await proxy.allHealthy();
  return { port: proxy.port, requests: backEnd.requests, proxy };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 2));
}
