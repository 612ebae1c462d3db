import { connect } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { run, TANDEM, TestCloud } from '../end-to-end/test-cloud.ts';
import { ChaosCloud } from './chaos-cloud.ts';
import { victims } from './faults.ts';

const DESCRIPTORS = 100;
const CONNECTIONS = 300;

let tested: TestCloud;

afterAll(() => tested.dispose(), 60_000);

test('more connections than file descriptors end no process, and once they are gone all is as before', async () => {
  tested = await TestCloud.prepare({ regions: ['us-east-1'], deployment: { bakeTimeMinutes: 0 } });
  const command = `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`;
  const argv = ['-c', command, process.execPath, TANDEM, 'up', '--detach', '--port-base', '0'];
  expect((await run('/bin/sh', argv, tested.folder)).exitCode).toBe(0);
  expect((await tested.tandem('push')).exitCode).toBe(4);
  expect((await tested.tandem('approve')).exitCode).toBe(0);
  const cloud = await ChaosCloud.of(tested);
  const before = victims(cloud).map(({ pid }) => pid);
  const production = cloud.productionUrl('us-east-1');
  const { endpoint } = await cloud.region('us-east-1').status();
  for (const url of [production, endpoint]) {
    await flood(url);
    await expect.poll(async () => (await fetch(url)).status, { timeout: 10_000 }).toBe(200);
  }
  expect(victims(cloud).map(({ pid }) => pid)).toEqual(before);
  const commit = await tested.commit('After the flood');
  expect((await cloud.push('us-east-1', commit, 'refs/heads/main')).exitCode).toBe(0);
}, 120_000);

/** Holds more connections than there is room for; resolves when each was taken or refused, and all are closed again. */
async function flood(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: CONNECTIONS }, () => connect({ host: hostname, port: Number(port) }));
  await Promise.all(
    sockets.map(
      socket =>
        new Promise<void>(resolve => {
          socket.once('connect', () => resolve());
          socket.on('error', () => resolve());
        }),
    ),
  );
  for (const socket of sockets) socket.destroy();
}
