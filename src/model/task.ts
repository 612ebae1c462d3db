import type { Instant } from '../core/instant.ts';
import type { PipelineEnvironment } from './names.ts';
import type { Release } from './release.ts';

/** ECS task `lastStatus` values that occur here, in order. */
type TaskStatus =
  | 'PROVISIONING'
  | 'PENDING'
  | 'ACTIVATING'
  | 'RUNNING'
  | 'DEACTIVATING'
  | 'STOPPING'
  | 'DEPROVISIONING'
  | 'STOPPED';

/** ECS `TaskStopCode`. */
export type TaskStopCode =
  | 'TaskFailedToStart'
  | 'EssentialContainerExited'
  | 'UserInitiated'
  | 'ServiceSchedulerInitiated'
  | 'SpotInterruption'
  | 'TerminationNotice';

/** ECS container health; UNKNOWN until a HEALTHCHECK has answered, or where the image defines none. */
export type ContainerHealth = 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN';

export interface Task {
  id: string;
  service: PipelineEnvironment;
  deploymentId: string;
  release: Release;
  /** `us-east-1a`. */
  zone: string;
  status: TaskStatus;
  containerHealth: ContainerHealth;
  /** Where the task listens; absent before PENDING. */
  endpoint?: { address: string; port: number };
  createdAt: Instant;
  startedAt?: Instant;
  stoppingAt?: Instant;
  stoppedAt?: Instant;
  stopCode?: TaskStopCode;
  /** As ECS words it: `Essential container in task exited`, `OutOfMemoryError: Container killed due to memory usage`. */
  stoppedReason?: string;
  exitCode?: number;
}
