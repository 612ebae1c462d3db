import { Agent } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startBackEnd, startRawBackEnd, type BackEnd } from './testing/back-end.ts';
import { RawClient, request } from './testing/client.ts';
import { startProxy, targetGroup, type TestProxy } from './testing/proxy.ts';

const TRACE = /Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/;

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).toReversed()) await close();
});

describe('the log of requests', () => {
  test('tells who asked for what, the answer, its giver, its size, the program and the trace that the target got', async () => {
    const { proxy, backEnd } = await logging();
    const before = Date.now();
    await request(proxy.port, {
      path: '/orders?id=1',
      headers: { host: 'shop.example:1', 'user-agent': 'test/1' },
    });
    const [line] = await lines(proxy);
    expect(line!.stream).toBe('production');
    expect(line!.at).toBeGreaterThanOrEqual(before);
    expect(line!.message.replace(/ in \d+ ms/, ' in N ms')).toBe(
      `127.0.0.1 "GET http://shop.example:${proxy.port}/orders?id=1 HTTP/1.1" 200 in N ms by 127.0.0.1:${backEnd.port}, ` +
        `${line!.message.match(/(\d+) bytes/)![1]} bytes, "test/1", ${String(backEnd.requests[0]!.headers['x-amzn-trace-id'])}`,
    );
    expect(line!.message).toMatch(TRACE);
  });

  test('has every request of a connection that is kept alive, each with the bytes of its own answer', async () => {
    const { proxy } = await logging((received, response) =>
      response.end('x'.repeat(Number(received.url!.slice(1)))),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanUp.push(async () => agent.destroy());
    for (const path of ['/10', '/1000', '/10']) await request(proxy.port, { path, agent });
    const sizes = (await lines(proxy, 3)).map(({ message }) => Number(/, (\d+) bytes/.exec(message)![1]));
    expect(sizes[0]).toBe(sizes[2]);
    // Two more digits in Content-Length.
    expect(sizes[1]! - sizes[0]!).toBe(990 + 2);
  });

  test('has pipelined requests in order, with the trace and the program that a client sent', async () => {
    const { proxy } = await logging();
    const text = (path: string, fields: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
    const client = new RawClient(proxy.port);
    client.send(
      text('/1', 'X-Amzn-Trace-Id: Root=1-a;Self=b\r\n') +
        text('/2', 'User-Agent: two\r\nConnection: close\r\n'),
    );
    await client.closed();
    const [first, second] = await lines(proxy, 2);
    expect(first!.message).toMatch(/"GET http:\/\/a:\d+\/1 HTTP\/1\.1" 200 .* "-", Root=1-a;Self=b$/);
    expect(second!.message).toMatch(/"GET http:\/\/a:\d+\/2 HTTP\/1\.1" 200 .* "two", Root=1-/);
  });

  test.each([
    [
      'in the absolute form',
      'GET http://shop/x HTTP/1.1\r\nHost: other\r\n',
      'GET http://shop:PORT/x HTTP/1.1',
    ],
    ['of HTTP/1.0 without a host', 'GET /x HTTP/1.0\r\n', 'GET http://127.0.0.1:PORT/x HTTP/1.0'],
    ['for a host of IPv6', 'GET /x HTTP/1.1\r\nHost: [::1]:99\r\n', 'GET http://[::1]:PORT/x HTTP/1.1'],
  ])('has the URL of a request %s', async (_, head, logged) => {
    const { proxy } = await logging();
    await new RawClient(proxy.port).send(`${head}Connection: close\r\n\r\n`).closed();
    expect(await line(proxy)).toContain(`"${logged.replace('PORT', String(proxy.port))}" 200 `);
  });

  test('shows what a client could forge a line or steer a terminal with as what it is', async () => {
    const { proxy } = await logging();
    const program = 'a", x\t[31m\xe2\x80\xae\x9b31m\\';
    await new RawClient(proxy.port)
      .send(`GET /"\xe2\x80\xae" HTTP/1.1\r\nHost: a\r\nUser-Agent: ${program}\r\nConnection: close\r\n\r\n`)
      .closed();
    const message = await line(proxy);
    expect(message).toContain(`"GET http://a:${proxy.port}/\\x22\\xE2\\x80\\xAE\\x22 HTTP/1.1" `);
    expect(message).toContain('"a\\x22, x\\x09[31m\\xE2\\x80\\xAE\\x9B31m\\x5C", Root=1-');
  });

  test.each([
    ['control characters', 'GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: \x1b[31m\r\n\r\n'],
    ['a forged line', 'GET /\n1 production 127.0.0.1 "GET http://a/ HTTP/1.1" 200\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['an endless head', `GET / HTTP/1.1\r\n${`X: ${'y'.repeat(1_000)}\r\n`.repeat(70)}`],
  ])('tells of %s only that it could not be read', async (_, text) => {
    const { proxy } = await logging();
    await new RawClient(proxy.port).send(text).closed();
    expect((await line(proxy)).replace(/\d+ bytes/, 'N bytes')).toBe(
      `127.0.0.1 "- http://127.0.0.1:${proxy.port}- -" 400 by the load balancer (-), N bytes, "-", -`,
    );
  });

  test('cuts a program at 8 KiB', async () => {
    const { proxy } = await logging();
    await request(proxy.port, { headers: { 'user-agent': 'x'.repeat(12_000) } });
    expect(/"(x+)"/.exec(await line(proxy))![1]).toHaveLength(8_192);
  });
});

describe('what no target answered is logged', () => {
  test('as 503 where there is none', async () => {
    const proxy = await startLogging([targetGroup([])]);
    await request(proxy.port);
    expect(await line(proxy)).toMatch(
      / HTTP\/1\.1" 503 by the load balancer \(forward\), \d+ bytes, "-", Root=1-/,
    );
  });

  test('as 502 of the target that broke off, without a duration', async () => {
    const broken = await startRawBackEnd('a', socket =>
      socket.on('data', data => {
        if (String(data).startsWith('GET /health'))
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        else socket.destroy();
      }),
    );
    cleanUp.push(broken.close);
    const proxy = await startLogging([targetGroup([broken])]);
    await request(proxy.port, { method: 'POST', body: 'x' });
    expect(await line(proxy)).toContain(` HTTP/1.1" 502 by 127.0.0.1:${broken.port}, `);
  });

  test('as 504 of the target that does not answer in time, and 408 of a client that does not send', async () => {
    const { proxy, backEnd } = await logging(() => undefined, { idleTimeoutMs: 200 });
    await request(proxy.port, { path: '/slow' });
    await new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHost').closed();
    await new RawClient(proxy.port)
      .send('POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n')
      .closed();
    const [slow, head, body] = await lines(proxy, 3);
    expect(slow!.message).toContain(`/slow HTTP/1.1" 504 by 127.0.0.1:${backEnd.port}, `);
    expect(head!.message).toContain(`"- http://127.0.0.1:${proxy.port}- -" 408 by the load balancer (-), `);
    expect(body!.message).toContain(`/up HTTP/1.1" 408 by 127.0.0.1:${backEnd.port}, `);
  });

  test.each([
    [413, 'Content-Length: 1001\r\n'],
    [417, 'Expect: nonsense\r\n'],
    [463, `X-Forwarded-For: ${Array.from({ length: 31 }, () => '10.0.0.1').join(', ')}\r\n`],
    [400, 'Transfer-Encoding: chunked\r\n\r\nxyz\r\n'],
  ])('as the %i with which it is refused', async (status, fields) => {
    const { proxy } = await logging(undefined, { bodyBytes: 1_000 });
    await new RawClient(proxy.port).send(`POST /big HTTP/1.1\r\nHost: a\r\n${fields}\r\n`).closed();
    expect(await line(proxy)).toContain(
      `"POST http://a:${proxy.port}/big HTTP/1.1" ${status} by the load balancer (-), `,
    );
  });

  test('as 460 where the client left first', async () => {
    const received = Promise.withResolvers<void>();
    const { proxy, backEnd } = await logging(() => received.resolve());
    const client = new RawClient(proxy.port).send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await received.promise;
    client.socket.destroy();
    expect(await line(proxy)).toMatch(
      new RegExp(`/slow HTTP/1\\.1" 460 by 127\\.0\\.0\\.1:${backEnd.port}, 0 bytes, `),
    );
  });

  test('as 460 beside the target’s answer where the client left in its middle', async () => {
    const { proxy } = await logging((_, response) => void response.write('the first part'));
    const client = new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(text => text.includes('part'));
    client.socket.destroy();
    expect(await line(proxy)).toMatch(/" 460 \(the target: 200\) in \d+ ms by 127/);
  });
});

test('an answer that the target breaks off is logged with its status', async () => {
  const { proxy } = await logging((_, response) => {
    response.writeHead(200, { 'Content-Length': 100 });
    response.write('half');
    setImmediate(() => response.destroy());
  });
  await expect(request(proxy.port)).rejects.toThrow();
  expect(await line(proxy)).toContain('" 200 in ');
});

test('a WebSocket is logged when it is closed, with all that was sent to the client', async () => {
  const { proxy, backEnd } = await logging();
  const server = new WebSocketServer({ server: backEnd.server });
  server.on('connection', socket => socket.on('message', data => socket.send(data)));
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/chat`);
  await new Promise(resolve => socket.on('open', resolve));
  const echoed = new Promise(resolve => socket.on('message', resolve));
  socket.send(Buffer.alloc(100_000));
  await echoed;
  await request(proxy.port, { path: '/other' });
  socket.close();
  const [first, second] = await lines(proxy, 2);
  expect(first!.message).toContain('/other HTTP/1.1" 200 ');
  const sentBytes = Number(
    /\/chat HTTP\/1\.1" 101 in \d+ ms by 127\.0\.0\.1:\d+, (\d+) bytes/.exec(second!.message)![1],
  );
  expect(sentBytes).toBeGreaterThan(100_000);
  server.close();
});

test('logging begins and ends with a configuration, on connections that are open', async () => {
  const { proxy, backEnd } = await logging();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  cleanUp.push(async () => agent.destroy());
  const groups = [targetGroup([backEnd])];
  await request(proxy.port, { path: '/1', agent });
  await proxy.apply(groups, { logsRequests: false });
  await request(proxy.port, { path: '/2', agent });
  await proxy.apply(groups, { logsRequests: true });
  await request(proxy.port, { path: '/3', agent });
  expect((await lines(proxy, 2)).map(({ message }) => /\/(\d) HTTP/.exec(message)![1])).toEqual(['1', '3']);
});

async function logging(
  handler?: Parameters<typeof startBackEnd>[1],
  limits: NonNullable<Parameters<typeof startProxy>[1]>['limits'] = {},
): Promise<{ proxy: TestProxy; backEnd: BackEnd }> {
  const backEnd = await startBackEnd('a', handler);
  cleanUp.push(backEnd.close);
  return { proxy: await startLogging([targetGroup([backEnd])], limits), backEnd };
}

async function startLogging(groups: Parameters<typeof startProxy>[0], limits = {}): Promise<TestProxy> {
  const proxy = await startProxy(groups, { limits, logsRequests: true });
  cleanUp.push(proxy.close);
  await proxy.allHealthy();
  return proxy;
}

/** The first so many lines, once there are so many. */
async function lines(proxy: TestProxy, count = 1) {
  let text = '';
  for (let stored = 0; text.split('\n').length <= count;) {
    const batch = await proxy.plane.requestLog.next(stored);
    text += batch.lines.toString('latin1');
    stored = batch.number;
  }
  return text
    .split('\n')
    .slice(0, -1)
    .map(line => {
      const [, at, stream, message] = /^(\d+) (\S+) (.*)$/.exec(line)!;
      return { at: Number(at), stream, message: message! };
    });
}

async function line(proxy: TestProxy): Promise<string> {
  return (await lines(proxy))[0]!.message;
}
