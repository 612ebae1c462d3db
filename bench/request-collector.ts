/** `request-collector.ts <balancer's folder>`: stores what a balancer process logs, as a region's process does. */
import { join } from 'node:path';
import { AdminClient } from '../src/local/balancer/admin-client.ts';
import { collectRequests } from '../src/local/balancer/collect-requests.ts';
import { readLivingRecord } from '../src/local/balancer/process-files.ts';
import { createLogStore } from '../src/local/telemetry/log-store.ts';
import { systemClock as clock } from '../src/platform/clock.ts';
import { openDatabase } from '../src/platform/database.ts';

const folder = process.argv[2]!;
const logs = createLogStore(openDatabase(join(folder, 'telemetry.db'), { durability: 'normal' }), 30, clock);
let record = await readLivingRecord(folder);
while (record === undefined) {
  await new Promise(resolve => setTimeout(resolve, 20));
  record = await readLivingRecord(folder);
}
await collectRequests(new AdminClient(record.socketPath), { logs, clock, folder });
