import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ENDED_EXECUTION_STATUSES, type Execution } from '../../src/model/execution.ts';
import { folderSize } from '../../src/platform/files.ts';
import { TestCloud } from '../end-to-end/test-cloud.ts';
import { ChaosCloud } from './chaos-cloud.ts';
import { victims } from './faults.ts';
import { emptyHistory } from './history.ts';
import { Traffic } from './traffic.ts';

/*
 * Months of work in minutes: executions, deployments, rollbacks and restarts one after another under traffic, with
 * what everything takes (memory, file descriptors, disk, rows) measured over time.
 *
 *   npm run soak -- --executions 60 --samples 10
 */
const { values } = parseArgs({
  options: {
    executions: { type: 'string', default: '60' },
    samples: { type: 'string', default: '10' },
  },
});
const executions = Number(values.executions);
const everyNth = Math.max(1, Math.floor(executions / Number(values.samples)));
const ROLLBACK_EVERY = 5;
const RESTART_EVERY = 7;

const test = await TestCloud.up({ deployment: { bakeTimeMinutes: 0 }, service: { stopTimeoutSeconds: 5 } });
try {
  await soak(await ChaosCloud.of(test));
} finally {
  await test.dispose();
}

async function soak(cloud: ChaosCloud): Promise<void> {
  await cloud.test.tandem('push');
  await cloud.test.tandem('approve');
  const history = emptyHistory();
  const traffic = new Traffic(cloud, history);
  const samples: { at: string; figures: Record<string, number> }[] = [];
  for (let round = 1; round <= executions; round += 1) {
    const commit = await cloud.test.commit(`Change ${round}`);
    const { exitCode, stderr } = await cloud.push(cloud.regions[round % 2]!, commit, 'refs/heads/main');
    if (exitCode !== 0) throw new Error(`the push of change ${round} failed: ${stderr}`);
    await Promise.all(cloud.regions.map(region => deliver(cloud, region, commit)));
    if (round % ROLLBACK_EVERY === 0) await rollBack(cloud);
    if (round % RESTART_EVERY === 0) await cloud.region(cloud.regions[0]!).restart('production');
    if (round % everyNth > 0) continue;
    samples.push({ at: `#${round}`, figures: await measure(cloud) });
    console.log(`${round} of ${executions} changes, ${history.answered} requests`);
  }
  await traffic.stop();
  report(samples);
  console.log(`${history.answered} requests answered, ${history.traffic.length} lost`);
  if (history.traffic.length > 0) process.exitCode = 1;
}

async function deliver(cloud: ChaosCloud, region: string, commit: string): Promise<void> {
  const client = cloud.region(region);
  const own = (executions: Execution[]) => executions.find(execution => execution.commit.id === commit);
  const waiting = await until(async () => {
    const execution = own(await client.executions({ limit: 5 }));
    return execution?.status === 'Waiting' ? execution : undefined;
  });
  await client.approve({ executionId: waiting.id, by: 'soak', comment: '' });
  await ended(cloud, region, waiting.id);
}

async function rollBack(cloud: ChaosCloud): Promise<void> {
  await Promise.all(
    cloud.regions.map(async region => {
      const { id } = await cloud.region(region).rollback({ by: 'soak' });
      await ended(cloud, region, id);
    }),
  );
}

async function ended(cloud: ChaosCloud, region: string, id: string): Promise<void> {
  const { status, cause } = await until(async () => {
    const execution = await cloud.region(region).execution(id);
    return ENDED_EXECUTION_STATUSES.has(execution.status) ? execution : undefined;
  });
  if (status !== 'Succeeded') throw new Error(`execution ${id} in ${region} is ${status}: ${cause}`);
}

async function until<Found>(look: () => Promise<Found | undefined>): Promise<Found> {
  const end = performance.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error('nothing happens any more');
    await delay(50);
  }
}

async function measure(cloud: ChaosCloud): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  for (const { pid, kind, region } of victims(cloud)) {
    if (!['supervisor', 'region', 'balancer'].includes(kind)) continue;
    const name = [region, kind].filter(part => part !== undefined).join(' ');
    figures[`${name} MB`] = memoryMb(pid);
    figures[`${name} descriptors`] = readdirSync(`/proc/${pid}/fd`).length;
  }
  figures['processes'] = victims(cloud).length;
  for (const region of cloud.regions) {
    const folder = cloud.folder(region);
    for (const name of await foldersToMeasure(folder)) {
      figures[`${region} ${name} kB`] = Math.round((await folderSize(join(folder, name))) / 1_024);
    }
    figures[`${region} tasks kept`] = readdirSync(join(folder, 'compute/tasks')).length;
    figures[`${region} images unpacked`] = readdirSync(join(folder, 'compute/images')).length;
    for (const file of ['region.db', 'telemetry.db'])
      Object.assign(figures, rowsOf(region, join(folder, file)));
  }
  return figures;
}

async function foldersToMeasure(folder: string): Promise<string[]> {
  return [
    'build/cache',
    'build/artifacts',
    'build/work',
    'compute',
    'registry',
    'repository',
    'balancer',
  ].filter(name => existsSync(join(folder, name)));
}

function rowsOf(region: string, path: string): Record<string, number> {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    const names = tables.map(({ name }) => String(name)).filter(name => !name.startsWith('sqlite_'));
    return Object.fromEntries(
      names.map(name => [
        `${region} ${name} rows`,
        Number(database.prepare(`SELECT count(*) AS count FROM "${name}"`).get()!['count']),
      ]),
    );
  } finally {
    database.close();
  }
}

function memoryMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1_024);
}

/** One line a figure; `grows` where it was higher at the end than ever in the first half. */
function report(samples: readonly { at: string; figures: Record<string, number> }[]): void {
  const names = [...new Set(samples.flatMap(({ figures }) => Object.keys(figures)))].sort();
  const width = Math.max(...names.map(name => name.length));
  console.log([' '.repeat(width), ...samples.map(({ at }) => at.padStart(7))].join(''));
  for (const name of names) {
    const series = samples.map(({ figures }) => figures[name] ?? 0);
    const firstHalf = Math.max(...series.slice(0, Math.ceil(series.length / 2)));
    const mark = series.at(-1)! > firstHalf ? '  grows' : '';
    console.log(name.padEnd(width) + series.map(value => String(value).padStart(7)).join('') + mark);
  }
}
