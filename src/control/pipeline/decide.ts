import { assert, unreachable } from '../../core/assert.ts';
import type { Instant } from '../../core/instant.ts';
import type { NewRegionEvent } from '../../model/event.ts';
import { expiryCause } from '../../model/execution.ts';
import type { Waiting } from '../../model/waiting.ts';
import { admit } from './admission.ts';
import { stepBuild } from './build-stage.ts';
import { stepDeploy } from './deploy-stage.ts';
import { stepSource } from './source-stage.ts';
import type {
  Decision,
  ExecutionRecord,
  LedgerEntry,
  Observation,
  PipelineSettings,
  PipelineState,
  Turn,
} from './state.ts';
import {
  currentStage,
  endStopped,
  endWithStage,
  hasEnded,
  isActing,
  tellFailed,
  type Step,
} from './transitions.ts';
import { wantedActions } from './wanted-actions.ts';
import { pipelineEvent } from './words.ts';

/**
 * One turn of the pipeline: every execution goes as far as the observation lets it, stages are handed on, and
 * what should be under way is named. Deciding again on the same observation changes nothing.
 */
export function decide(
  settings: PipelineSettings,
  state: PipelineState,
  observed: Observation,
  now: Instant,
): Decision {
  const events: NewRegionEvent[] = [];
  const ledger: LedgerEntry[] = [];
  const turn: Turn = {
    settings,
    observed,
    now,
    tell: event => events.push(event),
    enter: entry => ledger.push(entry),
  };
  const records = settle(state.records, turn);
  return {
    state: { records },
    actions: records.flatMap(record => wantedActions(record, turn)),
    events,
    ledger,
    waiting: nextDeadline(records, now),
  };
}

/** More rounds than an execution has steps would mean that some step does not settle. */
const MOST_ROUNDS_PER_EXECUTION = 100;

function settle(before: readonly ExecutionRecord[], turn: Turn): readonly ExecutionRecord[] {
  let records = before;
  for (let round = 0; ; round += 1) {
    assert(round <= MOST_ROUNDS_PER_EXECUTION * (before.length + 1), 'the pipeline settles');
    const advanced = records.map(record => advance(record, turn, records));
    const next = admit(advanced, turn);
    if (next.every((record, index) => record === records[index])) return records;
    records = next;
  }
}

function advance(record: ExecutionRecord, turn: Turn, all: readonly ExecutionRecord[]): ExecutionRecord {
  if (hasEnded(record)) return record;
  if (record.stop && !isActing(record)) return endStopped(record, turn, `in ${record.execution.stage}`);
  const stage = currentStage(record);
  if (stage.status === 'Queued') return record;
  switch (stage.name) {
    case 'Source':
      return stepSource(record, turn);
    case 'Build':
      return stepBuild(record, turn);
    case 'Staging':
    case 'Production':
      return stepDeploy(
        record,
        turn,
        all.filter(rival => rival !== record && !hasEnded(rival)),
      );
    case 'Approval':
      return stepApproval(record, turn);
    default:
      return unreachable(stage.name);
  }
}

function stepApproval(record: ExecutionRecord, turn: Turn): ExecutionRecord {
  const { waiting } = currentStage(record);
  assert(waiting?.until !== undefined, 'an approval has its last moment');
  return turn.now < waiting.until ? record : expireApproval(record, turn);
}

function expireApproval(record: ExecutionRecord, step: Step): ExecutionRecord {
  const cause = expiryCause(step.settings.approvalExpiresAfterMs);
  const approval = { decision: 'Expired', by: 'tandem', comment: '', at: step.now } as const;
  const expired = { ...record, execution: { ...record.execution, approval } };
  const ended = endWithStage(expired, step, 'Failed', 'Failed', cause);
  const message = `Execution ${record.execution.number}: ${cause}`;
  step.tell(pipelineEvent(ended.execution, 'ApprovalExpired', 'error', message));
  return tellFailed(ended, step);
}

/** Only what the pipeline itself does at a time; builds and deployments keep their own and tell. */
function nextDeadline(records: readonly ExecutionRecord[], now: Instant): Waiting | undefined {
  const deadlines = records.filter(record => !hasEnded(record)).flatMap(deadlinesOf);
  return deadlines
    .filter(deadline => deadline.until > now)
    .sort((left, right) => left.until - right.until)
    .at(0);
}

function deadlinesOf(record: ExecutionRecord): { for: string; until: Instant }[] {
  const stage = currentStage(record);
  const instants: (Instant | undefined)[] = [];
  if (stage.name === 'Approval' && stage.status === 'Waiting') instants.push(stage.waiting?.until);
  instants.push(record.source?.retryAt);
  if (record.build?.step === 'ask') instants.push(record.build.deadline);
  if (record.build && record.build.step !== 'build') instants.push(record.build.tries.retryAt);
  const what = stage.waiting?.for ?? `execution ${record.execution.number}`;
  return instants.filter(until => until !== undefined).map(until => ({ for: what, until }));
}
