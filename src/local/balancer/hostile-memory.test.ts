import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect, type Socket } from '../../platform/network.ts';
import { startRawBackEnd } from './testing/back-end.ts';
import { RawClient, request } from './testing/client.ts';
import { startProxy, targetGroup } from './testing/proxy.ts';

/*
 * What a hostile client or back end can make the balancer hold. Each attack goes on until all is loaded and pooled that
 * stays; then many more of the same must leave nothing behind. What is reachable is measured, after a collection: how far
 * the heap grows before one is V8's choice.
 */

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const MEBIBYTE = 1_048_576;
/** Of five hundred attacks: two KiB kept of each would be found. */
const ALLOWED_GROWTH = MEBIBYTE;
const ROUNDS = 10;
const AT_ONCE = 50;
const KIBIBYTE_LINE = `X: ${'y'.repeat(1_019)}\r\n`;
const OVERSIZE = KIBIBYTE_LINE.repeat(70);

let port: number;
let close: () => Promise<void>;

beforeEach(async () => {
  const backEnd = await startRawBackEnd('a', misbehave);
  const proxy = await startProxy([targetGroup([backEnd])], {
    limits: { bodyBytes: MEBIBYTE },
    logsRequests: true,
  });
  await proxy.allHealthy();
  port = proxy.port;
  close = async () => {
    await proxy.close();
    await backEnd.close();
  };
});

afterEach(() => close());

const ATTACKS: [string, () => Promise<unknown>][] = [
  [
    'smuggled requests',
    () =>
      refused(
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n${'GET /admin HTTP/1.1\r\n\r\n'.repeat(1_000)}`,
      ),
  ],
  ['heads beyond the limit', () => refused(`GET / HTTP/1.1\r\nHost: a\r\n${OVERSIZE}`)],
  ['endless request lines', () => refused(`GET /${'a'.repeat(70_000)}`)],
  [
    'bodies beyond the limit',
    () => refused(`POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: ${2 * MEBIBYTE}\r\n\r\n`, '413'),
  ],
  [
    'pipelined requests',
    () => refused(`${'GET /ok HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20)}GET / HTTP/9\r\n\r\n`, '200'),
  ],
  ['answers that are garbage', () => asked('/garbage', '502')],
  ['answers with an oversize head', () => asked('/oversize', '502')],
  ['answers that come twice', () => asked('/twice', '200')],
  ['answers that end early', () => asked('/early', '200')],
  ['endless answers that nobody reads', () => left('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n')],
  ['heads that stop on their way', () => left(`GET / HTTP/1.1\r\nHost: a\r\n${KIBIBYTE_LINE.repeat(50)}`)],
];

test.each(ATTACKS)('%s leave nothing behind in memory', async (_, attack) => {
  await repeat(attack);
  const before = await reachableBytes();
  await repeat(attack);
  expect((await reachableBytes()) - before).toBeLessThan(ALLOWED_GROWTH);
  expect(await request(port, { path: '/ok' })).toMatchObject({ status: 200 });
});

test('many slow heads at once hold no more than what they sent', async () => {
  const sent = `GET / HTTP/1.1\r\nHost: a\r\n${KIBIBYTE_LINE.repeat(50)}`;
  const count = 400;
  const before = await reachableBytes();
  const clients = Array.from({ length: count }, () => new RawClient(port));
  await Promise.all(clients.map(({ socket }) => written(socket, sent)));
  // The one who comes last is answered after their bytes were read.
  expect(await request(port, { path: '/ok' })).toMatchObject({ status: 200 });
  expect((await reachableBytes()) - before).toBeLessThan(2 * count * sent.length);
  for (const { socket } of clients) socket.destroy();
});

function misbehave(socket: Socket): void {
  socket.on('data', (bytes: Buffer) => {
    const path = / (\S+) /.exec(bytes.toString('latin1'))?.[1];
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    if (path === '/garbage') socket.end(`SSH-2.0\r\n\r\n${OVERSIZE}`);
    else if (path === '/oversize') socket.end(`HTTP/1.1 200 OK\r\n${OVERSIZE}`);
    else if (path === '/twice') socket.write(answer + answer);
    else if (path === '/early') {
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(50_000)}`);
    } else if (path === '/endless') {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      const more = () => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on('drain', more);
      more();
    } else socket.write(answer);
  });
}

async function repeat(attack: () => Promise<unknown>): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) await Promise.all(Array.from({ length: AT_ONCE }, attack));
}

async function refused(text: string, status = '400'): Promise<void> {
  expect(await new RawClient(port).send(text).closed()).toContain(`HTTP/1.1 ${status} `);
}

function asked(path: string, status: string): Promise<void> {
  return refused(
    `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    status,
  );
}

/** Sends, reads nothing, and goes away once all is sent. */
async function left(text: string): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  socket.pause();
  await written(socket, text);
  socket.destroy();
}

function written(socket: Socket, text: string): Promise<void> {
  return new Promise(resolve => socket.write(text, () => resolve()));
}

/** Sockets that are closing take some turns of the event loop to be gone: the least of some looks counts. */
async function reachableBytes(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 5; look += 1) {
    await request(port, { path: '/ok' });
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}
