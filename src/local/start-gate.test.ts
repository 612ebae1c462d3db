import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { listen } from '../platform/network.ts';
import { StartGate } from './start-gate.ts';

let server: Server;
let gate: StartGate;
let arrivals: number;
let served: string[];

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

test('a request that comes before the start is complete is answered after it, with the body that it brought', async () => {
  const url = await start();
  const answer = fetch(url, { method: 'POST', body: 'early' });
  await expect.poll(() => arrivals).toBe(1);
  expect(served).toEqual([]);
  gate.open();
  expect(await (await answer).text()).toBe('early');
  expect(await (await fetch(url, { method: 'POST', body: 'late' })).text()).toBe('late');
  expect(served).toEqual(['POST', 'POST']);
});

test('who has gone meanwhile is not served', async () => {
  const url = await start();
  const leaving = new AbortController();
  const closed = new Promise(resolve => server.once('connection', socket => socket.once('close', resolve)));
  const answer = fetch(url, { method: 'DELETE', signal: leaving.signal });
  await expect.poll(() => arrivals).toBe(1);
  leaving.abort();
  await expect(answer).rejects.toThrow();
  await closed;
  gate.open();
  expect(served).toEqual([]);
});

async function start(): Promise<string> {
  gate = new StartGate();
  arrivals = 0;
  served = [];
  server = createServer((request, response) => {
    arrivals += 1;
    gate.pass(request, response, () => {
      served.push(request.method!);
      request.pipe(response);
    });
  });
  return `http://127.0.0.1:${await listen(server, { address: '127.0.0.1', port: 0 })}`;
}
