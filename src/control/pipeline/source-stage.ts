import { outcomeOf, retryLater, sourceKey } from './attempts.ts';
import type { ExecutionRecord, Turn } from './state.ts';
import { failStage, succeedStage, withWaiting } from './transitions.ts';
import { describeCommit, shortCommit } from './words.ts';

const MOST_FAILURES = 5;

/** Source reads what the commit is. The repository has it: an execution starts after its push is on disk. */
export function stepSource(record: ExecutionRecord, turn: Turn): ExecutionRecord {
  const outcome = outcomeOf(turn, sourceKey(record));
  const { commit, trigger } = record.execution;
  if (outcome?.kind === 'commit') {
    const { commit } = outcome;
    const summary = `${describeCommit(commit)} by ${commit.author.name} on ${trigger.ref}`;
    return succeedStage(record, turn, summary, { commit });
  }
  if (outcome?.kind === 'commit-unknown') return failStage(record, turn, outcome.message);
  if (outcome?.kind === 'failed') {
    const source = retryLater(record.source, turn.now);
    if (source.failures < MOST_FAILURES) return { ...record, source };
    return failStage(record, turn, `the commit could not be read: ${outcome.failure}`);
  }
  return withWaiting(record, { for: `commit ${shortCommit(commit.id)} to be read` });
}
