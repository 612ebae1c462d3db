import { createHash, randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { BalancerLimits } from './contract.ts';
import { startBackEnd, startRawBackEnd } from './testing/back-end.ts';
import { RawClient, request } from './testing/client.ts';
import { startProxy, targetGroup, type TestProxy } from './testing/proxy.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).toReversed()) await close();
});

describe('a request through the balancer', () => {
  it('reaches the target with what the proxy adds, and its answer comes back', async () => {
    const { proxy, backEnd } = await proxyTo((incoming, response) => {
      response.setHeader('X-Seen', JSON.stringify(incoming.headers));
      response.end(`${incoming.method} ${incoming.url}`);
    });
    const answer = await request(proxy.port, { path: '/orders?id=1', headers: { 'X-Custom': 'yes' } });
    expect(answer).toMatchObject({ status: 200, body: 'GET /orders?id=1' });
    expect(JSON.parse(String(answer.headers['x-seen']))).toMatchObject({
      host: `127.0.0.1:${proxy.port}`,
      'x-custom': 'yes',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': String(proxy.port),
      'x-amzn-trace-id': expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/) as string,
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/) as string,
    });
    expect(backEnd.requests).toHaveLength(1);
  });

  it('shares the connections on both sides with later requests', async () => {
    const { proxy, backEnd } = await proxyTo();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let count = 0; count < 20; count += 1) {
      await request(proxy.port, { agent });
      ports.add(backEnd.requests.at(-1)!.socket.remotePort);
    }
    agent.destroy();
    expect(ports.size).toBe(1);
    expect(proxy.plane.counters().listeners[0]).toMatchObject({ newConnections: 1, requests: 20 });
  });

  it.each([
    ['with a length', undefined],
    ['in chunks', 'chunked'],
  ])('carries a large body up and down whole, %s', async (_, encoding) => {
    const { proxy } = await proxyTo((incoming, response) => {
      if (encoding === undefined) response.setHeader('Content-Length', incoming.headers['content-length']!);
      incoming.pipe(response);
    });
    const body = randomBytes(5_000_000);
    const headers: Record<string, string> =
      encoding === undefined ? { 'Content-Length': String(body.length) } : { 'Transfer-Encoding': encoding };
    const answer = await request(proxy.port, { method: 'POST', headers, body });
    expect(answer.body.length).toBe(body.length);
    expect(digest(Buffer.from(answer.body, 'latin1'))).toBe(digest(body));
  });

  it('passes trailers on in both directions', async () => {
    const { proxy } = await proxyTo((incoming, response) => {
      incoming.resume().on('end', () => {
        response.writeHead(200, { Trailer: 'X-Sum' });
        response.write('body');
        response.addTrailers({ 'X-Sum': String(incoming.trailers['x-up']) });
        response.end();
      });
    });
    const client = new RawClient(proxy.port).send(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nX-Up: 42\r\n\r\n',
    );
    expect(await client.closed()).toContain('0\r\nX-Sum: 42\r\n\r\n');
  });

  it('waits for the target’s word where the client asks before it sends', async () => {
    const { proxy } = await proxyTo((incoming, response) => {
      incoming.pipe(response);
    });
    const client = new RawClient(proxy.port).send(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
    );
    await client.until(text => text === 'HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*hello/);
  });

  it('passes a refusal on where the client asked before it sent', async () => {
    const { proxy, backEnd } = await proxyTo();
    backEnd.server.on('checkContinue', (_, response) => {
      response.writeHead(401, { 'Content-Length': '0' }).end();
    });
    const client = new RawClient(proxy.port).send(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
    );
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 401 /);
  });

  it.each([
    ['HEAD', 200, { 'Content-Length': '12345' }],
    ['GET', 204, {}],
    ['GET', 304, { 'Content-Length': '12345', ETag: '"a"' }],
  ])('has no body in the answer to %s with %i', async (method, status, headers) => {
    const { proxy } = await proxyTo((_, response) => response.writeHead(status, headers).end());
    const client = new RawClient(proxy.port).send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until(text => text.endsWith('\r\n\r\n'));
    client.send(`${method} /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const answers = (await client.closed()).split('\r\n\r\n');
    expect(answers).toHaveLength(3);
    expect(answers[1]).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('may be followed by others at once; answers come in order', async () => {
    const { proxy, backEnd } = await proxyTo((incoming, response) => {
      incoming.resume().on('end', () => response.end(`answer to ${incoming.url}.`));
    });
    const count = 200;
    const requests = Array.from({ length: count }, (_, index) =>
      index % 3 === 0
        ? `POST /${index} HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\n${'x'.repeat(300)}`
        : `GET /${index} HTTP/1.1\r\nHost: a\r\n${'X-Fill: y\r\n'.repeat(50)}\r\n`,
    );
    const client = new RawClient(proxy.port).send(requests.join(''));
    const text = await client.until(all => all.includes(`answer to /${count - 1}.`));
    const order = [...text.matchAll(/answer to \/(\d+)\./g)].map(([, number]) => Number(number));
    expect(order).toEqual(Array.from({ length: count }, (_, index) => index));
    expect(backEnd.requests).toHaveLength(count);
    client.socket.destroy();
  });

  it('may arrive a byte at a time', async () => {
    const { proxy } = await proxyTo((incoming, response) => {
      incoming.pipe(response);
    });
    const client = new RawClient(proxy.port);
    client.socket.setNoDelay(true);
    const text =
      'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n';
    for (const byte of text) await new Promise(resolve => client.socket.write(byte, resolve));
    expect(await client.closed()).toContain('5\r\nhello\r\n');
  });

  it('may come from an HTTP/1.0 client, which gets no chunks', async () => {
    const { proxy } = await proxyTo((_, response) => {
      response.write('first ');
      response.end('second');
    });
    const text = await new RawClient(proxy.port).send('GET / HTTP/1.0\r\n\r\n').closed();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nfirst second$/);
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(text).toMatch(/connection: close/i);
  });

  it('may come from an HTTP/1.0 client that keeps its connection', async () => {
    const { proxy } = await proxyTo((_, response) => response.setHeader('Content-Length', '2').end('ok'));
    const client = new RawClient(proxy.port).send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect(await client.until(text => text.endsWith('ok'))).toMatch(/connection: keep-alive/i);
    client.send('GET / HTTP/1.0\r\n\r\n');
    expect(await client.closed()).toMatch(/connection: close/i);
  });

  it('may be answered by a target that ends its answer by closing', async () => {
    const raw = await startRawBackEnd('a', socket => {
      socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nuntil the end'));
    });
    const proxy = await startProxy([targetGroup([raw])]);
    cleanUp.push(raw.close, proxy.close);
    const text = await new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').closed();
    expect(text).toBe('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end');
  });

  it('may be answered before it is sent in full, and another follows', async () => {
    const { proxy } = await proxyTo((_, response) =>
      response.writeHead(413, { 'Content-Length': '5' }).end('no!!!'),
    );
    const client = new RawClient(proxy.port).send(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100005\r\n\r\nstart',
    );
    expect(await client.until(all => all.endsWith('no!!!'))).toMatch(/^HTTP\/1\.1 413 /);
    client.send(`${'x'.repeat(100_000)}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect((await client.closed()).match(/HTTP\/1\.1 413 /g)).toHaveLength(2);
  });

  it('passes early hints on before the answer', async () => {
    const { proxy } = await proxyTo((_, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
      response.end('ok');
    });
    const text = await new RawClient(proxy.port)
      .send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      .closed();
    expect(text).toMatch(/^HTTP\/1\.1 103 Early Hints\r\n[^]*\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });
});

describe('a connection', () => {
  it('means the same however its bytes are split', async () => {
    const { proxy } = await proxyTo((incoming, response) => {
      incoming.pipe(response);
    });
    const body = fc.string({ unit: 'binary-ascii', maxLength: 400 }).map(text => text.replaceAll('@', ''));
    const cuts = fc.array(fc.nat({ max: 3_000 }), { maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(body, fc.boolean()), { minLength: 1, maxLength: 6 }),
        cuts,
        async (bodies, at) => {
          const text = bodies.map(([content, isChunked]) => encode(content, isChunked)).join('');
          const ends = [...at.filter(cut => cut > 0 && cut < text.length), text.length].toSorted(
            (a, b) => a - b,
          );
          const client = new RawClient(proxy.port);
          client.socket.setNoDelay(true);
          let start = 0;
          for (const end of ends) {
            await new Promise(resolve => client.socket.write(text.slice(start, end), 'latin1', resolve));
            start = end;
          }
          const answers = await client.until(all => all.split('@').length > bodies.length);
          client.socket.destroy();
          expect(answers.split('@').slice(0, -1).map(decode)).toEqual(bodies.map(([content]) => content));
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** A request whose body ends with `@`, so that its echo can be told from the next one. */
function encode(body: string, isChunked: boolean): string {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\n';
  const whole = `${body}@`;
  if (!isChunked) return `${head}Content-Length: ${whole.length}\r\n\r\n${whole}`;
  const middle = Math.floor(whole.length / 2);
  const chunks = [whole.slice(0, middle), whole.slice(middle)].filter(chunk => chunk !== '');
  const encoded = chunks.map(chunk => `${chunk.length.toString(16)};x=y\r\n${chunk}\r\n`).join('');
  return `${head}Transfer-Encoding: chunked\r\n\r\n${encoded}0\r\nX-Sum: 1\r\n\r\n`;
}

/** The data of a chunked answer, up to where its closing `@` was cut off. */
function decode(answer: string): string {
  let rest = answer.slice(answer.indexOf('\r\n\r\n', answer.indexOf('HTTP/1.1 200')) + 4);
  let data = '';
  while (rest !== '') {
    const size = Number.parseInt(rest, 16);
    const start = rest.indexOf('\r\n') + 2;
    data += rest.slice(start, start + size);
    rest = rest.slice(start + size + 2);
  }
  return data;
}

describe('back-pressure', () => {
  it('stops the target while the client does not read', async () => {
    const total = 64 * 1_048_576;
    let written = 0;
    const { proxy } = await proxyTo((_, response) => {
      response.setHeader('Content-Length', String(total));
      const chunk = Buffer.alloc(1_048_576);
      const write = () => {
        while (written < total) {
          written += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    const client = new RawClient(proxy.port);
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await settled(() => written);
    expect(written).toBeLessThan(total / 2);
    let received = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', text => (received += text.length));
    client.socket.resume();
    await client.closed();
    expect(received).toBeGreaterThanOrEqual(total);
  });

  it('stops the client while the target does not read', async () => {
    const total = 64 * 1_048_576;
    let release: () => void = () => undefined;
    const { proxy } = await proxyTo(
      (incoming, response) => {
        release = () => incoming.resume().on('end', () => response.end('read'));
      },
      { bodyBytes: total },
    );
    const client = new RawClient(proxy.port).send(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`,
    );
    client.socket.write(Buffer.alloc(total));
    await settled(() => client.socket.bytesWritten - client.socket.writableLength);
    await settled(() => proxy.plane.counters().listeners[0]!.processedBytes);
    expect(proxy.plane.counters().listeners[0]!.processedBytes).toBeLessThan(total / 2);
    release();
    await client.until(text => text.endsWith('read\r\n0\r\n\r\n') || text.endsWith('read'));
    client.socket.destroy();
  });
});

/** Resolves when the value has stopped to change: nothing more can flow, since all that could has. */
async function settled(value: () => number): Promise<void> {
  let still = 0;
  let last = -1;
  while (still < 20) {
    await new Promise(resolve => setTimeout(resolve, 10));
    still = value() === last && last > 0 ? still + 1 : 0;
    last = value();
  }
}

async function proxyTo(handler?: Parameters<typeof startBackEnd>[1], limits: Partial<BalancerLimits> = {}) {
  const backEnd = await startBackEnd('a', handler);
  const proxy: TestProxy = await startProxy([targetGroup([backEnd])], { limits });
  cleanUp.push(backEnd.close, proxy.close);
  await proxy.allHealthy();
  return { proxy, backEnd };
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
