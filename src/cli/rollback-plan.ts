import type { RegionOperations } from '../model/cloud.ts';
import type { Execution } from '../model/execution.ts';
import { lastGoodRelease, productionOf } from '../model/last-good-release.ts';
import type { CommitId } from '../model/names.ts';
import { deployedRelease } from '../model/release-name.ts';

/** What a rollback changes in one region's production, for a person to look at before it is done. */
export interface RollbackPlan {
  from: CommitId | undefined;
  /** `undefined`: none was named, and the region decides; it refuses where there is none. */
  to: CommitId | undefined;
}

const HISTORY = 100;

/** Throws RELEASE_UNKNOWN, RELEASE_AMBIGUOUS: nobody is asked whether to go back to what is not there, or to one of two. */
export async function planRollback(
  operations: RegionOperations,
  to: string | undefined,
): Promise<RollbackPlan> {
  const [status, releases, executions] = await Promise.all([
    operations.status(),
    operations.releases(),
    operations.executions({ limit: HISTORY }),
  ]);
  const from = status.services.find(({ name }) => name === 'production')?.release?.commit;
  return {
    from: underWay(executions) ?? from,
    to: to === undefined ? lastGoodRelease(executions)?.commit : deployedRelease(releases, to).commit,
  };
}

/** What production is changing to right now. */
function underWay(executions: readonly Execution[]): CommitId | undefined {
  return executions.find(execution => productionOf(execution)?.status === 'InProgress')?.release?.commit;
}
