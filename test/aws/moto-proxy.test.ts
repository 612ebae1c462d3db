import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createProxy } from './moto-proxy.ts';

const CALLS = 5;

test('hands on one call at a time', async () => {
  const arrived: ServerResponse[] = [];
  await using upstream = await listening(createServer((_request, response) => void arrived.push(response)));
  await using proxy = await listening(
    createProxy({
      upstream: upstream.port,
      corrected: new Set(),
      unknown: new Set(),
      refuses: () => false,
      onCall: () => undefined,
    }),
  );
  const answers = Array.from({ length: CALLS }, () => fetch(`http://127.0.0.1:${proxy.port}/anything`));
  for (let call = 1; call <= CALLS; call += 1) {
    await expect.poll(() => arrived.length).toBe(call);
    arrived[call - 1]!.end();
  }
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(CALLS).fill(200));
});

async function listening(server: Server): Promise<AsyncDisposable & { port: number }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
