import type { Instant } from '../core/instant.ts';
import type { LogEvent, RegionEvent } from './event.ts';
import type { Execution } from './execution.ts';
import type { PipelineEnvironment, RegionName } from './names.ts';
import type { Release } from './release.ts';
import type { RegionStatus } from './status.ts';

export interface ApprovalRequest {
  executionId: string;
  by: string;
  comment: string;
}

export interface ReleaseRecord extends Release {
  subject: string;
  /** Environments that run it now. */
  runningIn: PipelineEnvironment[];
  /** When it was last deployed with success, per environment. */
  deployedAt: Partial<Record<PipelineEnvironment, Instant>>;
  /** False once the lifecycle took its image: a rollback to it would need a new build. */
  imageAvailable: boolean;
}

export interface LogQuery {
  /** Absent: all but `balancer`, which would drown the others. */
  group?: string;
  /** A prefix of the stream's name (a task or build id, an environment). */
  stream?: string;
  /** Plain text that the message contains, ignoring case. */
  contains?: string;
  since?: Instant;
  /** Resume after this sequence. */
  after?: number;
  /** The newest N before following; default 100. */
  limit?: number;
  follow?: boolean;
}

export interface EventQuery {
  after?: number;
  limit?: number;
  follow?: boolean;
}

/** What can be asked of one region. The API serves it, its client is one, and the region process is one. */
export interface RegionOperations {
  status(): Promise<RegionStatus>;
  /** Newest first; `limit` defaults to 20. */
  executions(query: { limit?: number }): Promise<Execution[]>;
  /** By id or unambiguous prefix. Throws EXECUTION_UNKNOWN or EXECUTION_AMBIGUOUS. */
  execution(id: string): Promise<Execution>;
  approve(request: ApprovalRequest): Promise<Execution>;
  reject(request: ApprovalRequest): Promise<Execution>;
  /** Runs a failed execution again from the stage that failed. */
  retry(executionId: string, by: string): Promise<Execution>;
  /** Lets running actions finish and starts no more; `abandon` ends them at once. */
  stop(executionId: string, options: { abandon: boolean; by: string }): Promise<Execution>;
  /** A new execution that deploys an earlier release to production. Without `to`: the last good one before the current. */
  rollback(request: { to?: string; by: string }): Promise<Execution>;
  releases(): Promise<ReleaseRecord[]>;
  /** Replaces every task of a service with a new one of the same release, as a rolling deployment. */
  restart(service: PipelineEnvironment): Promise<void>;
  /** Sets how many tasks a service runs, within its configured minimum and maximum; 0 switches it off. */
  scale(service: PipelineEnvironment, desiredCount: number): Promise<void>;
  events(query: EventQuery, signal?: AbortSignal): AsyncIterable<RegionEvent>;
  logs(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogEvent>;
}

export interface UpProgress {
  region?: RegionName;
  message: string;
}

/** All regions of one application, on one cloud. Regions are asked in parallel; one that fails never hides another. */
export interface Cloud {
  readonly target: 'local' | 'aws';
  /** In configured order, the primary first. */
  regions(): RegionName[];
  region(name: RegionName): RegionOperations;
  /** Like `region(name).status()` for all, with `unreachable` in place of a rejection. */
  status(): Promise<RegionStatus[]>;
}
