/*
 * What local clouds of two regions cost while nothing happens: memory and processor time of every process of theirs,
 * and how long the first and the last of them take to say their status, by the API and by the command. Run: npm run bench:idle -- [clouds] [seconds]; by default one cloud, 20 seconds. Linux only.
 *
 * `own` is what a process alone holds (private pages); program code that all of them map counts once, as the machine
 * has it once. `resident` is the plain sum that `ps` suggests, in which Node.js's own code counts for each process.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { daemonsUnder } from '../src/platform/process-table.ts';
import { ExampleCloud, quantile, timed } from './example-cloud.ts';

const TICKS_PER_SECOND = 100;
const SETTLE_MS = 10_000;
const API_REQUESTS = 200;
const COMMANDS = 7;

interface Cost {
  title: string;
  ownKb: number;
  sharedKb: number;
  ticks: number;
}

const count = Number(process.argv[2] ?? 1);
const seconds = Number(process.argv[3] ?? 20);
const clouds: ExampleCloud[] = [];
try {
  for (let index = 0; index < count; index += 1) {
    const cloud = await ExampleCloud.prepare();
    clouds.push(cloud);
    await cloud.up();
  }
  await delay(SETTLE_MS);
  const before = costs();
  await delay(seconds * 1000);
  const after = costs();
  print(before, after);
  await measureStatus();
} finally {
  for (const cloud of clouds) await cloud.dispose();
}

function costs(): Map<number, Cost> {
  const processes = clouds.flatMap(cloud => daemonsUnder(cloud.dataDir));
  return new Map(processes.map(({ pid, title }) => [pid, { title, ...memoryOf(pid), ticks: ticksOf(pid) }]));
}

function memoryOf(pid: number): { ownKb: number; sharedKb: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
  const ownKb = field('Private_Clean') + field('Private_Dirty');
  return { ownKb, sharedKb: field('Rss') - ownKb };
}

/** User and system time, in clock ticks: fields 14 and 15 of /proc/<pid>/stat. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function print(before: Map<number, Cost>, after: Map<number, Cost>): void {
  let own = 0;
  let resident = 0;
  let shared = 0;
  let ticks = 0;
  for (const [pid, { title, ownKb, sharedKb, ticks: now }] of after) {
    const spent = now - (before.get(pid)?.ticks ?? 0);
    own += ownKb;
    resident += ownKb + sharedKb;
    shared = Math.max(shared, sharedKb);
    ticks += spent;
    if (count === 1)
      console.log(`${short(title).padEnd(40)} own ${mib(ownKb)}  shared ${mib(sharedKb)}  ${percent(spent)}`);
  }
  console.log(
    `${after.size} processes of ${count} cloud(s): ${mib(own + shared)} in memory, shared code once`,
  );
  console.log(`  own ${mib(own)} (${mib(own / count)} a cloud), shared ${mib(shared)}`);
  console.log(`  resident, shared code counted for each process: ${mib(resident)}`);
  console.log(`  processor: ${percent(ticks)} of one core over ${seconds} s`);
}

async function measureStatus(): Promise<void> {
  const asked = [...new Set([clouds[0]!, clouds.at(-1)!])];
  const requests: number[] = [];
  const commands: number[] = [];
  for (const cloud of asked) {
    const endpoints = (await cloud.status()).regions.map(({ endpoint }) => endpoint);
    for (let index = 0; index < API_REQUESTS; index += 1) {
      const url = `${endpoints[index % endpoints.length]}/api/status`;
      requests.push(await timed(async () => (await fetch(url)).arrayBuffer()));
    }
    for (let index = 0; index < COMMANDS; index += 1) commands.push(await timed(() => cloud.status()));
  }
  const spread = (values: number[]) =>
    `p50 ${quantile(values, 0.5).toFixed(1)} ms, p99 ${quantile(values, 0.99).toFixed(1)} ms, ${values.length} times`;
  console.log(`  GET /api/status: ${spread(requests)}`);
  console.log(`  tandem status: ${spread(commands)}`);
}

function short(title: string): string {
  return /balancer-process/.test(title)
    ? `balancer ${/regions\/([^/]+)/.exec(title)?.[1] ?? ''}`
    : title.slice(0, 40);
}

function mib(kb: number): string {
  return `${(kb / 1024).toFixed(0).padStart(4)} MiB`;
}

function percent(ticks: number): string {
  return `${((100 * ticks) / TICKS_PER_SECOND / seconds).toFixed(2)} %`;
}
