import { formatDuration } from '../core/duration.ts';
import { TandemError } from '../core/error.ts';
import type { Cloud } from '../model/cloud.ts';
import type { Execution } from '../model/execution.ts';
import type { CommitId, RegionName } from '../model/names.ts';
import type { Clock } from '../platform/clock.ts';
import type { FollowedExecution } from './follow-executions.ts';
import { answered, askRegions } from './regions.ts';
import { shortCommit } from './text/words.ts';

/** How many executions of a region are looked through for those of one commit. */
const RECENT = 50;

/** The executions of a commit that are there already, by id: a push of the same commit again starts others. */
export async function executionsBefore(cloud: Cloud, commit: CommitId): Promise<ReadonlySet<string>> {
  const answers = await askRegions(cloud, cloud.regions(), operations => executionsOf(commit, operations));
  return new Set(answered(answers).flatMap(({ value }) => value.map(({ id }) => id)));
}

export interface AwaitedPush {
  cloud: Cloud;
  /** The region that took the push; the others get it from there. */
  from: RegionName;
  /** Executions that are not the push's; `undefined`: the newest of the commit is meant, however old. */
  before: ReadonlySet<string> | undefined;
  clock: Clock;
  /** How long a region may take to start its execution. */
  limitMs: number;
}

/** The execution that a push starts, in every region: first to be found, then followed. */
export function awaitExecutionsOf(commit: CommitId, push: AwaitedPush): FollowedExecution[] {
  const { cloud, from, before, clock, limitMs } = push;
  const startedAt = clock.monotonicMs();
  return cloud.regions().map(region => {
    const operations = cloud.region(region);
    let id: string | undefined;
    return {
      region,
      awaited: region === from ? 'the execution to start' : `the commit to arrive from ${from}`,
      findOut: `tandem status --region ${region}`,
      async read(): Promise<Execution | undefined> {
        if (id !== undefined) return operations.execution(id);
        const found = (await executionsOf(commit, operations)).find(execution => !before?.has(execution.id));
        id = found?.id;
        if (!found && clock.monotonicMs() - startedAt > limitMs) throw neverStarted(commit, region, limitMs);
        return found;
      },
    };
  });
}

async function executionsOf(
  commit: CommitId,
  operations: { executions(query: { limit: number }): Promise<Execution[]> },
): Promise<Execution[]> {
  const found = await operations.executions({ limit: RECENT });
  return found.filter(execution => execution.commit.id === commit && execution.trigger.kind !== 'rollback');
}

function neverStarted(commit: CommitId, region: RegionName, limitMs: number): TandemError {
  return new TandemError(
    'EXECUTION_NOT_STARTED',
    `${region} has started no execution of ${shortCommit(commit)} in ${formatDuration(limitMs)}; ` +
      `\`tandem status --region ${region}\` tells whether the commit has arrived there`,
    { kind: 'system', data: { region, commit } },
  );
}
