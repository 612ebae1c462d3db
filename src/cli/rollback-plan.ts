import { TandemError } from '../core/error.ts';
import type { ReleaseRecord, RegionOperations } from '../model/cloud.ts';
import type { Execution } from '../model/execution.ts';
import type { CommitId } from '../model/names.ts';
import { requireOneRelease, SHORTEST_RELEASE_NAME } from '../model/release-name.ts';
import type { Release } from '../model/release.ts';

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
    to: to === undefined ? lastGood(executions)?.commit : named(releases, to),
  };
}

/**
 * The release that the region goes back to on its own, by the pipeline's rule: of those that production ran with
 * success the one before the latest, not counting what was rolled back from; or the latest itself where a newer
 * deployment has been tried since.
 */
function lastGood(newestFirst: readonly Execution[]): Release | undefined {
  let good: Release[] = [];
  for (const execution of newestFirst.toReversed()) {
    const { release } = execution;
    if (!release || productionOf(execution)?.status !== 'Succeeded') continue;
    const earlier = good.findIndex(({ digest }) => digest === release.digest);
    const isBack = execution.trigger.kind === 'rollback' && earlier !== -1;
    good = isBack ? good.slice(0, earlier + 1) : [...good.filter((_, index) => index !== earlier), release];
  }
  const tried = newestFirst.find(execution => productionOf(execution)?.startedAt !== undefined)?.release;
  const isLatestTried = tried === undefined || tried.digest === good.at(-1)?.digest;
  return isLatestTried ? good.at(-2) : good.at(-1);
}

function productionOf(execution: Execution) {
  return execution.stages.find(({ name }) => name === 'Production');
}

/** What production is changing to right now. */
function underWay(executions: readonly Execution[]): CommitId | undefined {
  return executions.find(execution => productionOf(execution)?.status === 'InProgress')?.release?.commit;
}

/** By the region's rule: it was deployed with success, and its commit id or digest (also without `sha256:`) begins so. */
function named(releases: readonly ReleaseRecord[], to: string): CommitId {
  const text = to.trim().toLowerCase();
  const matches = releases.filter(
    ({ commit, digest, deployedAt }) =>
      text.length >= SHORTEST_RELEASE_NAME &&
      Object.keys(deployedAt).length > 0 &&
      (commit.startsWith(text) || digest.startsWith(text) || digest.startsWith(`sha256:${text}`)),
  );
  const [found] = matches;
  requireOneRelease(to, matches);
  if (found) return found.commit;
  throw new TandemError(
    'RELEASE_UNKNOWN',
    `no release that was deployed with success begins with '${to}' (at least ${SHORTEST_RELEASE_NAME} characters); \`tandem releases\` lists them`,
    { data: { to } },
  );
}
