import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { randomBelow, type Random } from '../../src/core/random.ts';
import type { TaskRecord } from '../../src/local/compute/task-record.ts';
import type { Endpoint } from '../../src/platform/network.ts';
import { daemonsUnder } from '../../src/platform/process-table.ts';
import type { ChaosCloud } from './chaos-cloud.ts';
import type { Traffic } from './traffic.ts';

/** What can be hit. `region-outage` ends everything of one region at once, `power-cut` everything there is. */
const FAULT_KINDS = [
  'region',
  'supervisor',
  'balancer',
  'task',
  'wrapper',
  'build',
  'git',
  'pause',
  'region-outage',
  'power-cut',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** How often each is chosen. */
const WEIGHTS: Record<FaultKind, number> = {
  region: 7,
  supervisor: 3,
  balancer: 2,
  task: 3,
  wrapper: 2,
  build: 6,
  git: 5,
  pause: 2,
  'region-outage': 1,
  'power-cut': 1,
};

export interface Victim {
  pid: number;
  kind: FaultKind | 'other';
  region?: string;
  title: string;
  cwd: string;
}

/** Short-lived processes are waited for. */
const HUNT_MS = 1_500;
const LONGEST_AIM_MS = 150;
const LONGEST_PAUSE_MS = 3_000;

/** Balancers are hit in proportion to how many a region has, one process at a time. */
export function chooseFault(random: Random, balancerProcesses: number): FaultKind {
  const weightOf = (kind: FaultKind) => WEIGHTS[kind] * (kind === 'balancer' ? balancerProcesses : 1);
  let rest = randomBelow(
    random,
    FAULT_KINDS.reduce((sum, kind) => sum + weightOf(kind), 0),
  );
  for (const kind of FAULT_KINDS) {
    rest -= weightOf(kind);
    if (rest < 0) return kind;
  }
  return 'region';
}

/** Every process of the cloud and what it is, by where it works and what it is called. */
export function victims(cloud: ChaosCloud): Victim[] {
  // One that has no command line any more was killed already, and the kernel is not done with it.
  const living = daemonsUnder(cloud.test.dataDir).filter(({ title }) => title !== '');
  return living.map(({ pid, title, cwd }) => {
    const region = cloud.regions.find(name => (cwd + '/').startsWith(cloud.folder(name) + '/'));
    return { pid, title, cwd, kind: kindOf(title, cwd), ...(region !== undefined && { region }) };
  });
}

function kindOf(title: string, cwd: string): Victim['kind'] {
  if (title.startsWith('tandem supervisor')) return 'supervisor';
  if (title.startsWith('tandem region')) return 'region';
  if (title.includes('balancer-process')) return 'balancer';
  if (title.includes('tandem-task')) return 'wrapper';
  if (cwd.includes('/compute/tasks/')) return 'task';
  if (cwd.includes('/build/') || title.includes('/build/')) return 'build';
  return title.includes('git') ? 'git' : 'other';
}

/**
 * Does one fault, and gives one line saying what was done; `undefined` where there was nothing to hit, or where it
 * would have taken the last task that answers users: no cloud could answer then.
 */
export async function inflict(
  cloud: ChaosCloud,
  kind: FaultKind,
  random: Random,
  traffic: Traffic,
): Promise<string | undefined> {
  if (kind === 'power-cut') {
    return `power-cut: ${killAll(cloud, cloud.regions, traffic, () => true)} processes`;
  }
  if (kind === 'region-outage') {
    const region = cloud.regions[randomBelow(random, cloud.regions.length)]!;
    const count = killAll(cloud, [region], traffic, victim => victim.region === region);
    return `region-outage: ${count} processes of ${region}`;
  }
  const aimMs = randomBelow(random, LONGEST_AIM_MS);
  const choice = random.next();
  const pauseMs = 100 + randomBelow(random, LONGEST_PAUSE_MS);
  const wanted = kind === 'pause' ? 'region' : kind;
  if (!(await hunt(cloud, wanted))) return undefined;
  await delay(aimMs);
  const candidates = victims(cloud).filter(victim => victim.kind === wanted);
  const victim = candidates[Math.floor(choice * candidates.length)];
  if (!victim) return undefined;
  if ((kind === 'task' || kind === 'wrapper') && (await isNeeded(cloud, victim, traffic))) return undefined;
  if (kind === 'pause') return pause(victim, pauseMs);
  if (kind === 'balancer') traffic.interrupt([victim.region!], () => kill(victim.pid));
  else if (!kill(victim.pid)) return undefined;
  return `${kind} ${victim.pid}${victim.region === undefined ? '' : ` of ${victim.region}`}: ${victim.title.replaceAll(/\s+/g, ' ').slice(0, 60)}`;
}

/** Again and again until none is left: what was just being started shows up late. */
function killAll(
  cloud: ChaosCloud,
  regions: readonly string[],
  traffic: Traffic,
  isMeant: (victim: Victim) => boolean,
): number {
  const killed = new Set<number>();
  traffic.interrupt(regions, () => {
    for (;;) {
      const found = victims(cloud).filter(victim => isMeant(victim) && !killed.has(victim.pid));
      if (found.length === 0) return;
      for (const { pid } of found) {
        kill(pid);
        killed.add(pid);
      }
    }
  });
  return killed.size;
}

async function hunt(cloud: ChaosCloud, kind: Victim['kind']): Promise<boolean> {
  const end = performance.now() + HUNT_MS;
  while (!victims(cloud).some(victim => victim.kind === kind)) {
    if (performance.now() > end) return false;
    await delay(10);
  }
  return true;
}

async function pause({ pid, region, title }: Victim, pauseMs: number): Promise<string> {
  process.kill(pid, 'SIGSTOP');
  await delay(pauseMs);
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // Something else has ended it meanwhile.
  }
  return `pause ${pid} of ${region} for ${pauseMs} ms: ${title}`;
}

/**
 * A production task is only hit while another one serves: with two tasks, one may fail at a time. Where the one before
 * has only just been hit, its region need not know yet; so another one must also answer by itself.
 */
async function isNeeded(cloud: ChaosCloud, victim: Victim, traffic: Traffic): Promise<boolean> {
  const taskId = /^TASK_ID=(.*)$/m.exec(environmentOf(victim.pid))?.[1];
  if (taskId === undefined || victim.region === undefined) return true;
  const tasks = liveTasks(join(cloud.folder(victim.region), 'region.db'));
  if (tasks.find(({ id }) => id === taskId)?.service !== 'production') return false;
  if (traffic.isOut(victim.region)) return true;
  const status = await cloud
    .region(victim.region)
    .status()
    .catch(() => undefined);
  const production = status?.services.find(({ name }) => name === 'production');
  const areOthersKnown =
    production !== undefined &&
    production.healthyTargets >= 2 &&
    production.healthyTargets >= production.running;
  if (!areOthersKnown) return true;
  const others = tasks.filter(
    ({ id, service, status, stoppingAt }) =>
      id !== taskId && service === 'production' && status === 'RUNNING' && stoppingAt === undefined,
  );
  const answers = await Promise.all(others.map(({ endpoint }) => isAnswering(endpoint!)));
  return !answers.includes(true);
}

function liveTasks(path: string): TaskRecord[] {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    const rows = database.prepare('SELECT body FROM compute_tasks WHERE is_over = 0').all();
    return rows.map(({ body }) => JSON.parse(String(body)) as TaskRecord);
  } finally {
    database.close();
  }
}

async function isAnswering({ address, port }: Endpoint): Promise<boolean> {
  return fetch(`http://${address}:${port}/health`, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').replaceAll('\0', '\n');
  } catch {
    return '';
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
