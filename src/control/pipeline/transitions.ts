import { assert } from '../../core/assert.ts';
import { ENDED_EXECUTION_STATUSES, type Execution, type StageState } from '../../model/execution.ts';
import { STAGE_NAMES, type StageName } from '../../model/names.ts';
import type { Waiting } from '../../model/waiting.ts';
import type { ExecutionRecord, StopRequest, Turn } from './state.ts';
import { describeCommit, oneLine, pipelineEvent, shortId } from './words.ts';

/** What a transition needs of a turn; commands have no observation. */
export type Step = Pick<Turn, 'settings' | 'now' | 'tell'>;

export function hasEnded(record: ExecutionRecord): boolean {
  return ENDED_EXECUTION_STATUSES.has(record.execution.status);
}

export function stageOf(execution: Execution, name: StageName): StageState {
  const stage = execution.stages.find(candidate => candidate.name === name);
  assert(stage, `every execution has stage ${name}`);
  return stage;
}

export function currentStage(record: ExecutionRecord): StageState {
  return stageOf(record.execution, record.execution.stage);
}

/** Replaces the stage of that name, and parts of the execution. */
export function withStage(
  record: ExecutionRecord,
  stage: StageState,
  change: Partial<Execution> = {},
): ExecutionRecord {
  const stages = record.execution.stages.map(old => (old.name === stage.name ? stage : old));
  return { ...record, execution: { ...record.execution, ...change, stages } };
}

/** Says what the current stage waits for; the same record where it says so already. */
export function withWaiting(record: ExecutionRecord, waiting: Waiting): ExecutionRecord {
  const stage = currentStage(record);
  if (stage.waiting?.for === waiting.for && stage.waiting.until === waiting.until) return record;
  return withStage(record, { ...stage, waiting }, { waiting });
}

/** Puts the execution before a stage; admission lets it in. */
export function queueFor(record: ExecutionRecord, name: StageName, attempt: number): ExecutionRecord {
  const { build: _build, source: _source, ...rest } = record;
  const execution = withoutWaiting(record.execution);
  return withStage(
    { ...rest, execution },
    { name, status: 'Queued', attempt },
    { stage: name, status: 'Queued' },
  );
}

/** From `Queued` into the stage. An approval is not work but a question to people. */
export function enterStage(record: ExecutionRecord, step: Step): ExecutionRecord {
  const { name, attempt } = currentStage(record);
  const isApproval = name === 'Approval';
  const status = isApproval ? 'Waiting' : 'InProgress';
  const stage: StageState = { name, status, attempt, startedAt: step.now };
  const entered = withStage({ ...record, execution: withoutWaiting(record.execution) }, stage, { status });
  const again = attempt > 1 ? ` (attempt ${attempt})` : '';
  const started = `Execution ${record.execution.number}: ${name} started${again}`;
  step.tell(pipelineEvent(entered.execution, 'StageStarted', 'info', started));
  return isApproval ? askForApproval(entered, step) : entered;
}

function askForApproval(record: ExecutionRecord, step: Step): ExecutionRecord {
  const { id, number, commit } = record.execution;
  const waiting: Waiting = {
    for: `a person to approve (tandem approve ${shortId(id)}) or reject it`,
    until: step.now + step.settings.approvalExpiresAfterMs,
  };
  const message = `Execution ${number} asks whether ${describeCommit(commit)} may go to production: tandem approve ${shortId(id)}`;
  step.tell(pipelineEvent(record.execution, 'ApprovalNeeded', 'info', message));
  return withWaiting(record, waiting);
}

/** Ends the current stage well and moves on: to the next stage, to the end, or to the stop that was asked for. */
export function succeedStage(
  record: ExecutionRecord,
  step: Step,
  summary: string,
  change: Partial<Execution> = {},
): ExecutionRecord {
  const { execution } = record;
  const stage = endedStage(record, 'Succeeded', step, summary);
  const done = withStage({ ...record, execution: withoutWaiting(execution) }, stage, change);
  const message = `Execution ${execution.number}: ${stage.name} succeeded: ${summary}`;
  step.tell(pipelineEvent(done.execution, 'StageSucceeded', 'info', message));
  const next = STAGE_NAMES[STAGE_NAMES.indexOf(stage.name) + 1];
  if (!next) return succeedExecution(done, step);
  if (record.stop) return endStopped(done, step, `after ${stage.name}`);
  return moveOn(done, step, next);
}

function moveOn(record: ExecutionRecord, step: Step, next: StageName): ExecutionRecord {
  if (next !== 'Approval' || step.settings.approvalRequired) {
    return queueFor(record, next, stageOf(record.execution, next).attempt);
  }
  const approval = stageOf(record.execution, 'Approval');
  const summary = 'not asked for: pipeline.approval.required is false';
  const skipped = withStage(record, { ...approval, status: 'Skipped', summary });
  return moveOn(skipped, step, 'Production');
}

function succeedExecution(record: ExecutionRecord, step: Step): ExecutionRecord {
  const { number, commit } = record.execution;
  const ended = endExecution(record, step, 'Succeeded');
  const message = `Execution ${number} succeeded: ${describeCommit(commit)} is in production`;
  step.tell(pipelineEvent(ended.execution, 'ExecutionSucceeded', 'info', message));
  return ended;
}

export function failStage(record: ExecutionRecord, step: Step, reason: string): ExecutionRecord {
  const { number, stage: name } = record.execution;
  const cause = oneLine(reason);
  const ended = endWithStage(record, step, 'Failed', 'Failed', cause);
  step.tell(
    pipelineEvent(ended.execution, 'StageFailed', 'error', `Execution ${number}: ${name} failed: ${cause}`),
  );
  return tellFailed(ended, step);
}

/** The end of an execution whose stage has ended `Failed`. */
export function tellFailed(record: ExecutionRecord, step: Step): ExecutionRecord {
  const { number, stage, cause, id } = record.execution;
  const message = `Execution ${number} failed in ${stage}: ${cause}. After the mend: tandem retry ${shortId(id)}`;
  step.tell(pipelineEvent(record.execution, 'ExecutionFailed', 'error', message));
  return record;
}

export function rollBackStage(record: ExecutionRecord, step: Step, reason: string): ExecutionRecord {
  const { number, stage: name } = record.execution;
  const cause = oneLine(reason);
  const ended = endWithStage(record, step, 'RolledBack', 'RolledBack', cause);
  const message = `Execution ${number}: ${name.toLowerCase()} went back to the release before: ${cause}`;
  step.tell(pipelineEvent(ended.execution, 'ExecutionRolledBack', 'error', message));
  return ended;
}

/** True while the execution runs something that a stop has to end or wait for: a build or a deployment. */
export function isActing(record: ExecutionRecord): boolean {
  const { name, status } = currentStage(record);
  if (status !== 'InProgress' && status !== 'Stopping') return false;
  return name === 'Staging' || name === 'Production' || record.build?.step === 'build';
}

/** Takes a stop request down; the next turn ends what can end at once. */
export function requestStop(record: ExecutionRecord, stop: StopRequest): ExecutionRecord {
  const asked = { ...record, stop };
  if (!isActing(record)) return asked;
  return withStage(asked, { ...currentStage(record), status: 'Stopping' }, { status: 'Stopping' });
}

/**
 * The end that a stop request asked for. `where` reads on from "stopped by ada": `in Build`, `after Staging`,
 * with what was left behind.
 */
export function endStopped(record: ExecutionRecord, step: Step, where: string): ExecutionRecord {
  const { stop } = record;
  assert(stop, 'only a stop request ends an execution as stopped');
  if (stop.supersededBy !== undefined) {
    return endSuperseded(record, step, stop.supersededBy, ` (a rollback asked for by ${stop.by})`);
  }
  const cause = oneLine(`${stop.abandon ? 'abandoned' : 'stopped'} by ${stop.by} ${where}`);
  const ended = endWithStage(record, step, stageStatusWhenStopped(record), 'Stopped', cause);
  const message = `Execution ${record.execution.number} was ${cause}`;
  step.tell(pipelineEvent(ended.execution, 'ExecutionStopped', 'warning', message));
  return ended;
}

export function endSuperseded(
  record: ExecutionRecord,
  step: Step,
  byNumber: number,
  remark = '',
): ExecutionRecord {
  const cause = oneLine(`superseded by execution ${byNumber}${remark}`);
  const ended = endWithStage(record, step, stageStatusWhenStopped(record), 'Superseded', cause);
  const message = `Execution ${record.execution.number} was ${cause}`;
  step.tell(pipelineEvent(ended.execution, 'ExecutionSuperseded', 'info', message));
  return ended;
}

/** A stage that was only waited for has not run; one that has succeeded keeps its success. */
function stageStatusWhenStopped(record: ExecutionRecord): StageState['status'] {
  const { status } = currentStage(record);
  if (status === 'Succeeded') return 'Succeeded';
  return status === 'Queued' ? 'NotStarted' : 'Stopped';
}

/** Ends the current stage and the execution with one cause, and tells nobody. */
export function endWithStage(
  record: ExecutionRecord,
  step: Step,
  stageStatus: StageState['status'],
  status: Execution['status'],
  cause: string,
): ExecutionRecord {
  const before = currentStage(record);
  const hasRun = before.startedAt !== undefined && before.endedAt === undefined;
  const stage = hasRun
    ? endedStage(record, stageStatus, step, cause)
    : { ...withoutWaiting(before), status: stageStatus };
  return endExecution(withStage(record, stage), step, status, cause);
}

function endExecution(
  record: ExecutionRecord,
  step: Step,
  status: Execution['status'],
  cause?: string,
): ExecutionRecord {
  const { stop: _stop, build: _build, source: _source, ...rest } = record;
  const execution: Execution = { ...withoutWaiting(record.execution), status, endedAt: step.now };
  return { ...rest, execution: cause === undefined ? execution : { ...execution, cause } };
}

function endedStage(
  record: ExecutionRecord,
  status: StageState['status'],
  step: Step,
  summary: string,
): StageState {
  return { ...withoutWaiting(currentStage(record)), status, endedAt: step.now, summary };
}

function withoutWaiting<Waiter extends { waiting?: Waiting }>(waiter: Waiter): Omit<Waiter, 'waiting'> {
  const { waiting: _waiting, ...rest } = waiter;
  return rest;
}
