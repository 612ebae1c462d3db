/*
 * The whole journey on this machine, with the example: up, push to healthy in staging (cold: nothing cached; warm: a
 * second commit), approval to healthy in production, in both regions. Each is broken into its parts, from events and
 * the build's log, and set against its floor: what the same commands take when a person runs them by hand in the same
 * minute. Run: npm run bench:journey
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { ExampleCloud, type TimedEvent } from './example-cloud.ts';

type Row = [what: string, ms: number];

/** Two regions with two tasks each. */
const FOUR_SERVERS = '4 of node server.mjs at once, until all answer';

const cloud = await ExampleCloud.prepare();
try {
  const up = await timed(() => cloud.up());
  print('up: both regions ready', up);
  await measurePush('push to healthy in staging, cold');
  await measureApproval('approval to healthy in production, first');
  await cloud.commit('Second');
  await measurePush('push to healthy in staging, warm');
  await measureApproval('approval to healthy in production, replacing');
  print('status', await timed(async () => void (await cloud.status())));
  print('down', await timed(async () => void (await cloud.tandem([0], 'down'))));
  print('up again: tasks and all', await timed(() => cloud.up()));
} finally {
  await cloud.dispose();
}

async function measurePush(what: string): Promise<void> {
  const floor = await buildByHand();
  const start = Date.now();
  await cloud.tandem([4], 'push');
  const events = await cloud.eventsSince(start);
  const log = await cloud.buildLogSince(start);
  report(what, start, steadyAt(events, 'staging'), floor);
  const [primary, secondary] = cloudRegions(events);
  const at = (type: string, region: string, service?: string) => instantOf(events, type, region, service);
  const buildStart = at('BuildStarted', primary);
  const phases = buildParts(log);
  printParts([
    ['command starts, git push, on disk', at('PushReceived', primary) - start],
    ['Source, until the build starts', buildStart - at('PushReceived', primary)],
    ['checkout and tools', phases.firstCommandAt - buildStart],
    ...phases.commands,
    ['reports, artifact, ending what is left', at('BuildSucceeded', primary) - phases.lastCommandAt],
    ['(beside it) the commit in the secondary', at('PushReceived', secondary) - at('PushReceived', primary)],
    ['image to the secondary', at('ImageReplicated', secondary) - at('BuildSucceeded', primary)],
    ...deploymentParts(events, secondary, 'staging'),
  ]);
}

async function measureApproval(what: string): Promise<void> {
  const floor: Row[] = [[FOUR_SERVERS, await startByHand(cloud.folder)]];
  const start = Date.now();
  await cloud.tandem([0], 'approve');
  const events = await cloud.eventsSince(start);
  report(what, start, steadyAt(events, 'production'), floor);
  const [primary] = cloudRegions(events);
  printParts([
    ['command starts, approval on disk', instantOf(events, 'StageSucceeded', primary) - start],
    [
      'until the deployment starts',
      instantOf(events, 'DeploymentStarted', primary, 'production') -
        instantOf(events, 'StageSucceeded', primary),
    ],
    ...deploymentParts(events, primary, 'production'),
  ]);
}

function deploymentParts(events: readonly TimedEvent[], region: string, service: string): Row[] {
  const started = instantOf(events, 'DeploymentStarted', region, service);
  const tasks = events.filter(event => event.region === region && isOf(event, 'TaskStarted', service));
  const lastTask = Math.max(...tasks.map(({ at }) => at));
  return [
    [`image unpacked, ${tasks.length} tasks placed and started`, lastTask - started],
    [
      'their first health, old tasks drained',
      instantOf(events, 'DeploymentSteady', region, service) - lastTask,
    ],
  ];
}

/** The build's log tells when each command began; one ends where the next line of the build's own stands. */
function buildParts(log: readonly string[]) {
  const own = log.flatMap(line => {
    const [, day, time, text] = /^\[Container\] (\S+) (\S+?)000 (.*)$/.exec(line) ?? [];
    return text === undefined ? [] : [{ at: Date.parse(`${day!.replaceAll('/', '-')}T${time}Z`), text }];
  });
  const commands: Row[] = [];
  let firstCommandAt = Number.POSITIVE_INFINITY;
  let lastCommandAt = 0;
  for (const [index, { at, text }] of own.entries()) {
    const command = /^Running command (.*)$/.exec(text)?.[1];
    const next = own[index + 1];
    if (command === undefined || next === undefined) continue;
    firstCommandAt = Math.min(firstCommandAt, at);
    lastCommandAt = next.at;
    commands.push([`$ ${command.slice(0, 44)}`, next.at - at]);
  }
  return { commands, firstCommandAt, lastCommandAt };
}

/** What the buildspec and the Dockerfile make a machine do, without Tandem: npm, the tests, npm again, the files. */
async function buildByHand(): Promise<Row[]> {
  const image = join(cloud.folder, 'node_modules', 'by-hand');
  const rows: Row[] = [
    ['npm ci', await timed(() => cloud.command('npm', 'ci'))],
    ['npm test', await timed(() => cloud.command('npm', 'test'))],
    [
      'the image: npm ci --omit=dev, copy the files',
      await timed(async () => {
        await mkdir(image, { recursive: true });
        for (const name of ['package.json', 'package-lock.json', 'server.mjs', 'healthcheck.cjs', 'app'])
          await cp(join(cloud.folder, name), join(image, name), { recursive: true });
        await cloud.command('npm', 'ci', '--omit=dev', '--prefix', image);
      }),
    ],
  ];
  rows.push([FOUR_SERVERS, await startByHand(image)]);
  await rm(join(cloud.folder, 'node_modules'), { recursive: true, force: true });
  return rows;
}

async function startByHand(folder: string): Promise<number> {
  return timed(async () => void (await Promise.all([1, 2, 3, 4].map(() => startServer(folder)))));
}

async function startServer(folder: string): Promise<void> {
  const child = spawn(process.execPath, ['server.mjs'], {
    cwd: folder,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<string>((resolve, reject) => {
    child.once('exit', code => reject(new Error(`server.mjs ended with exit code ${code}`)));
    child.stdout.on('data', (text: Buffer) => {
      const found = /port (\d+)/.exec(text.toString())?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  await (await fetch(`http://127.0.0.1:${port}/health`)).arrayBuffer();
  child.removeAllListeners('exit').kill('SIGKILL');
}

/** When the last region's deployment was steady: its new tasks healthy. */
function steadyAt(events: readonly TimedEvent[], service: string): number {
  const steady = events.filter(event => isOf(event, 'DeploymentSteady', service));
  if (new Set(steady.map(({ region }) => region)).size < 2)
    throw new Error(`${service} is not steady in both regions`);
  return Math.max(...steady.map(({ at }) => at));
}

function cloudRegions(events: readonly TimedEvent[]): [primary: string, secondary: string] {
  const [primary, secondary] = [...new Set(events.map(({ region }) => region))].toSorted();
  return [primary!, secondary!];
}

function instantOf(events: readonly TimedEvent[], type: string, region: string, service?: string): number {
  const found = events.find(
    event => event.region === region && event.type === type && (!service || event.data.service === service),
  );
  if (!found) throw new Error(`${region} tells of no ${type}`);
  return found.at;
}

function isOf(event: TimedEvent, type: string, service: string): boolean {
  return event.type === type && event.data.service === service;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function report(what: string, start: number, end: number, floor: readonly Row[]): void {
  const floorMs = floor.reduce((sum, [, ms]) => sum + ms, 0);
  print(what, end - start, `${((end - start) / floorMs).toFixed(2)} times the floor`);
  print('  the floor, by hand', floorMs);
  for (const [part, ms] of floor) print(`    ${part}`, ms);
}

function printParts(parts: readonly Row[]): void {
  console.log('  its parts');
  for (const [part, ms] of parts) print(`    ${part}`, ms);
}

function print(what: string, ms: number, remark = ''): void {
  console.log(`${what.padEnd(52)} ${(ms / 1000).toFixed(2).padStart(7)} s  ${remark}`.trimEnd());
}
