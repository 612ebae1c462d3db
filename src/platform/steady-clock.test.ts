import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/duration.ts';
import { systemClock } from './clock.ts';
import { createSteadyClock } from './steady-clock.ts';

const START = Date.UTC(2026, 0, 1);

describe('a steady clock', () => {
  test('is the time of day as long as nobody sets it', () => {
    const { machine, clock } = steadyOn(new Machine());
    for (let step = 0; step < 1_000; step += 1) {
      machine.pass(317);
      expect(clock.now()).toBe(machine.timeOfDay);
    }
  });

  test.each([3 * HOUR_MS, -3 * HOUR_MS])(
    'measures a minute as about a minute when the time of day is set by %d ms',
    jumpMs => {
      const { machine, clock } = steadyOn(new Machine());
      const before = clock.now();
      machine.pass(30_000);
      machine.timeOfDay += jumpMs;
      machine.pass(30_000);
      expect(Math.abs(clock.now() - before - MINUTE_MS)).toBeLessThanOrEqual(0.1 * MINUTE_MS);
    },
  );

  test.each([HOUR_MS, -HOUR_MS])(
    'has come to the new time of day after ten times as long (%d ms)',
    jumpMs => {
      const { machine, clock } = steadyOn(new Machine());
      machine.timeOfDay += jumpMs;
      for (let passedMs = 0; passedMs < 10 * HOUR_MS; passedMs += MINUTE_MS) {
        machine.pass(MINUTE_MS);
        clock.now();
      }
      expect(clock.now()).toBe(machine.timeOfDay);
    },
  );

  test('never goes backwards by less than a day, however the time of day is set', () => {
    const event = fc.record({ passMs: fc.nat(5_000), jumpMs: fc.integer({ min: -HOUR_MS, max: HOUR_MS }) });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), events => {
        const { machine, clock } = steadyOn(new Machine());
        let last = clock.now();
        for (const { passMs, jumpMs } of events) {
          machine.timeOfDay += jumpMs;
          machine.pass(passMs);
          const now = clock.now();
          expect(now).toBeGreaterThanOrEqual(last);
          expect(now - last).toBeLessThanOrEqual(passMs * 1.1 + 1);
          last = now;
        }
      }),
    );
  });

  test('takes another date over at once', () => {
    const { machine, clock } = steadyOn(new Machine());
    machine.timeOfDay += 400 * DAY_MS;
    expect(clock.now()).toBe(machine.timeOfDay);
  });

  test('counts the time that the machine slept', () => {
    const { machine, clock } = steadyOn(new Machine());
    machine.timeOfDay += 8 * HOUR_MS;
    machine.sleptMs += 8 * HOUR_MS;
    machine.pass(2_000);
    expect(clock.now()).toBe(machine.timeOfDay);
  });

  test('begins where the process before it was, unless that was another date', () => {
    expect(steadyOn(new Machine(), START + HOUR_MS).clock.now()).toBe(START + HOUR_MS);
    expect(steadyOn(new Machine(), START + 2 * DAY_MS).clock.now()).toBe(START);
  });

  test('goes by the system', () => {
    const clock = createSteadyClock(systemClock);
    expect(Math.abs(clock.now() - systemClock.now())).toBeLessThan(1_000);
    expect(Number.isInteger(clock.now())).toBe(true);
  });
});

class Machine {
  timeOfDay = START;
  uptimeMs = 12_345.678;
  sleptMs = 0;

  pass(durationMs: number): void {
    this.timeOfDay += durationMs;
    this.uptimeMs += durationMs;
  }
}

function steadyOn(machine: Machine, notBefore = 0) {
  const source = { ...systemClock, now: () => machine.timeOfDay, monotonicMs: () => machine.uptimeMs };
  return { machine, clock: createSteadyClock(source, notBefore, () => machine.sleptMs) };
}
