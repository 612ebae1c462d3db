import type { Execution, StageState } from './execution.ts';
import type { Release } from './release.ts';

/**
 * The release that the region goes back to on its own, by the pipeline's rule: of those that production ran with
 * success the one before the latest, not counting what was rolled back from; or the latest itself where a newer
 * deployment has been tried since.
 */
export function lastGoodRelease(newestFirst: readonly Execution[]): Release | undefined {
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

export function productionOf({ stages }: Execution): StageState | undefined {
  return stages.find(({ name }) => name === 'Production');
}
