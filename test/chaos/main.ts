import { parseArgs } from 'node:util';
import { runChaos, type ChaosReport } from './run-chaos.ts';

/*
 * npm run chaos                          storm after storm, each with a seed of its own, until Ctrl-C
 * npm run chaos -- --faults 2000         until so many faults are done
 * npm run chaos -- --seed 7              one storm, replayed; with --faults where it had another number than 40
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    faults: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const FAULTS_PER_STORM = 40;
const interrupted = new AbortController();
process.once('SIGINT', () => {
  console.log('ending: this storm counts no more, and what it made is removed');
  interrupted.abort();
});

const reports: ChaosReport[] = [];
if (values.seed === undefined) await stormUntil(Number(values.faults ?? Number.POSITIVE_INFINITY));
else await storm(Number(values.seed), Number(values.faults ?? FAULTS_PER_STORM));
summarize();

async function stormUntil(total: number): Promise<void> {
  let seed = Math.floor(Math.random() * 1e9);
  while (countOf(reports) < total && !interrupted.signal.aborted) {
    await storm(seed, Math.min(FAULTS_PER_STORM, total - countOf(reports)));
    seed += 1;
  }
}

async function storm(seed: number, faults: number): Promise<void> {
  console.log(`storm ${reports.length + 1}, ${faults} faults; replay: ${replayOf(seed, faults)}`);
  const report = await runChaos({
    seed,
    faults,
    log: line => console.log(`  ${line}`),
    signal: interrupted.signal,
    keepBroken: values.keep,
  });
  if (interrupted.signal.aborted) return;
  reports.push(report);
  const { history, operations, healedAfterMs, broken } = report;
  console.log(
    `  ${operations} operations; acknowledged: ${history.pushes.length} pushes, ${history.decisions.length} decisions, ` +
      `${history.executions.length} retries and rollbacks; ${history.answered} requests answered, ` +
      `${history.traffic.length} cut off with their load balancer; settled after ${healedAfterMs} ms`,
  );
  for (const line of broken) console.log(`  BROKEN ${line}`);
}

function summarize(): void {
  const kinds: Record<string, number> = {};
  for (const { faults } of reports) {
    for (const [kind, count] of Object.entries(faults)) kinds[kind] = (kinds[kind] ?? 0) + count;
  }
  console.log(`${reports.length} storms, ${countOf(reports)} faults: ${JSON.stringify(kinds)}`);
  const broken = reports.filter(report => report.broken.length > 0);
  if (broken.length === 0) {
    console.log('every invariant held');
    return;
  }
  const replays = broken.map(report => replayOf(report.seed, countOf([report])));
  console.log(`BROKEN in ${broken.length} storms; replay: ${replays.join('; ')}`);
  process.exitCode = 1;
}

function countOf(of: readonly ChaosReport[]): number {
  return of.flatMap(({ faults }) => Object.values(faults)).reduce((sum, count) => sum + count, 0);
}

function replayOf(seed: number, faults: number): string {
  return `npm run chaos -- --seed ${seed} --faults ${faults}`;
}
