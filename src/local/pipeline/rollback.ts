import { lastGoodRelease, namedRelease, type LedgerRelease } from '../../control/pipeline/rollback-target.ts';
import { hasEnded, stageOf } from '../../control/pipeline/transitions.ts';
import type { ExecutionRecord } from '../../control/pipeline/state.ts';
import { describeCommit } from '../../control/pipeline/words.ts';
import { TandemError } from '../../core/error.ts';
import type { Execution } from '../../model/execution.ts';
import type { Digest } from '../../model/names.ts';
import { SHORTEST_RELEASE_NAME } from '../../model/release-name.ts';
import type { ExecutionStore } from './execution-store.ts';
import type { ReleaseLedger } from './release-ledger.ts';

/** Finds the release that a rollback goes to. Throws ROLLBACK_IMPOSSIBLE, RELEASE_UNKNOWN, RELEASE_AMBIGUOUS. */
export function chooseRollback(
  to: string | undefined,
  records: readonly ExecutionRecord[],
  store: ExecutionStore,
  ledger: ReleaseLedger,
): LedgerRelease {
  const good = ledger.good();
  const latest = good[0]?.release.digest;
  const attempted = attemptedDigest(store.latestInProduction());
  if (to === undefined) {
    refuseSecondRollback(records);
    return lastGoodRelease(good, attempted);
  }
  const matches = to.trim().length < SHORTEST_RELEASE_NAME ? [] : ledger.matching(to);
  const current = attempted === undefined || attempted === latest ? latest : undefined;
  return namedRelease(to, matches, current);
}

/** Two people who press the same button want one step back, not two. */
function refuseSecondRollback(records: readonly ExecutionRecord[]): void {
  const running = records.find(record => record.execution.trigger.kind === 'rollback' && !hasEnded(record));
  if (!running) return;
  const { number, trigger, commit } = running.execution;
  throw new TandemError(
    'ROLLBACK_IMPOSSIBLE',
    `Execution ${number}, asked for by ${trigger.by}, is rolling production back to ${describeCommit(commit)} already. Wait for its end, or name a release: tandem rollback <commit>`,
    { data: { executionId: running.execution.id } },
  );
}

/**
 * What the newest execution in Production has put there, whether it became good or not. A deployment that went back
 * by itself has left nothing, and a rollback that failed is not what one goes back from.
 */
function attemptedDigest(execution: Execution | undefined): Digest | undefined {
  if (!execution || execution.trigger.kind === 'rollback') return undefined;
  const stage = stageOf(execution, 'Production');
  const hasLeftSomething = stage.deploymentId !== undefined && stage.status !== 'RolledBack';
  return hasLeftSomething ? execution.release?.digest : undefined;
}
