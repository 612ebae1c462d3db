import { expect, test } from 'vitest';
import { runChaos } from './run-chaos.ts';

const SEED = Number(process.env['CHAOS_SEED'] ?? 20_261);
const FAULTS = 30;

test(
  `${FAULTS} faults at random moments lose nothing that was acknowledged`,
  { timeout: 240_000 },
  async () => {
    const lines: string[] = [];
    const report = await runChaos({ seed: SEED, faults: FAULTS, log: line => lines.push(line) });
    const replay = `npm run chaos -- --seed ${SEED} --faults ${FAULTS}`;
    expect(report.broken, [`replay: ${replay}`, ...lines].join('\n')).toEqual([]);
    // A storm in which nothing was promised would prove nothing.
    expect(report.history.pushes.length).toBeGreaterThan(5);
    expect(report.history.decisions.length).toBeGreaterThan(2);
    expect(report.history.answered).toBeGreaterThan(500);
  },
);
