import { STAGE_NAMES, type StageName } from '../../model/names.ts';
import type { ExecutionRecord } from './state.ts';
import {
  currentStage,
  endSuperseded,
  enterStage,
  hasEnded,
  requestStop,
  withWaiting,
  type Step,
} from './transitions.ts';

/*
 * Who may enter a stage (CodePipeline user guide, "How pipeline executions work"). An execution locks the stage
 * that it is in, from entering it until it leaves for good; others wait before it.
 *
 * SUPERSEDED  one waiting place before each stage: a newer execution takes it from an older one. An approval is a
 *             place of waiting, too: the newer one takes it over when it gets there.
 * QUEUED      the oldest waiting one goes first.
 * PARALLEL    nobody waits.
 *
 * A rollback goes straight to Production and is urgent: in the first two modes it supersedes whoever is older and
 * waits for Production, and has whoever deploys there end at once.
 */
export function admit(records: readonly ExecutionRecord[], step: Step): ExecutionRecord[] {
  const byId = new Map(records.map(record => [record.execution.id, record]));
  const put = (record: ExecutionRecord) => byId.set(record.execution.id, record);
  // The last stage first: whoever leaves a stage makes room for the one behind it.
  for (const name of [...STAGE_NAMES].reverse()) {
    admitTo(name, [...byId.values()], step, put);
  }
  return [...byId.values()];
}

function admitTo(
  name: StageName,
  records: ExecutionRecord[],
  step: Step,
  put: (record: ExecutionRecord) => void,
): void {
  const present = records.filter(record => !hasEnded(record) && record.execution.stage === name);
  const waiting = present.filter(isQueued).sort((left, right) => numberOf(left) - numberOf(right));
  if (waiting.length === 0) return;
  const holders = present.filter(record => !isQueued(record));
  if (step.settings.mode === 'PARALLEL') {
    for (const record of waiting) put(enterStage(record, step));
    return;
  }
  const rollback = waiting.findLast(isRollback);
  if (rollback) {
    takeOver(rollback, holders, waiting, step, put);
  } else if (step.settings.mode === 'QUEUED') {
    admitOldest(holders, waiting, step, put);
  } else {
    admitNewest(holders, waiting, step, put);
  }
}

function admitOldest(
  holders: ExecutionRecord[],
  waiting: ExecutionRecord[],
  step: Step,
  put: (record: ExecutionRecord) => void,
): void {
  const [first, ...others] = waiting;
  if (!first) return;
  const isFree = holders.length === 0;
  put(isFree ? enterStage(first, step) : waitBehind(first, holders));
  let ahead = first;
  for (const record of others) {
    put(waitBehind(record, [ahead]));
    ahead = record;
  }
}

function admitNewest(
  holders: ExecutionRecord[],
  waiting: ExecutionRecord[],
  step: Step,
  put: (record: ExecutionRecord) => void,
): void {
  const newest = waiting.at(-1);
  if (!newest) return;
  for (const record of waiting.slice(0, -1)) put(endSuperseded(record, step, numberOf(newest)));
  const replaced = holders.filter(
    holder => isAskingForApproval(holder) && numberOf(holder) < numberOf(newest),
  );
  for (const holder of replaced) put(endSuperseded(holder, step, numberOf(newest)));
  const staying = holders.filter(holder => !replaced.includes(holder));
  put(staying.length === 0 ? enterStage(newest, step) : waitBehind(newest, staying));
}

function takeOver(
  rollback: ExecutionRecord,
  holders: ExecutionRecord[],
  waiting: ExecutionRecord[],
  step: Step,
  put: (record: ExecutionRecord) => void,
): void {
  const number = numberOf(rollback);
  const remark = ` (a rollback asked for by ${rollback.execution.trigger.by})`;
  for (const record of waiting) {
    if (record === rollback) continue;
    const isOlder = numberOf(record) < number;
    put(isOlder ? endSuperseded(record, step, number, remark) : waitBehind(record, [rollback]));
  }
  for (const holder of holders) put(cutShort(holder, rollback));
  put(holders.length === 0 ? enterStage(rollback, step) : waitBehind(rollback, holders));
}

function cutShort(holder: ExecutionRecord, rollback: ExecutionRecord): ExecutionRecord {
  if (holder.stop?.abandon) return holder;
  const { trigger, number } = rollback.execution;
  return requestStop(holder, { abandon: true, by: trigger.by, supersededBy: number });
}

function waitBehind(record: ExecutionRecord, ahead: readonly ExecutionRecord[]): ExecutionRecord {
  const numbers = ahead.map(numberOf);
  const executions = numbers.length === 1 ? `execution ${numbers[0]}` : `executions ${numbers.join(', ')}`;
  return withWaiting(record, { for: `${executions}, ahead of it in ${record.execution.stage}` });
}

function isQueued(record: ExecutionRecord): boolean {
  return currentStage(record).status === 'Queued';
}

function isAskingForApproval(record: ExecutionRecord): boolean {
  return currentStage(record).status === 'Waiting';
}

function isRollback(record: ExecutionRecord): boolean {
  return record.execution.trigger.kind === 'rollback';
}

function numberOf(record: ExecutionRecord): number {
  return record.execution.number;
}
