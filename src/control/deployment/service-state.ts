import type { Instant } from '../../core/instant.ts';
import { ENDED_DEPLOYMENT_STATUSES, type Deployment } from '../../model/deployment.ts';
import type { PipelineEnvironment } from '../../model/names.ts';
import type { Release } from '../../model/release.ts';

/** A release as one deployment made the service run it. A restart is a new revision of the same release. */
export interface Revision {
  deploymentId: string;
  release: Release;
}

/** What is known of making the present target run: starts afresh whenever the target changes. */
export interface Attempt {
  /** What the circuit breaker counts. */
  failures: number;
  lastFailureAt?: Instant;
  /** The newest failure's words, and how many in a row had the same. */
  alike?: { phrase: string; count: number };
  /** Tasks whose failure is in the count already, as long as they are observed. */
  counted: readonly string[];
  /**
   * Tasks that fail together are one round. A failure of a task that was created at or after `since` opens the
   * next; no task starts before `notBefore`.
   */
  backoff: { round: number; since: Instant; notBefore: Instant };
}

/** All that the deployment controller remembers of one service. Plain data: stored as it is. */
export interface ServiceState {
  service: PipelineEnvironment;
  /** What the last successful deployment left in service. */
  settled?: Revision;
  /** Set by scaling, in place of the configured count. */
  desiredCount?: number;
  /** The newest deployment, under way or ended. */
  deployment?: Deployment;
  /** A deployment was stopped half way and what it left, of either revision, stays as it is. */
  held: boolean;
  attempt: Attempt;
  /** Numbers tasks from 1, so that starting one twice can be told. */
  nextTask: number;
  /** Whether "has reached a steady state" was announced since the last change. */
  steady: boolean;
  /** Whether it was announced that the percentages permit no step. */
  blocked: boolean;
}

export function newService(service: PipelineEnvironment): ServiceState {
  return { service, held: false, attempt: newAttempt(), nextTask: 1, steady: false, blocked: false };
}

export function newAttempt(): Attempt {
  return {
    failures: 0,
    counted: [],
    backoff: { round: 0, since: 0, notBefore: 0 },
  };
}

/** The deployment that is under way, if one is. */
export function deploymentUnderWay(state: ServiceState): Deployment | undefined {
  const { deployment } = state;
  return deployment && !ENDED_DEPLOYMENT_STATUSES.has(deployment.status) ? deployment : undefined;
}

/** What the service should run now: the deployment's release on the way there, the settled one on the way back and after. */
export function targetOf(state: ServiceState): Revision | undefined {
  const deployment = deploymentUnderWay(state);
  const isForward = deployment?.status === 'PENDING' || deployment?.status === 'IN_PROGRESS';
  return isForward ? { deploymentId: deployment.id, release: deployment.release } : state.settled;
}

/**
 * Takes up a new deployment. One that is under way ends as STOPPED, since in ECS the newer deployment wins; its
 * tasks are then replaced like those of any other revision.
 */
export function beginDeployment(
  state: ServiceState,
  revision: Revision,
  now: Instant,
): { state: ServiceState; superseded?: Deployment } {
  const underWay = deploymentUnderWay(state);
  const next: ServiceState = {
    ...state,
    deployment: {
      id: revision.deploymentId,
      service: state.service,
      release: revision.release,
      ...(state.settled && { previous: state.settled.release }),
      status: 'PENDING',
      failedTasks: 0,
      startedAt: now,
    },
    held: false,
    attempt: newAttempt(),
    steady: false,
  };
  if (!underWay) return { state: next };
  const superseded: Deployment = {
    ...underWay,
    status: 'STOPPED',
    cause: `a newer deployment of ${shortCommit(revision.release)} took its place`,
    endedAt: now,
  };
  return { state: next, superseded };
}

/** Notes that a person asked to end the deployment that is under way; nothing changes where none is. */
export function requestStop(state: ServiceState, stopType: 'ABORT' | 'ROLLBACK'): ServiceState {
  const underWay = deploymentUnderWay(state);
  const isGoingBack = underWay?.status === 'ROLLBACK_IN_PROGRESS' && stopType === 'ROLLBACK';
  if (!underWay || isGoingBack) return state;
  const status = stopType === 'ABORT' ? 'STOP_REQUESTED' : 'ROLLBACK_REQUESTED';
  return { ...state, deployment: { ...underWay, status } };
}

/** A commit as people read it: its first seven digits. */
export function shortCommit(release: Release): string {
  return release.commit.slice(0, 7);
}
