import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ENDED_EXECUTION_STATUSES, type Execution } from '../../src/model/execution.ts';
import { folderSize } from '../../src/platform/files.ts';
import { run, TANDEM, TestCloud, testEnvironment } from '../end-to-end/test-cloud.ts';
import { ChaosCloud } from './chaos-cloud.ts';
import { victims } from './faults.ts';
import { emptyHistory } from './history.ts';
import { TimeOfDay } from './time-of-day.ts';
import { Traffic } from './traffic.ts';

/*
 * A year of work in minutes: bursts of pushes, deployments, rollbacks and restarts one after another under traffic, with
 * what everything takes (memory, file descriptors, disk, rows) measured over time. Where Debian's package `faketime` is
 * installed each round is a day, so that what is kept for weeks or a year is seen to go.
 *
 *   npm run soak -- --executions 10000 --requests 1000000 --samples 10
 */
const { values } = parseArgs({
  options: {
    executions: { type: 'string', default: '1000' },
    requests: { type: 'string', default: '100000' },
    samples: { type: 'string', default: '10' },
  },
});
/** All but the last of a round's are superseded, as when many people push at once. */
const PUSHES_PER_ROUND = 10;
const REGIONS = 2;
const ROLLBACK_EVERY = 5;
const RESTART_EVERY = 7;
const rounds = Math.max(1, Math.round(Number(values.executions) / PUSHES_PER_ROUND / REGIONS));
const everyNth = Math.max(1, Math.floor(rounds / Number(values.samples)));
const requestsPerRound = Math.ceil(Number(values.requests) / rounds);
const startedAt = performance.now();

const test = await TestCloud.prepare({
  deployment: { bakeTimeMinutes: 0 },
  service: { stopTimeoutSeconds: 5 },
  logs: { retentionDays: 30 },
});
const timeOfDay = new TimeOfDay(test.folder);
try {
  await soak(await prepare());
} finally {
  await test.dispose();
}

async function prepare(): Promise<ChaosCloud> {
  const buildspec = join(test.folder, 'buildspec.yml');
  const text = readFileSync(buildspec, 'utf8');
  // What its own tests cost is not what is measured here.
  writeFileSync(buildspec, text.replace(/^.*node --test.*\n/m, ''));
  await test.commit('Without tests');
  const { exitCode, stderr } = await run(
    process.execPath,
    [TANDEM, 'up', '--detach', '--port-base', '0'],
    test.folder,
    { ...testEnvironment(), ...timeOfDay.environment },
  );
  if (exitCode !== 0) throw new Error(stderr);
  return ChaosCloud.of(test);
}

async function soak(cloud: ChaosCloud): Promise<void> {
  const history = emptyHistory();
  await cloud.test.tandem('push');
  await cloud.test.tandem('approve');
  const traffic = new Traffic(cloud, history, { pauseMs: 0, budget: requestsPerRound });
  const samples: { at: string; figures: Record<string, number> }[] = [];
  let deployments = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const region = cloud.regions[round % REGIONS]!;
    for (let push = 1; push < PUSHES_PER_ROUND; push += 1) {
      await test.git('commit', '--quiet', '--allow-empty', '--message', `Change ${round}.${push}`);
      await pushTo(cloud, region, await test.git('rev-parse', 'HEAD'));
    }
    const commit = await test.commit(`Change ${round}`);
    await pushTo(cloud, region, commit);
    await Promise.all(cloud.regions.map(name => deliver(cloud, name, commit)));
    deployments += REGIONS;
    if (round % ROLLBACK_EVERY === 0) {
      await rollBack(cloud);
      deployments += REGIONS;
    }
    if (round % RESTART_EVERY === 0) await cloud.region(cloud.regions[0]!).restart('production');
    await traffic.spend();
    timeOfDay.nextDay();
    traffic.grant(requestsPerRound);
    if (round % everyNth > 0) continue;
    samples.push({ at: `#${round}`, figures: await measure(cloud) });
    console.log(
      `round ${round} of ${rounds}: ${history.answered} requests, ${history.traffic.length} lost, ${minutes()} minutes`,
    );
  }
  await traffic.stop();
  report(samples);
  const numbers = await Promise.all(
    cloud.regions.map(async name => (await cloud.region(name).executions({ limit: 1 }))[0]!.number),
  );
  const executions = numbers.reduce((sum, number) => sum + number, 0);
  console.log(
    `${executions} executions, ${deployments} deployments to production, ${history.answered} requests answered, ` +
      `${history.traffic.length} lost; ${timeOfDay.days} days in ${minutes()} minutes`,
  );
  if (history.traffic.length > 0) process.exitCode = 1;
}

async function pushTo(cloud: ChaosCloud, region: string, commit: string): Promise<void> {
  const { exitCode, stderr } = await cloud.push(region, commit, 'refs/heads/main');
  if (exitCode !== 0) throw new Error(`the push of ${commit} failed: ${stderr}`);
}

function minutes(): string {
  return ((performance.now() - startedAt) / 60_000).toFixed(1);
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
  const end = performance.now() + 180_000;
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
