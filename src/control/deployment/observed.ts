import type { Instant } from '../../core/instant.ts';
import type { DeploymentConfig } from '../../model/config/schema.ts';

/** Why a task failed. */
export interface TaskFailure {
  /** As ECS words it: `Task failed ELB health checks in (target-group storefront-staging)`. */
  reason: string;
  /** After "task" or "3 tasks in a row": `exited with code 1: Error: …`. */
  phrase: string;
}

/** One task as the decision sees it; what has stopped is shown until a decision on it was stored. */
export interface ObservedTask {
  id: string;
  /** The revision that it runs. */
  deploymentId: string;
  zone: string;
  phase: 'starting' | 'running' | 'stopping' | 'stopped';
  createdAt: Instant;
  /** `unknown`: not judged yet, or nobody answers who could. */
  health: 'healthy' | 'unhealthy' | 'unknown';
  /** When it was first healthy; kept when it is so no more. */
  healthySince?: Instant;
  /** Set while `unhealthy`, and where it stopped by itself. A task that was told to stop has none. */
  failure?: TaskFailure;
  /** Requests that it still works on. */
  requestsInFlight: number;
}

/** What a service is meant to be, and what it is. */
export interface Observed {
  desiredCount: number;
  zones: readonly string[];
  deployment: DeploymentConfig;
  bakeTimeMs: number;
  restartBackoff: { firstMs: number; maximumMs: number };
  tasks: readonly ObservedTask[];
}
