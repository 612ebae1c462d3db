import { expect, test } from 'vitest';
import type { FaultKind } from './faults.ts';
import { runChaos } from './run-chaos.ts';

/** A seed whose storm has every kind of fault. The order of faults is always the same; their moments are real time's. */
const SEED = 297;
const FAULTS = 34;
const LEAST_KILLS = 30;

test('a storm of kills of every kind breaks nothing that was promised', { timeout: 300_000 }, async () => {
  const lines: string[] = [];
  const { broken, faults, history } = await runChaos({
    seed: SEED,
    faults: FAULTS,
    log: line => lines.push(line),
  });
  expect(broken, `npm run chaos -- --seed ${SEED} --faults ${FAULTS}\n${lines.join('\n')}`).toEqual([]);
  const count = (...kinds: FaultKind[]) => kinds.reduce((sum, kind) => sum + (faults[kind] ?? 0), 0);
  expect(FAULTS - count('pause')).toBeGreaterThanOrEqual(LEAST_KILLS);
  for (const kind of ['region', 'balancer', 'supervisor', 'build', 'power-cut'] as const) {
    expect(count(kind), kind).toBeGreaterThan(0);
  }
  expect(count('task', 'wrapper')).toBeGreaterThan(0);
  expect(history.answered).toBeGreaterThan(0);
  expect(history.pushes).not.toEqual([]);
  expect(history.decisions).not.toEqual([]);
});
