import { formatDuration } from '../core/duration.ts';
import type { Instant } from '../core/instant.ts';
import type { RegionName, StageName } from './names.ts';
import type { Commit, Release } from './release.ts';
import type { Waiting } from './waiting.ts';

/**
 * CodePipeline's words, and four that it lacks: `Queued` (another execution holds the stage, or the mode is
 * QUEUED), `Waiting` (a person is asked), `RolledBack` (the deployment ended by going back to the last good
 * release: never a success) and `Unknown` (the cloud said something that this version does not understand).
 */
export type ExecutionStatus =
  | 'Queued'
  | 'InProgress'
  | 'Waiting'
  | 'Succeeded'
  | 'RolledBack'
  | 'Failed'
  | 'Stopping'
  | 'Stopped'
  | 'Superseded'
  | 'Unknown';

export const ENDED_EXECUTION_STATUSES: ReadonlySet<ExecutionStatus> = new Set([
  'Succeeded',
  'RolledBack',
  'Failed',
  'Stopped',
  'Superseded',
]);

export type StageStatus =
  | 'NotStarted'
  | 'Queued'
  | 'InProgress'
  | 'Waiting'
  | 'Succeeded'
  | 'RolledBack'
  | 'Failed'
  | 'Stopping'
  | 'Stopped'
  | 'Skipped';

/** SUPERSEDED: a newer execution overtakes an older one that waits between stages. Defaults and rules: CodePipeline V2. */
export type ExecutionMode = 'SUPERSEDED' | 'QUEUED' | 'PARALLEL';

/** `by` is a Git author for a push, a region for replication, an operating-system user for a command. */
export interface ExecutionTrigger {
  kind: 'push' | 'replication' | 'manual' | 'rollback';
  by: string;
  /** `refs/heads/main`. */
  ref: string;
}

export interface StageState {
  name: StageName;
  status: StageStatus;
  /** 1 for the first attempt; a retry adds one. */
  attempt: number;
  startedAt?: Instant;
  endedAt?: Instant;
  /** One line: what it did, or why it ended as it did. */
  summary?: string;
  waiting?: Waiting;
  /** Ids of what the stage runs or ran: a build, a deployment. */
  buildId?: string;
  deploymentId?: string;
}

export interface ApprovalRecord {
  decision: 'Approved' | 'Rejected' | 'Expired';
  by: string;
  comment: string;
  at: Instant;
}

/** The cause of an execution that ended because nobody answered. */
export function expiryCause(limitMs: number): string {
  return `the approval expired: nobody answered within ${formatDuration(limitMs)}`;
}

/** One run of the pipeline in one region. */
export interface Execution {
  /** A UUID; commands accept any unambiguous prefix of at least 4 characters. */
  id: string;
  /** Counts up from 1 within the region; 0 where the cloud does not number executions (CodePipeline). */
  number: number;
  region: RegionName;
  trigger: ExecutionTrigger;
  commit: Commit;
  status: ExecutionStatus;
  /** The stage that it is in, or ended in. */
  stage: StageName;
  stages: StageState[];
  /** One line for a person: why it failed, rolled back, was stopped or superseded. Absent on success. */
  cause?: string;
  waiting?: Waiting;
  release?: Release;
  approval?: ApprovalRecord;
  startedAt: Instant;
  endedAt?: Instant;
}

/** What status shows: the newest that is under way or waits for a person, else the newest. */
export function shownExecution(newestFirst: readonly Execution[]): Execution | undefined {
  return newestFirst.find(({ status }) => !ENDED_EXECUTION_STATUSES.has(status)) ?? newestFirst[0];
}
