/*
 * The whole journey on this machine, with the example: up, push to healthy in staging (cold: nothing cached; warm: another
 * commit), approval to healthy in production, in both regions. Each is broken into its parts, from events and the build's
 * log, and set against what a person types instead, measured in the same minute: with podman where it is installed, and
 * as bare commands without images. Warm is measured several times: npm run bench:journey -- [rounds, 3]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BareCommands, type ByHand, type Row } from './by-hand.ts';
import { PodmanByHand } from './by-hand-podman.ts';
import { ExampleCloud, quantile, timed, type TimedEvent } from './example-cloud.ts';

/** Milliseconds of one way, and of the same by each hand. */
type Measured = Map<string, number>;

const OURS = 'tandem';
const rounds = Number(process.argv[2] ?? 3);

const cloud = await ExampleCloud.prepare();
const folder = await mkdtemp(join(tmpdir(), 'tandem-by-hand-'));
const podman = await PodmanByHand.prepare(cloud, folder);
const hands: ByHand[] = [...(podman ? [podman] : []), new BareCommands(cloud, folder)];
try {
  print('up: both regions ready', await timed(() => cloud.up()));
  await measurePush('push to healthy in staging, cold');
  await measureApproval('approval to healthy in production, first');
  const sums: Measured[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await cloud.commit(`Round ${round}`);
    const pushed = await measurePush(`push to healthy in staging, warm, round ${round}`);
    const approved = await measureApproval(`approval to healthy in production, replacing, round ${round}`);
    sums.push(new Map([...pushed].map(([name, ms]) => [name, ms + approved.get(name)!])));
  }
  summarize('warm push and replacing approval, median', sums);
  print('status', await timed(() => cloud.status()));
  print('down', await timed(() => cloud.tandem([0], 'down')));
  print('up again: tasks and all', await timed(() => cloud.up()));
} finally {
  await podman?.dispose();
  await rm(folder, { recursive: true, force: true });
  await cloud.dispose();
}

async function measurePush(what: string): Promise<Measured> {
  const byHand = new Map<string, Row[]>();
  for (const hand of hands) byHand.set(hand.name, [...(await hand.build()), await hand.start()]);
  const start = Date.now();
  await cloud.tandem([4], 'push');
  const events = await cloud.eventsSince(start);
  const log = await cloud.buildLogSince(start);
  const measured = report(what, steadyAt(events, 'staging') - start, byHand);
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
  return measured;
}

async function measureApproval(what: string): Promise<Measured> {
  const byHand = new Map<string, Row[]>();
  for (const hand of hands) byHand.set(hand.name, [await hand.start()]);
  const start = Date.now();
  await cloud.tandem([0], 'approve');
  const events = await cloud.eventsSince(start);
  const measured = report(what, steadyAt(events, 'production') - start, byHand);
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
  return measured;
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

function report(what: string, ms: number, byHand: ReadonlyMap<string, readonly Row[]>): Measured {
  const measured: Measured = new Map([[OURS, ms]]);
  print(what, ms);
  for (const [name, rows] of byHand) {
    const total = rows.reduce((sum, [, each]) => sum + each, 0);
    measured.set(name, total);
    print(`  by hand, ${name}`, total, timesOf(ms, total));
    for (const [part, each] of rows) print(`    ${part}`, each);
  }
  return measured;
}

function summarize(what: string, sums: readonly Measured[]): void {
  const middle = (name: string) =>
    quantile(
      sums.map(sum => sum.get(name)!),
      0.5,
    );
  print(what, middle(OURS));
  for (const { name } of hands)
    print(`  by hand, ${name}`, middle(name), timesOf(middle(OURS), middle(name)));
}

function timesOf(ms: number, byHand: number): string {
  return `tandem takes ${(ms / byHand).toFixed(2)} times as long`;
}

function printParts(parts: readonly Row[]): void {
  console.log('  its parts');
  for (const [part, ms] of parts) print(`    ${part}`, ms);
}

function print(what: string, ms: number, remark = ''): void {
  console.log(`${what.padEnd(52)} ${(ms / 1000).toFixed(2).padStart(7)} s  ${remark}`.trimEnd());
}
