import { setTimeout as delay } from 'node:timers/promises';
import { randomBelow, seededRandom } from '../../src/core/random.ts';
import { TestCloud } from '../end-to-end/test-cloud.ts';
import { ChaosCloud, untilNothingIsMissing } from './chaos-cloud.ts';
import { checkBlobs, checkDatabases, checkDigests, checkLeftovers } from './checkers/disk.ts';
import {
  checkDecisions,
  checkHonestEnds,
  checkPromisedExecutions,
  unfinishedExecutions,
} from './checkers/executions.ts';
import { checkProcesses } from './checkers/processes.ts';
import { checkPushes, checkRepositories } from './checkers/pushes.ts';
import { unsettledServices } from './checkers/services.ts';
import { checkTraffic } from './checkers/traffic.ts';
import { chooseFault, inflict, victims, type FaultKind } from './faults.ts';
import { emptyHistory, type History } from './history.ts';
import { Operations } from './operations.ts';
import { Traffic } from './traffic.ts';

export interface ChaosOptions {
  seed: number;
  /** How many faults are done before all heals. */
  faults: number;
  log(line: string): void;
  /** Ends the storm early; nothing is checked then. */
  signal?: AbortSignal;
  /** Leaves the folder as it is where an invariant broke, to be looked at. */
  keepBroken?: boolean;
}

export interface ChaosReport {
  seed: number;
  faults: Partial<Record<FaultKind, number>>;
  operations: number;
  history: History;
  healedAfterMs: number;
  broken: string[];
}

const MOST_BALANCER_PROCESSES = 3;
const LONGEST_PAUSE_MS = 1_200;
const LONGEST_WITHOUT_SUPERVISOR_MS = 2_000;
const CONVERGENCE_LIMIT_MS = 60_000;

/**
 * One seed, one storm: people work and users use while processes are killed at random moments; then the faults end,
 * the cloud has a bounded time to settle, and every checker looks at what is there.
 */
export async function runChaos({
  seed,
  faults,
  log,
  signal,
  keepBroken,
}: ChaosOptions): Promise<ChaosReport> {
  const random = seededRandom(seed);
  const history = emptyHistory();
  const report: ChaosReport = { seed, faults: {}, operations: 0, history, healedAfterMs: 0, broken: [] };
  const balancerProcesses = (seed % MOST_BALANCER_PROCESSES) + 1;
  log(`load balancer processes a region: ${balancerProcesses}`);
  const test = await TestCloud.up({
    deployment: { bakeTimeMinutes: 0 },
    service: { stopTimeoutSeconds: 5 },
    local: { balancerProcesses },
  });
  try {
    const cloud = await ChaosCloud.of(test);
    await deliverFirst(cloud);
    await storm(cloud, { random, faults, balancerProcesses, log, signal, history, report });
    if (signal?.aborted) return report;
    report.broken.push(...(await checkRunning(cloud, history)));
    report.broken.push(...(await checkStopped(cloud)));
    if (report.broken.length > 0) log(cloud.logs());
  } finally {
    if (keepBroken && report.broken.length > 0) log(`kept: ${test.dataDir}`);
    else await test.dispose();
  }
  return report;
}

/** Production runs in every region before the first fault: only then can it keep answering. */
async function deliverFirst(cloud: ChaosCloud): Promise<void> {
  for (const argv of [['push'], ['approve']]) {
    const output = await cloud.test.tandem(...argv);
    if (output.exitCode !== 0 && output.exitCode !== 4) throw new Error(output.stdout + output.stderr);
  }
}

interface Storm {
  random: ReturnType<typeof seededRandom>;
  faults: number;
  balancerProcesses: number;
  log(line: string): void;
  signal: AbortSignal | undefined;
  history: History;
  report: ChaosReport;
}

async function storm(cloud: ChaosCloud, options: Storm): Promise<void> {
  const { random, faults, balancerProcesses, log, signal, history, report } = options;
  const since = performance.now();
  const traffic = new Traffic(cloud, history);
  const operations = new Operations(cloud, history, seededRandom(randomBelow(random, 2 ** 31)));
  let done = 0;
  while (done < faults && !signal?.aborted) {
    await delay(randomBelow(random, LONGEST_PAUSE_MS));
    const kind = chooseFault(random, balancerProcesses);
    const withoutSupervisorMs = randomBelow(random, LONGEST_WITHOUT_SUPERVISOR_MS);
    const what = await inflict(cloud, kind, random, traffic);
    if (what === undefined) continue;
    done += 1;
    report.faults[kind] = (report.faults[kind] ?? 0) + 1;
    log(`${((performance.now() - since) / 1_000).toFixed(1)} s  ${done}  ${what}`);
    if (kind !== 'supervisor' && kind !== 'power-cut') continue;
    await delay(withoutSupervisorMs);
    const { exitCode, stdout, stderr } = await cloud.up();
    if (exitCode !== 0) report.broken.push(`tandem up after ${kind} ended ${exitCode}: ${stdout}${stderr}`);
  }
  await operations.stop();
  report.operations = operations.attempted;
  if (!signal?.aborted) await settle(cloud, report);
  await traffic.stop();
}

async function settle(cloud: ChaosCloud, report: ChaosReport): Promise<void> {
  const healedAt = performance.now();
  const missing = await untilNothingIsMissing(CONVERGENCE_LIMIT_MS, () => whatIsMissing(cloud));
  report.healedAfterMs = Math.round(performance.now() - healedAt);
  if (missing !== undefined) report.broken.push(`not settled after ${CONVERGENCE_LIMIT_MS} ms: ${missing}`);
}

async function whatIsMissing(cloud: ChaosCloud): Promise<string | undefined> {
  const building = victims(cloud).filter(({ kind }) => kind === 'build' || kind === 'git');
  const missing = [
    ...(await unfinishedExecutions(cloud)),
    ...(await unsettledServices(cloud)),
    ...building.map(({ title }) => `still runs: ${title}`),
  ];
  return missing.length === 0 ? undefined : missing.join('; ');
}

async function checkRunning(cloud: ChaosCloud, history: History): Promise<string[]> {
  return [
    ...checkTraffic(history),
    ...(await checkPushes(cloud, history)),
    ...(await checkRepositories(cloud)),
    ...(await checkPromisedExecutions(cloud, history)),
    ...(await checkDecisions(cloud, history)),
    ...(await checkHonestEnds(cloud)),
  ];
}

async function checkStopped(cloud: ChaosCloud): Promise<string[]> {
  const { exitCode, stdout, stderr } = await cloud.test.tandem('down');
  return [
    ...(exitCode === 0 ? [] : [`tandem down ended ${exitCode}: ${stdout}${stderr}`]),
    ...checkProcesses(cloud.test.dataDir),
    ...checkDatabases(cloud),
    ...checkBlobs(cloud),
    ...checkDigests(cloud),
    ...checkLeftovers(cloud),
  ];
}
