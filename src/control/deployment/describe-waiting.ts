import type { Instant } from '../../core/instant.ts';
import type { Waiting } from '../../model/waiting.ts';
import { bakesUntil } from './bake.ts';
import { describeFailures } from './circuit-breaker.ts';
import type { Observed } from './observed.ts';
import { deploymentUnderWay, shortCommit, targetOf, type ServiceState } from './service-state.ts';
import type { TaskPlan } from './task-plan.ts';

/** What a service waits for now, the first thing first; `undefined` where it is as it should be. */
export function describeWaiting(
  state: ServiceState,
  observed: Observed,
  plan: TaskPlan,
  now: Instant,
): Waiting | undefined {
  if (plan.isBlocked) return { for: describeBlockage(observed) };
  const target = targetOf(state);
  const desired = target ? observed.desiredCount : 0;
  const ofTarget = observed.tasks.filter(task => state.held || task.deploymentId === target?.deploymentId);
  const healthy = ofTarget.filter(task => task.phase === 'running' && task.health === 'healthy').length;

  if (healthy < desired) return waitForHealthy(state, observed, { healthy, desired }, now);
  const leaving = observed.tasks.filter(
    ({ phase, deploymentId }) =>
      phase === 'stopping' || (phase !== 'stopped' && !state.held && deploymentId !== target?.deploymentId),
  );
  if (leaving.length > 0) return { for: describeLeaving(leaving) };
  const until = bakesUntil(state, observed);
  return until !== undefined && now < until ? { for: 'the bake to end', until } : undefined;
}

function waitForHealthy(
  state: ServiceState,
  observed: Observed,
  count: { healthy: number; desired: number },
  now: Instant,
): Waiting {
  const { failures, backoff } = state.attempt;
  const starting = observed.tasks.filter(({ phase }) => phase === 'starting').length;
  const parts = [`${count.healthy} of ${count.desired} ${describeWanted(state)} healthy`];
  if (starting > 0) parts[0] += `, ${starting} starting`;
  if (failures > 0) parts.push(describeFailures(state.attempt));
  const isHeldBack = now < backoff.notBefore;
  if (isHeldBack && starting === 0) parts.push('the next start is held back');
  return { for: parts.join('; '), ...(isHeldBack && { until: backoff.notBefore }) };
}

function describeWanted(state: ServiceState): string {
  const deployment = deploymentUnderWay(state);
  if (!deployment) return 'tasks';
  if (deployment.status !== 'ROLLBACK_IN_PROGRESS') return 'new tasks';
  return state.settled ? `tasks of the earlier release ${shortCommit(state.settled.release)}` : 'tasks';
}

function describeLeaving(leaving: readonly { requestsInFlight: number }[]): string {
  const requests = leaving.reduce((sum, task) => sum + task.requestsInFlight, 0);
  const tasks = leaving.length === 1 ? '1 old task' : `${leaving.length} old tasks`;
  if (requests === 0) return `${tasks} stopping`;
  return `${tasks} draining: ${requests} ${requests === 1 ? 'request' : 'requests'} in flight`;
}

function describeBlockage(observed: Observed): string {
  const { minimumHealthyPercent, maximumPercent } = observed.deployment;
  return (
    `a change of minimumHealthyPercent (${minimumHealthyPercent}) or maximumPercent (${maximumPercent}): ` +
    `with a desired count of ${observed.desiredCount} they permit neither stopping nor starting a task`
  );
}
