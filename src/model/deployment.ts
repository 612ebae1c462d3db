import type { Instant } from '../core/instant.ts';
import type { PipelineEnvironment } from './names.ts';
import type { Release } from './release.ts';
import type { Waiting } from './waiting.ts';

/** ECS `ServiceDeploymentStatus`. */
export type DeploymentStatus =
  | 'PENDING'
  | 'IN_PROGRESS'
  | 'SUCCESSFUL'
  | 'STOP_REQUESTED'
  | 'STOPPED'
  | 'ROLLBACK_REQUESTED'
  | 'ROLLBACK_IN_PROGRESS'
  | 'ROLLBACK_SUCCESSFUL'
  | 'ROLLBACK_FAILED';

export const ENDED_DEPLOYMENT_STATUSES: ReadonlySet<DeploymentStatus> = new Set([
  'SUCCESSFUL',
  'STOPPED',
  'ROLLBACK_SUCCESSFUL',
  'ROLLBACK_FAILED',
]);

/** One attempt to make a service run a release. */
export interface Deployment {
  id: string;
  service: PipelineEnvironment;
  release: Release;
  /** The release that a rollback returns to: the service's last successful one. Absent on a first deployment. */
  previous?: Release;
  status: DeploymentStatus;
  /** One line for a person when not SUCCESSFUL: `3 tasks failed to start: exited with code 1 (Error: …)`. */
  cause?: string;
  waiting?: Waiting;
  failedTasks: number;
  startedAt: Instant;
  /** When every wanted task was healthy and the old ones were gone: the bake starts here. */
  steadyAt?: Instant;
  endedAt?: Instant;
}

/** A service as `tandem status` shows it. */
export interface ServiceStatus {
  name: PipelineEnvironment;
  url: string;
  /** The release in service: that of the last successful deployment. */
  release?: Release;
  desired: number;
  running: number;
  pending: number;
  /** Tasks that the balancer finds healthy and sends requests to; one that is told to stop counts no more. */
  healthyTargets: number;
  deployment?: Deployment;
  /** The latest few service events, newest first, as ECS words them. */
  events: { at: Instant; message: string }[];
}
