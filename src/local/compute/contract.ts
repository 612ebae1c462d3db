import type { Deployment, ServiceStatus } from '../../model/deployment.ts';
import type { Digest, PipelineEnvironment } from '../../model/names.ts';
import type { Release } from '../../model/release.ts';
import type { Task } from '../../model/task.ts';
import type { Service } from '../context.ts';

export interface DeploymentRequest {
  /** The same token again returns the deployment it started. */
  token: string;
  service: PipelineEnvironment;
  release: Release;
  executionId: string;
}

/** The region's ECS: one service per environment, its tasks, and the deployments that change what they run. */
export interface Compute extends Service {
  /** A deployment under way is ended first (ECS: the newer one wins) with status STOPPED and a cause that says so. */
  startDeployment(request: DeploymentRequest): Deployment;
  deployment(id: string): Deployment | undefined;
  /** ABORT leaves things as they are; ROLLBACK goes back to the last good release. */
  stopDeployment(id: string, stopType: 'ABORT' | 'ROLLBACK'): void;
  /** Replaces every task, same release, as a rolling deployment. Throws SERVICE_HAS_NO_RELEASE. */
  restart(service: PipelineEnvironment): void;
  /** Sets the desired count, from now on in place of the configured one. Throws SCALE_OUT_OF_RANGE. */
  scale(service: PipelineEnvironment, desiredCount: number): void;
  service(name: PipelineEnvironment): ServiceStatus;
  tasks(service: PipelineEnvironment): Task[];
  /** Digests that run, are being deployed, or would be rolled back to. */
  releasesInUse(): ReadonlySet<Digest>;
  /** Called after anything changed; only wakes others up. */
  onChange(listener: () => void): void;
  /** Stops every task as ECS does (SIGTERM, wait, SIGKILL) without changing what is wanted: for `tandem down`. */
  stopAllTasks(): Promise<void>;
}
