import { parseArgs } from 'node:util';
import { runChaos } from './run-chaos.ts';

/*
 * npm run chaos                          storms until 2,000 faults are done, each with a seed of its own
 * npm run chaos -- --seed 7              one storm, replayed
 * npm run chaos -- --faults 60 --total 500
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    faults: { type: 'string', default: '40' },
    total: { type: 'string', default: '2000' },
    keep: { type: 'boolean', default: false },
  },
});
const faults = Number(values.faults);
const total = values.seed === undefined ? Number(values.total) : faults;
let seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed);
const say = (line: string) => console.log(line);

let done = 0;
let storms = 0;
const failed: number[] = [];
const kinds: Record<string, number> = {};
while (done < total) {
  say(
    `storm ${storms + 1}, seed ${seed}, ${faults} faults; replay: npm run chaos -- --seed ${seed} --faults ${faults}`,
  );
  const report = await runChaos({ seed, faults, log: line => say(`  ${line}`), keepBroken: values.keep });
  const { history } = report;
  say(
    `  ${report.operations} operations; acknowledged: ${history.pushes.length} pushes, ${history.decisions.length} decisions, ` +
      `${history.executions.length} retries and rollbacks; ${history.answered} requests answered, ` +
      `${history.traffic.length} cut off with their load balancer; settled after ${report.healedAfterMs} ms`,
  );
  for (const line of report.broken) say(`  BROKEN ${line}`);
  for (const [kind, count] of Object.entries(report.faults)) kinds[kind] = (kinds[kind] ?? 0) + count;
  if (report.broken.length > 0) failed.push(seed);
  done += Object.values(report.faults).reduce((sum, count) => sum + count, 0);
  storms += 1;
  seed += 1;
}
say(`${storms} storms, ${done} faults: ${JSON.stringify(kinds)}`);
if (failed.length === 0) {
  say('every invariant held');
} else {
  say(
    `BROKEN in ${failed.length} storms: ${failed.map(broken => `npm run chaos -- --seed ${broken} --faults ${faults}`).join('; ')}`,
  );
  process.exitCode = 1;
}
