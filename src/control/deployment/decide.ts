import type { Instant } from '../../core/instant.ts';
import type { Release } from '../../model/release.ts';
import type { Deployment } from '../../model/deployment.ts';
import type { Waiting } from '../../model/waiting.ts';
import { countFailures, describeFailures, failureThreshold } from './circuit-breaker.ts';
import { describeWaiting } from './describe-waiting.ts';
import { bakesUntil } from './bake.ts';
import type { Observed, ObservedTask } from './observed.ts';
import {
  deploymentUnderWay,
  newAttempt,
  targetOf,
  type Revision,
  type ServiceState,
} from './service-state.ts';
import { planTasks, type TaskPlan } from './task-plan.ts';

/** Safe to apply twice: a start is known by its number, a stop by its task. */
export type Action =
  | { kind: 'start-task'; number: number; deploymentId: string; release: Release; zone: string }
  | { kind: 'stop-task'; taskId: string; reason: string };

/** What people are told, once each, when the decision's state is stored. */
export type Announcement =
  | { kind: 'deployment-steady'; deployment: Deployment }
  | { kind: 'deployment-succeeded'; deployment: Deployment }
  | { kind: 'deployment-stopped'; deployment: Deployment }
  | { kind: 'rollback-started'; deployment: Deployment; to: Revision }
  | { kind: 'deployment-rolled-back'; deployment: Deployment; to: Revision }
  | { kind: 'deployment-failed'; deployment: Deployment }
  | { kind: 'deployment-blocked' }
  | { kind: 'service-steady' }
  | { kind: 'tasks-keep-failing'; cause: string };

export interface Decision {
  state: ServiceState;
  actions: Action[];
  announcements: Announcement[];
  /** Absent: the service is as it should be. Its `until` is when to decide again, if nothing happens before. */
  waiting?: Waiting;
}

/** In this round of failures the service is told to be unable to start tasks. */
const TOLD_IN_ROUND = 3;

/**
 * The ECS service scheduler with rolling deployments. First what was learned moves the deployment along (asked to
 * stop, failed too often, all healthy, baked), then the plan for its target says what to start and stop.
 */
export function decide(state: ServiceState, observed: Observed, now: Instant): Decision {
  const announcements: Announcement[] = [];
  let next = state;
  next = begin(next);
  next = answerStopRequest(next, now, announcements);
  next = countFailures(next, observed, now);
  next = tripBreaker(next, observed, now, announcements);
  next = progress(next, observed, now, announcements);

  const target = targetOf(next);
  const { notBefore } = next.attempt.backoff;
  const plan = planTasks({ target, held: next.held, notBefore }, observed, now);
  const actions = [...stopActions(next, plan), ...startActions(next, target, plan)];
  next = { ...next, nextTask: next.nextTask + plan.startZones.length };
  next = announceSteadiness(next, observed, plan, announcements);
  tellRepeatedFailure(state, next, announcements);
  if (plan.isBlocked && !state.blocked) announcements.push({ kind: 'deployment-blocked' });
  next = { ...next, blocked: plan.isBlocked };

  const waiting = describeWaiting(next, observed, plan, now);
  return { state: next, actions, announcements, ...(waiting && { waiting }) };
}

function begin(state: ServiceState): ServiceState {
  const { deployment } = state;
  return deployment?.status === 'PENDING'
    ? { ...state, deployment: { ...deployment, status: 'IN_PROGRESS' } }
    : state;
}

function answerStopRequest(state: ServiceState, now: Instant, announcements: Announcement[]): ServiceState {
  const { deployment } = state;
  if (deployment?.status === 'STOP_REQUESTED') {
    const cause = deployment.cause ?? 'stopped by request; its tasks were left as they are';
    return stopInPlace(state, deployment, { cause, kind: 'deployment-stopped' }, now, announcements);
  }
  if (deployment?.status === 'ROLLBACK_REQUESTED') {
    return rollBack(state, deployment, 'a rollback was requested', now, announcements);
  }
  return state;
}

function tripBreaker(
  state: ServiceState,
  observed: Observed,
  now: Instant,
  announcements: Announcement[],
): ServiceState {
  const deployment = deploymentUnderWay(state);
  const breaker = observed.deployment.circuitBreaker;
  const threshold = failureThreshold(breaker, observed.desiredCount);
  const isGoingBack = deployment?.status === 'ROLLBACK_IN_PROGRESS';
  // Without the breaker a deployment may try for ever; a rollback must end all the same.
  if (!deployment || !(breaker.enabled || isGoingBack) || state.attempt.failures < threshold) return state;
  const cause = describeFailures(state.attempt);
  if (isGoingBack) {
    return failRollback(state, deployment, `the rollback failed too: ${cause}`, now, announcements);
  }
  if (!breaker.rollback) {
    return stopInPlace(state, deployment, { cause, kind: 'deployment-failed' }, now, announcements);
  }
  return rollBack(state, deployment, cause, now, announcements);
}

/** Ends a deployment without going back: what runs of it, and what it did not yet replace, stays. */
function stopInPlace(
  state: ServiceState,
  deployment: Deployment,
  end: { cause: string; kind: 'deployment-stopped' | 'deployment-failed' },
  now: Instant,
  announcements: Announcement[],
): ServiceState {
  const ended: Deployment = { ...deployment, status: 'STOPPED', cause: end.cause, endedAt: now };
  announcements.push({ kind: end.kind, deployment: ended });
  return { ...state, deployment: ended, held: true, attempt: newAttempt() };
}

/**
 * Back to what the last successful deployment left. Where there is none the deployment has failed for good: its
 * tasks are stopped, since a release that can not run and has no predecessor would only go on failing.
 */
function rollBack(
  state: ServiceState,
  deployment: Deployment,
  cause: string,
  now: Instant,
  announcements: Announcement[],
): ServiceState {
  const { steadyAt: _steadyAt, ...rest } = deployment;
  if (!state.settled) {
    const without = `${cause}; there is no earlier release to go back to, so its tasks were stopped`;
    return failRollback({ ...state, deployment: rest }, rest, without, now, announcements);
  }
  const goingBack: Deployment = { ...rest, status: 'ROLLBACK_IN_PROGRESS', cause };
  announcements.push({ kind: 'rollback-started', deployment: goingBack, to: state.settled });
  return { ...state, deployment: goingBack, attempt: newAttempt(), steady: false };
}

function failRollback(
  state: ServiceState,
  deployment: Deployment,
  why: string,
  now: Instant,
  announcements: Announcement[],
): ServiceState {
  const cause = deployment.cause === undefined ? why : `${deployment.cause}; ${why}`;
  const ended: Deployment = { ...deployment, status: 'ROLLBACK_FAILED', cause, endedAt: now };
  announcements.push({ kind: 'deployment-failed', deployment: ended });
  return { ...state, deployment: ended };
}

/** Steady, then baked, then successful; or, on the way back, rolled back. */
function progress(
  state: ServiceState,
  observed: Observed,
  now: Instant,
  announcements: Announcement[],
): ServiceState {
  const deployment = deploymentUnderWay(state);
  if (!deployment) return state;
  const revision = targetOf(state);
  if (!revision || !isServedBy(revision, observed)) return state;

  if (deployment.status === 'ROLLBACK_IN_PROGRESS') {
    const ended: Deployment = { ...deployment, status: 'ROLLBACK_SUCCESSFUL', endedAt: now };
    announcements.push({ kind: 'deployment-rolled-back', deployment: ended, to: revision });
    return { ...state, deployment: ended };
  }
  const steady: Deployment = { ...deployment, steadyAt: deployment.steadyAt ?? now };
  if (deployment.steadyAt === undefined) {
    announcements.push({ kind: 'deployment-steady', deployment: steady });
  }
  const baking = { ...state, deployment: steady };
  if (now < (bakesUntil(baking, observed) ?? now)) return baking;
  const ended: Deployment = { ...steady, status: 'SUCCESSFUL', endedAt: now };
  announcements.push({ kind: 'deployment-succeeded', deployment: ended });
  return { ...state, deployment: ended, settled: revision, held: false };
}

/** Every wanted task is healthy, and those of other revisions are gone. */
function isServedBy(revision: Revision, observed: Observed): boolean {
  const present = observed.tasks.filter(({ phase }) => phase !== 'stopped');
  const isMine = (task: ObservedTask) => task.deploymentId === revision.deploymentId;
  const healthy = present.filter(
    task => isMine(task) && task.phase === 'running' && task.health === 'healthy',
  );
  return healthy.length >= observed.desiredCount && present.every(isMine);
}

function startActions(state: ServiceState, target: Revision | undefined, plan: TaskPlan): Action[] {
  if (!target) return [];
  return plan.startZones.map((zone, index) => ({
    kind: 'start-task',
    number: state.nextTask + index,
    deploymentId: target.deploymentId,
    release: target.release,
    zone,
  }));
}

function stopActions(state: ServiceState, plan: TaskPlan): Action[] {
  const byScheduler = `Scaling activity initiated by (deployment ${targetOf(state)?.deploymentId ?? 'none'})`;
  return plan.stops.map(({ task, why }) => ({
    kind: 'stop-task',
    taskId: task.id,
    reason: why === 'failed' ? (task.failure?.reason ?? byScheduler) : byScheduler,
  }));
}

function announceSteadiness(
  state: ServiceState,
  observed: Observed,
  plan: TaskPlan,
  announcements: Announcement[],
): ServiceState {
  const target = targetOf(state);
  const isQuiet = plan.startZones.length === 0 && plan.stops.length === 0;
  const steady = target !== undefined && isQuiet && !state.held && isServedBy(target, observed);
  if (steady && !state.steady) announcements.push({ kind: 'service-steady' });
  return { ...state, steady };
}

function tellRepeatedFailure(before: ServiceState, after: ServiceState, announcements: Announcement[]): void {
  const { round } = after.attempt.backoff;
  if (round !== TOLD_IN_ROUND || before.attempt.backoff.round >= round) return;
  announcements.push({ kind: 'tasks-keep-failing', cause: describeFailures(after.attempt) });
}
