import { backoffDelayMs } from '../../core/backoff.ts';
import type { Instant } from '../../core/instant.ts';
import type { Random } from '../../core/random.ts';
import type { DeploymentConfig } from '../../model/config/schema.ts';
import type { Observed, ObservedTask } from './observed.ts';
import { deploymentUnderWay, targetOf, type Attempt, type ServiceState } from './service-state.ts';

/**
 * How many failures end a deployment (ECS deployment circuit breaker): the given percentage of the desired count,
 * rounded up, kept within 3 and 200 unless unbounded; or a plain number.
 */
export function failureThreshold(breaker: DeploymentConfig['circuitBreaker'], desiredCount: number): number {
  const { type, value } = breaker.threshold;
  if (type === 'COUNT') return value;
  const share = Math.ceil((value * desiredCount) / 100);
  return type === 'BOUNDED_PERCENT' ? Math.min(200, Math.max(3, share)) : Math.max(1, share);
}

/**
 * Counts each failed task of the target once. ECS has two stages: before any task of the deployment runs, one that
 * does not come up counts; afterwards, one that fails its health checks does. A task that exits by itself is a
 * failure in both.
 *
 * A task that becomes healthy sets the count back (`resetOnHealthyTask`), but not once the deployment bakes, nor
 * during a rollback: there the question is whether the release stays healthy, and replacements that are well for a
 * moment do not answer it.
 */
export function countFailures(state: ServiceState, observed: Observed, now: Instant): ServiceState {
  const target = targetOf(state);
  const ofTarget = observed.tasks.filter(task => task.deploymentId === target?.deploymentId);
  const counted = state.attempt.counted.filter(id => observed.tasks.some(task => task.id === id));
  const fresh = ofTarget.filter(task => task.failure && !counted.includes(task.id));

  let attempt: Attempt = { ...state.attempt, counted };
  if (resetsCount(state, observed, ofTarget)) {
    attempt = withoutAlike({ ...attempt, failures: 0 });
  }
  for (const task of fresh) attempt = countOne(attempt, task, observed, now);

  const deployment = deploymentUnderWay(state);
  return {
    ...state,
    attempt,
    ...(deployment &&
      fresh.length > 0 && {
        deployment: { ...deployment, failedTasks: deployment.failedTasks + fresh.length },
      }),
  };
}

function resetsCount(state: ServiceState, observed: Observed, ofTarget: readonly ObservedTask[]): boolean {
  const { lastFailureAt, failures } = state.attempt;
  const deployment = deploymentUnderWay(state);
  const mustStayHealthy = deployment?.steadyAt !== undefined || deployment?.status === 'ROLLBACK_IN_PROGRESS';
  if (failures === 0 || mustStayHealthy || !observed.deployment.circuitBreaker.resetOnHealthyTask)
    return false;
  return ofTarget.some(task => (task.healthySince ?? Number.NEGATIVE_INFINITY) > (lastFailureAt ?? 0));
}

function countOne(attempt: Attempt, task: ObservedTask, observed: Observed, now: Instant): Attempt {
  const phrase = task.failure?.phrase ?? '';
  return {
    failures: attempt.failures + 1,
    lastFailureAt: now,
    alike: { phrase, count: attempt.alike?.phrase === phrase ? attempt.alike.count + 1 : 1 },
    counted: [...attempt.counted, task.id],
    backoff: nextRound(attempt.backoff, task, observed, now),
  };
}

/** Nothing else starts at that moment that one service's restarts should be spread away from. */
const WITHOUT_JITTER: Random = { next: () => 1 };

/**
 * The first failure is answered at once; tasks that fail again and again wait longer each round. One that was well
 * for as long as the longest wait is no part of a crash loop and begins a new count of rounds.
 */
function nextRound(
  backoff: Attempt['backoff'],
  task: ObservedTask,
  observed: Observed,
  now: Instant,
): Attempt['backoff'] {
  const wasWellForLong =
    task.healthySince !== undefined && now - task.createdAt >= observed.restartBackoff.maximumMs;
  if (wasWellForLong) return { round: 1, since: now, notBefore: now };
  if (task.createdAt < backoff.since) return backoff;
  const round = backoff.round + 1;
  const delayMs = round === 1 ? 0 : backoffDelayMs(observed.restartBackoff, round - 1, WITHOUT_JITTER);
  return { round, since: now, notBefore: now + delayMs };
}

function withoutAlike(attempt: Attempt): Attempt {
  const { alike: _alike, ...rest } = attempt;
  return rest;
}

/** What the failures of an attempt have in common, in one line: `3 tasks in a row exited with code 1: Error: …`. */
export function describeFailures(attempt: Attempt): string {
  const { alike, failures } = attempt;
  if (!alike) return 'no task failed';
  if (failures === 1) return `a task ${alike.phrase}`;
  if (alike.count >= failures) return `${failures} tasks in a row ${alike.phrase}`;
  return `${failures} tasks in a row failed, the last one ${alike.phrase}`;
}
