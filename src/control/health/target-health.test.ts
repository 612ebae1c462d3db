import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterCheck,
  checkIntervalMs,
  drainingTarget,
  matchesStatus,
  registeredTarget,
  type CheckOutcome,
  type HealthPolicy,
  type HealthRecord,
} from './target-health.ts';

const POLICY: HealthPolicy = {
  intervalMs: 500,
  initialIntervalMs: 50,
  healthyThreshold: 3,
  unhealthyThreshold: 2,
  matcher: '200-299',
};
const GOOD: CheckOutcome = { kind: 'answer', status: 200 };
const BAD: CheckOutcome = { kind: 'answer', status: 503 };
const REFUSED: CheckOutcome = { kind: 'unreachable' };
const SLOW: CheckOutcome = { kind: 'timeout' };

describe('a target’s health', () => {
  it('is initial until the first check', () => {
    expect(registeredTarget().health).toMatchObject({
      state: 'initial',
      reason: 'Elb.RegistrationInProgress',
    });
  });

  it('is healthy after one success of a new target', () => {
    expect(run([REFUSED, GOOD]).health).toEqual({ state: 'healthy' });
  });

  it('is initial while a new target’s failures are too few', () => {
    expect(run([BAD]).health).toMatchObject({ state: 'initial', reason: 'Elb.InitialHealthChecking' });
  });

  it.each([
    [BAD, 'Target.ResponseCodeMismatch', 'Health checks failed with these codes: [503]'],
    [SLOW, 'Target.Timeout', 'Request timed out'],
    [REFUSED, 'Target.FailedHealthChecks', 'Health checks failed'],
  ] as const)('is unhealthy after enough of %j, and says why', (outcome, reason, description) => {
    expect(run([GOOD, outcome]).health.state).toBe('healthy');
    expect(run([GOOD, outcome, outcome]).health).toEqual({ state: 'unhealthy', reason, description });
  });

  it('comes back after as many successes in a row as the threshold says', () => {
    expect(run([GOOD, BAD, BAD, GOOD, GOOD]).health.state).toBe('unhealthy');
    expect(run([GOOD, BAD, BAD, GOOD, GOOD, BAD, GOOD, GOOD]).health.state).toBe('unhealthy');
    expect(run([GOOD, BAD, BAD, GOOD, GOOD, GOOD]).health.state).toBe('healthy');
  });

  it('counts the quick checks of a target that has not answered yet as one an interval', () => {
    const quick = run(
      Array.from({ length: 9 }, () => REFUSED),
      50,
    );
    expect(quick.health.state).toBe('initial');
    expect(
      run(
        Array.from({ length: 11 }, () => REFUSED),
        50,
      ).health.state,
    ).toBe('unhealthy');
  });

  it('is not condemned while it may still be starting, and as ever once it was healthy', () => {
    const patient = { ...POLICY, startAllowanceMs: 5_000 };
    const failures = Array.from({ length: 13 }, () => BAD);
    expect(run(failures.slice(0, 11), 500, patient).health.state).toBe('initial');
    expect(run(failures, 500, patient).health.state).toBe('unhealthy');
    expect(run([...failures.slice(0, 11), GOOD], 500, patient).health.state).toBe('healthy');
    expect(run([REFUSED, GOOD, BAD, BAD], 500, patient).health.state).toBe('unhealthy');
  });

  it('is checked quickly until the first answer, right or wrong', () => {
    expect(checkIntervalMs(registeredTarget(), POLICY)).toBe(50);
    expect(checkIntervalMs(run([REFUSED]), POLICY)).toBe(50);
    expect(checkIntervalMs(run([BAD]), POLICY)).toBe(500);
  });

  it('stays draining whatever is still seen', () => {
    const draining = drainingTarget(run([GOOD]));
    expect(draining.health).toMatchObject({ state: 'draining', reason: 'Target.DeregistrationInProgress' });
    expect(afterCheck(draining, GOOD, POLICY, 0)).toBe(draining);
  });

  it('changes only as the thresholds allow, for any outcomes', () => {
    const outcome = fc.constantFrom(GOOD, BAD, REFUSED, SLOW);
    const policy = fc.record({
      intervalMs: fc.constant(500),
      initialIntervalMs: fc.constantFrom(50, 500),
      healthyThreshold: fc.integer({ min: 2, max: 10 }),
      unhealthyThreshold: fc.integer({ min: 2, max: 10 }),
      matcher: fc.constant('200'),
    });
    fc.assert(
      fc.property(policy, fc.array(outcome, { maxLength: 60 }), (settings, outcomes) => {
        let record = registeredTarget();
        let now = 0;
        outcomes.forEach((current, index) => {
          const before = record;
          now += checkIntervalMs(before, settings);
          record = afterCheck(before, current, settings, now);
          const past = outcomes.slice(0, index + 1);
          if (record.health.state === 'healthy') {
            expect(record.healthySince).toBeDefined();
            expect(trailing(past, isFailure)).toBeLessThan(settings.unhealthyThreshold);
          } else expect(record.healthySince).toBeUndefined();
          if (before.health.state === 'unhealthy' && record.health.state === 'healthy') {
            expect(trailing(past, item => item === GOOD)).toBeGreaterThanOrEqual(settings.healthyThreshold);
          }
          if (before.health.state !== 'unhealthy' && record.health.state === 'unhealthy') {
            expect(trailing(past, isFailure)).toBeGreaterThanOrEqual(settings.unhealthyThreshold);
          }
          if (before.health.state === 'initial' && current === GOOD)
            expect(record.health.state).toBe('healthy');
          if (before.health.state !== 'initial') expect(record.health.state).not.toBe('initial');
        });
      }),
    );
  });
});

describe('a matcher', () => {
  it.each([
    ['200', 200, true],
    ['200', 201, false],
    ['200-299', 299, true],
    ['200-299', 300, false],
    ['200,202', 202, true],
    ['200,202', 201, false],
    ['200-204,301', 301, true],
  ])('%s and %i: %s', (matcher, status, expected) => {
    expect(matchesStatus(matcher, status)).toBe(expected);
  });
});

function run(outcomes: readonly CheckOutcome[], everyMs = 500, policy = POLICY): HealthRecord {
  return outcomes.reduce(
    (record, outcome, index) => afterCheck(record, outcome, policy, (index + 1) * everyMs),
    registeredTarget(),
  );
}

function isFailure(outcome: CheckOutcome): boolean {
  return outcome !== GOOD;
}

function trailing(outcomes: readonly CheckOutcome[], wanted: (outcome: CheckOutcome) => boolean): number {
  const last = outcomes.findLastIndex(outcome => !wanted(outcome));
  return outcomes.length - 1 - last;
}
