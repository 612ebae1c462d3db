import { expect, test } from 'vitest';
import { seededRandom } from '../core/random.ts';
import type { NewRegionEvent } from '../model/event.ts';
import { systemClock } from '../platform/clock.ts';
import { createReconcileLoop, type ReconcileLoop } from './reconcile-loop.ts';

test('runs once at the start, and ten wakes during a run cost one more', async () => {
  let runs = 0;
  const { loop, ended } = startLoop(async loop => {
    runs += 1;
    if (runs === 1) for (let count = 0; count < 10; count += 1) loop.wake();
    await Promise.resolve();
    if (runs === 2) ended.resolve();
  });
  await ended.promise;
  await loop.stop();
  expect(runs).toBe(2);
});

test('two runs never overlap', async () => {
  let runs = 0;
  let present = 0;
  let most = 0;
  const { loop, ended } = startLoop(async loop => {
    present += 1;
    most = Math.max(most, present);
    loop.wake();
    await new Promise(resolve => setImmediate(resolve));
    present -= 1;
    runs += 1;
    if (runs === 5) ended.resolve();
  });
  await ended.promise;
  await loop.stop();
  expect(most).toBe(1);
  expect(present).toBe(0);
});

test('runs again at the earliest instant asked for', async () => {
  const woken: number[] = [];
  const soon = systemClock.now() + 20;
  const { loop, ended } = startLoop(loop => {
    woken.push(systemClock.now());
    if (woken.length > 1) ended.resolve();
    loop.wakeAt(soon + 60_000);
    loop.wakeAt(soon);
    loop.wakeAt(soon + 30_000);
  });
  await ended.promise;
  await loop.stop();
  expect(woken).toHaveLength(2);
});

test('a failed run is told once per distinct message and tried again until it succeeds', async () => {
  let runs = 0;
  const { loop, ended, events } = startLoop(loop => {
    runs += 1;
    if (runs === 4) {
      ended.resolve();
      return;
    }
    loop.wake();
    throw new Error(runs < 3 ? 'disk full' : 'table locked');
  });
  await ended.promise;
  await loop.stop();
  expect(events.map(event => event.message)).toEqual([
    'The tester could not carry on and tries again: disk full',
    'The tester could not carry on and tries again: table locked',
  ]);
});

test('stop waits for the present run, and nothing runs afterwards', async () => {
  let runs = 0;
  let hasFinished = false;
  const { loop, ended } = startLoop(async () => {
    runs += 1;
    ended.resolve();
    await new Promise(resolve => setImmediate(resolve));
    hasFinished = true;
  });
  await ended.promise;
  await loop.stop();
  expect(hasFinished).toBe(true);
  loop.wake();
  loop.wakeAt(0);
  await new Promise(resolve => setImmediate(resolve));
  expect(runs).toBe(1);
});

function startLoop(reconcile: (loop: ReconcileLoop) => void | Promise<void>) {
  const ended = Promise.withResolvers<void>();
  const events: NewRegionEvent[] = [];
  const log = {
    append: (event: NewRegionEvent) => {
      events.push(event);
      return { ...event, sequence: events.length, at: 0, region: 'us-east-1' };
    },
    read: () => {
      throw new Error('not read here');
    },
  };
  const loop = createReconcileLoop(
    { clock: systemClock, random: seededRandom(1), events: log },
    'tester',
    reconcile,
  );
  return { loop, ended, events };
}
