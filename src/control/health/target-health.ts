import type { Instant } from '../../core/instant.ts';
import type { TargetHealth } from '../../model/target.ts';

export interface HealthPolicy {
  intervalMs: number;
  /** Pace of the checks of a new target until its first answer. */
  initialIntervalMs: number;
  healthyThreshold: number;
  unhealthyThreshold: number;
  /** `200`, `200-299` or `200,202`. */
  matcher: string;
  /** So long after its first failed check, failures of a target that never was healthy do not count. Absent: ALB's none. */
  startAllowanceMs?: number;
}

/** What one check saw. `unreachable`: refused, reset, or an answer that is not HTTP. */
export type CheckOutcome = { kind: 'answer'; status: number } | { kind: 'timeout' } | { kind: 'unreachable' };

export interface HealthRecord {
  health: TargetHealth;
  /** False until the target has answered anything at all. */
  hasAnswered: boolean;
  /** In a row, since the last outcome of the other kind. */
  successes: number;
  failures: number;
  /** When a failure was last counted; see `countsAsFailure`. */
  failureCountedAt: Instant | undefined;
  firstFailureAt: Instant | undefined;
  /** Since when it is healthy without a break; slow start goes by it. */
  healthySince: Instant | undefined;
}

/** A target that was just registered and has not been checked. */
export function registeredTarget(): HealthRecord {
  return {
    health: {
      state: 'initial',
      reason: 'Elb.RegistrationInProgress',
      description: 'Target registration is in progress',
    },
    hasAnswered: false,
    successes: 0,
    failures: 0,
    failureCountedAt: undefined,
    firstFailureAt: undefined,
    healthySince: undefined,
  };
}

/** Deregistered: it finishes what it has and gets nothing new. */
export function drainingTarget(record: HealthRecord): HealthRecord {
  return {
    ...record,
    health: {
      state: 'draining',
      reason: 'Target.DeregistrationInProgress',
      description: 'Target deregistration is in progress',
    },
    healthySince: undefined,
  };
}

/**
 * What a check's outcome makes of a target, as ALB does: a new target is healthy after one success, an unhealthy
 * one after `healthyThreshold` in a row; a target is unhealthy after `unhealthyThreshold` failures in a row.
 * (docs.aws.amazon.com, "Health checks for your target groups".) A draining target stays draining.
 */
export function afterCheck(
  record: HealthRecord,
  outcome: CheckOutcome,
  policy: HealthPolicy,
  now: Instant,
): HealthRecord {
  if (record.health.state === 'draining') return record;
  const hasAnswered = record.hasAnswered || outcome.kind === 'answer';
  if (outcome.kind === 'answer' && matchesStatus(policy.matcher, outcome.status)) {
    return afterSuccess({ ...record, hasAnswered }, policy, now);
  }
  return afterFailure({ ...record, hasAnswered }, outcome, policy, now);
}

/** How long after one check started the next one starts. */
export function checkIntervalMs(record: HealthRecord, policy: HealthPolicy): number {
  return record.hasAnswered ? policy.intervalMs : policy.initialIntervalMs;
}

/** Whether `status` is among those of a matcher (`200`, `200-299`, `200,202`). */
export function matchesStatus(matcher: string, status: number): boolean {
  return matcher.split(',').some(part => {
    const [first, last = first] = part.split('-').map(Number);
    return first !== undefined && last !== undefined && status >= first && status <= last;
  });
}

function afterSuccess(record: HealthRecord, policy: HealthPolicy, now: Instant): HealthRecord {
  const counted = { ...record, successes: record.successes + 1, failures: 0, failureCountedAt: undefined };
  if (record.health.state === 'healthy') return counted;
  const needed = record.health.state === 'initial' ? 1 : policy.healthyThreshold;
  return counted.successes < needed
    ? counted
    : { ...counted, health: { state: 'healthy' }, healthySince: now };
}

function afterFailure(
  record: HealthRecord,
  outcome: CheckOutcome,
  policy: HealthPolicy,
  now: Instant,
): HealthRecord {
  const firstFailureAt = record.firstFailureAt ?? now;
  const isCounted = countsAsFailure({ ...record, firstFailureAt }, policy, now);
  const counted: HealthRecord = {
    ...record,
    firstFailureAt,
    successes: 0,
    failures: record.failures + (isCounted ? 1 : 0),
    failureCountedAt: isCounted ? now : record.failureCountedAt,
  };
  if (record.health.state === 'unhealthy' || counted.failures >= policy.unhealthyThreshold) {
    return { ...counted, health: unhealthy(outcome), healthySince: undefined };
  }
  return record.health.state === 'healthy' ? counted : { ...counted, health: INITIAL_CHECKING };
}

/**
 * The quick checks of a target that has never answered find it early, but must not condemn it early: they count
 * one failure an interval, as if they were made at the ordinary pace. Nor must an ordinary pace that is quicker
 * than AWS's condemn an application that is still starting: that takes as long as it takes.
 */
function countsAsFailure(
  record: HealthRecord & { firstFailureAt: Instant },
  policy: HealthPolicy,
  now: Instant,
): boolean {
  const isStarting = record.health.state === 'initial';
  if (isStarting && now - record.firstFailureAt < (policy.startAllowanceMs ?? 0)) return false;
  if (record.hasAnswered || record.failureCountedAt === undefined) return true;
  return now - record.failureCountedAt >= policy.intervalMs;
}

const INITIAL_CHECKING: TargetHealth = {
  state: 'initial',
  reason: 'Elb.InitialHealthChecking',
  description: 'Initial health checks in progress',
};

function unhealthy(outcome: CheckOutcome): TargetHealth {
  if (outcome.kind === 'timeout') {
    return { state: 'unhealthy', reason: 'Target.Timeout', description: 'Request timed out' };
  }
  if (outcome.kind === 'unreachable') {
    return { state: 'unhealthy', reason: 'Target.FailedHealthChecks', description: 'Health checks failed' };
  }
  return {
    state: 'unhealthy',
    reason: 'Target.ResponseCodeMismatch',
    description: `Health checks failed with these codes: [${outcome.status}]`,
  };
}
