import { TandemError } from '../../core/error.ts';
import type { Instant } from '../../core/instant.ts';
import { formatInstant } from '../../core/instant.ts';
import type { ApprovalRequest } from '../../model/cloud.ts';
import type { ApprovalRecord, Execution, ExecutionTrigger, StageState } from '../../model/execution.ts';
import { STAGE_NAMES, type RegionName, type StageName } from '../../model/names.ts';
import type { Commit, Release } from '../../model/release.ts';
import type { ExecutionRecord, StopRequest } from './state.ts';
import {
  currentStage,
  endWithStage,
  hasEnded,
  queueFor,
  requestStop,
  stageOf,
  succeedStage,
  tellFailed,
  type Step,
} from './transitions.ts';
import { describeCommit, oneLine, pipelineEvent, shortId } from './words.ts';

/*
 * What people ask of the pipeline. Each command answers with the new record, which is stored before the caller
 * hears of it, or throws and has changed nothing.
 */

export interface NewExecution {
  id: string;
  number: number;
  region: RegionName;
  trigger: ExecutionTrigger;
  commit: Commit;
}

export function startExecution(request: NewExecution, step: Step): ExecutionRecord {
  const record = newRecord(request, step.now, 'Source');
  const { number, trigger, commit, id } = record.execution;
  const how = trigger.kind === 'replication' ? 'replicated from' : 'pushed by';
  const message = `Execution ${number} (${shortId(id)}) started: ${describeCommit(commit)} ${how} ${trigger.by}`;
  step.tell(pipelineEvent(record.execution, 'ExecutionStarted', 'info', message));
  return record;
}

/** Straight to production with a release that has proved itself; a rollback asks nobody. */
export function startRollback(request: NewExecution, release: Release, step: Step): ExecutionRecord {
  const { execution } = newRecord(request, step.now, 'Production');
  const skipped = 'not needed: a rollback deploys a release that has proved itself';
  const stages = execution.stages.map((stage): StageState =>
    stage.name === 'Production' ? stage : { ...stage, status: 'Skipped', summary: skipped },
  );
  const record: ExecutionRecord = { execution: { ...execution, stages, release } };
  const { number, trigger, commit, id } = execution;
  const message = `Execution ${number} (${shortId(id)}): ${trigger.by} rolls production back to ${describeCommit(commit)}`;
  step.tell(pipelineEvent(record.execution, 'RollbackStarted', 'warning', message));
  return record;
}

function newRecord(request: NewExecution, now: Instant, first: StageName): ExecutionRecord {
  const stages = STAGE_NAMES.map((name): StageState => ({ name, status: 'NotStarted', attempt: 1 }));
  const execution: Execution = { ...request, status: 'Queued', stage: first, stages, startedAt: now };
  return queueFor({ execution }, first, 1);
}

export function approve(record: ExecutionRecord, request: ApprovalRequest, step: Step): ExecutionRecord {
  requireWaitingForApproval(record, step.now);
  const answered = withAnswer(record, 'Approved', request, step.now);
  const { number, commit } = record.execution;
  const words = withComment(`approved by ${request.by}`, request.comment);
  const message = `Execution ${number}: ${describeCommit(commit)} ${words}`;
  step.tell(pipelineEvent(answered.execution, 'ApprovalGiven', 'info', message));
  return succeedStage(answered, step, words);
}

export function reject(record: ExecutionRecord, request: ApprovalRequest, step: Step): ExecutionRecord {
  requireWaitingForApproval(record, step.now);
  const cause = withComment(`rejected by ${request.by}`, request.comment);
  const answered = withAnswer(record, 'Rejected', request, step.now);
  const ended = endWithStage(answered, step, 'Failed', 'Failed', cause);
  const message = `Execution ${record.execution.number}: ${describeCommit(record.execution.commit)} ${cause}`;
  step.tell(pipelineEvent(ended.execution, 'ApprovalRejected', 'warning', message));
  return tellFailed(ended, step);
}

function withComment(words: string, comment: string): string {
  return oneLine(comment) === '' ? oneLine(words) : oneLine(`${words}: ${comment}`);
}

function withAnswer(
  record: ExecutionRecord,
  decision: ApprovalRecord['decision'],
  request: ApprovalRequest,
  at: Instant,
): ExecutionRecord {
  const approval = { decision, by: request.by, comment: request.comment, at };
  return { ...record, execution: { ...record.execution, approval } };
}

/** The last moment counts even where the turn that lets the approval expire has not come yet. */
function requireWaitingForApproval(record: ExecutionRecord, now: Instant): void {
  const { execution } = record;
  const stage = currentStage(record);
  const isAsking = stage.name === 'Approval' && stage.status === 'Waiting' && !record.stop;
  const until = stage.waiting?.until;
  if (isAsking && until !== undefined && now < until) return;
  const state =
    isAsking && until !== undefined ? `expired at ${formatInstant(until)}` : describeState(record);
  throw new TandemError(
    'APPROVAL_NOT_WAITING',
    `Execution ${execution.number} (${shortId(execution.id)}) does not wait for approval: it ${state}`,
    { data: { executionId: execution.id, status: execution.status, stage: execution.stage } },
  );
}

/** Goes on after "it": `is in Build`, `was approved by ada and is in Production`, `has ended: Failed…`. */
function describeState(record: ExecutionRecord): string {
  const { approval, status, stage, cause } = record.execution;
  const answered = approval ? `was ${approval.decision.toLowerCase()} by ${approval.by} and ` : '';
  if (record.stop && !hasEnded(record)) return `${answered}is being stopped in ${stage}`;
  if (hasEnded(record)) {
    return `${answered}has ended as ${status}${cause === undefined ? '' : ` (${cause})`}`;
  }
  return `${answered}is ${status === 'Queued' ? 'waiting before' : 'in'} ${stage}`;
}

/** Asking again changes nothing, but `abandon` may follow a stop that waits. */
export function stop(record: ExecutionRecord, request: StopRequest): ExecutionRecord {
  const { number, id, status } = record.execution;
  if (hasEnded(record)) {
    throw new TandemError(
      'EXECUTION_ENDED',
      `Execution ${number} (${shortId(id)}) can not be stopped: it has ended as ${status}`,
      { data: { executionId: id, status } },
    );
  }
  if (record.stop && (record.stop.abandon || !request.abandon)) return record;
  return requestStop(record, request);
}

export interface RetryFacts {
  /** The oldest newer execution that has come to the stage, unless executions are independent (PARALLEL). */
  overtakenBy: number | undefined;
  /** Whether this region's registry still has the image of the execution's release. */
  isImageAvailable: boolean;
}

/** The stage that a retry begins with: the first that has not been done. */
export function stageToRetry(execution: Execution): StageName {
  const undone = execution.stages.find(stage => stage.status !== 'Succeeded' && stage.status !== 'Skipped');
  return undone?.name ?? execution.stage;
}

/**
 * Runs an execution again from the stage that failed, with the very release that Build made. As in CodePipeline
 * (NotLatestPipelineExecutionException), not once a newer execution has come to that stage.
 */
export function retry(record: ExecutionRecord, by: string, facts: RetryFacts, step: Step): ExecutionRecord {
  const { execution } = record;
  const name = stageToRetry(execution);
  const reason = reasonAgainstRetry(record, name, facts);
  if (reason !== undefined) {
    throw new TandemError(
      'RETRY_IMPOSSIBLE',
      `Execution ${execution.number} (${shortId(execution.id)}) can not be retried: ${reason}`,
      { data: { executionId: execution.id, status: execution.status, stage: name } },
    );
  }
  const { cause: _cause, endedAt: _endedAt, approval, ...rest } = execution;
  const answered = approval && name === 'Production' ? { approval } : {};
  const before = stageOf(execution, name);
  const attempt = before.startedAt === undefined ? before.attempt : before.attempt + 1;
  const again = queueFor({ ...record, execution: { ...rest, ...answered } }, name, attempt);
  const message = `Execution ${execution.number}: ${by} retries it from ${name}`;
  step.tell(pipelineEvent(again.execution, 'ExecutionRetried', 'info', message));
  return again;
}

function reasonAgainstRetry(record: ExecutionRecord, name: StageName, facts: RetryFacts): string | undefined {
  const { status, release, commit } = record.execution;
  if (!hasEnded(record)) return `it ${describeState(record)}; wait for its end, or stop it`;
  if (status === 'Succeeded') return 'it has succeeded';
  if (facts.overtakenBy !== undefined) {
    return `execution ${facts.overtakenBy}, which is newer, has come to ${name} since, and the older commit would replace it. Push again, or go back with: tandem rollback`;
  }
  if (status === 'Superseded') return 'it was superseded. Push the commit again to deliver it';
  if (release && !facts.isImageAvailable) {
    return `the image of ${describeCommit(commit)} has been removed from the registry (registry.keepImages). Push again to have it built`;
  }
  return undefined;
}
