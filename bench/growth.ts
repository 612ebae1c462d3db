/*
 * Does a long history slow anything down? The example with 100,000 past executions in each region (or as many as are
 * asked for): how long `up`, `tandem status` and the status API take before and after, and the API once more while a
 * push is built and deployed. Run: npm run bench:growth -- [executions]
 */
import { randomUUID } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ExecutionRecord } from '../src/control/pipeline/state.ts';
import { ExampleCloud, quantile, timed } from './example-cloud.ts';

const REQUESTS = 300;
const EVENTS_PER_EXECUTION = 10;

const count = Number(process.argv[2] ?? 100_000);
const cloud = await ExampleCloud.prepare();
try {
  await cloud.up();
  await cloud.tandem([4], 'push');
  await cloud.tandem([0], 'approve');
  await measure('after one execution');
  await cloud.tandem([0], 'down');
  const regions = await readdir(join(cloud.dataDir, 'regions'));
  for (const region of regions) await addHistory(join(cloud.dataDir, 'regions', region));
  console.log(`up with the history: ${ms(await timed(() => cloud.up()))}`);
  await measure(`after ${count} executions a region`);
  await cloud.commit('Next');
  let isPushing = true;
  const push = cloud.tandem([4], 'push').finally(() => (isPushing = false));
  await measureApi('while a push is built and deployed', () => isPushing);
  await push;
} finally {
  await cloud.dispose();
}

async function measure(when: string): Promise<void> {
  const runs: number[] = [];
  for (let run = 0; run < 7; run += 1) runs.push(await timed(() => cloud.tandem([0], 'status', '--json')));
  console.log(`tandem status, ${when}: median ${ms(quantile(runs, 0.5))}, at best ${ms(Math.min(...runs))}`);
  let requests = 0;
  await measureApi(when, () => (requests += 1) <= REQUESTS);
}

/** One request at a time, of every region in turn, for as long as wanted. */
async function measureApi(when: string, isWanted: () => boolean): Promise<void> {
  const { regions } = await cloud.status();
  const times: number[] = [];
  for (let index = 0; isWanted(); index += 1) {
    const { endpoint } = regions[index % regions.length]!;
    times.push(
      await timed(async () => {
        await (await fetch(`${endpoint}/api/status`)).arrayBuffer();
      }),
    );
  }
  console.log(
    `GET /api/status, ${when}: p50 ${ms(quantile(times, 0.5))}, p99 ${ms(quantile(times, 0.99))}, ${times.length} requests`,
  );
}

/** Copies of the execution that is there, older than it, each with a commit and an id of its own, and as many events. */
async function addHistory(folder: string): Promise<void> {
  const database = new DatabaseSync(join(folder, 'region.db'));
  const latest = database.prepare('SELECT * FROM pipeline_executions').get()!;
  const record = JSON.parse(String(latest['record'])) as ExecutionRecord;
  const insert = database.prepare(
    `INSERT INTO pipeline_executions (number, id, ref_sequence, commit_id, is_rollback, has_ended, furthest, record)
     VALUES (?, ?, NULL, ?, 0, 1, ?, ?)`,
  );
  database.exec('BEGIN');
  for (let number = 2; number <= count; number += 1) {
    const id = randomUUID();
    const commit = { ...record.execution.commit, id: id.replaceAll('-', '').padEnd(40, '0') };
    const execution = { ...record.execution, id, number, commit };
    insert.run(number, id, commit.id, Number(latest['furthest']), JSON.stringify({ ...record, execution }));
  }
  database.exec('COMMIT');
  database.close();

  const telemetry = new DatabaseSync(join(folder, 'telemetry.db'));
  telemetry
    .prepare(
      `WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?)
       INSERT INTO telemetry_events (at, body)
       SELECT at, body FROM numbers, (SELECT at, body FROM telemetry_events ORDER BY sequence DESC LIMIT 1)`,
    )
    .run(count * EVENTS_PER_EXECUTION);
  telemetry.close();
  const size = async (name: string) => ((await stat(join(folder, name))).size / 1024 / 1024).toFixed(0);
  console.log(
    `${folder.split('/').at(-1)}: region.db ${await size('region.db')} MiB, telemetry.db ${await size('telemetry.db')} MiB`,
  );
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
