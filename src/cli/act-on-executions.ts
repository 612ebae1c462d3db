import { TandemError } from '../core/error.ts';
import type { Cloud, RegionOperations } from '../model/cloud.ts';
import type { Execution } from '../model/execution.ts';
import type { CommandContext } from './context.ts';
import { worst, type ExitCode } from './exit-code.ts';
import { byId, followExecutions, reportOutcomes, type FollowedExecution } from './follow-executions.ts';
import {
  answered,
  askRegionsPatiently,
  chosenRegions,
  findExecution,
  reportFailures,
  type RegionAnswer,
} from './regions.ts';
import { executionName } from './text/execution-text.ts';
import { shortId, standingPhrase, standingWord } from './text/words.ts';

/** How many executions of a region are looked through for those that a command without an id is about. */
const RECENT = 50;

interface Selection {
  id: string | undefined;
  /** Those that the command is about where no id is given, of one region's executions, newest first. */
  choose(newestFirst: readonly Execution[]): Execution[];
  /** `waits for approval`, for the refusal where there is none. */
  predicate: string;
  /** Without an id, all must be of one commit: regions must not come to run different ones unasked. */
  oneCommit?: boolean;
}

/**
 * The executions that a command acts on: the one that the id names, else the chosen ones of every region. A region
 * that does not answer is reported and left out; where nothing is left to act on, that is an error.
 */
async function select(
  context: CommandContext,
  cloud: Cloud,
  selection: Selection,
): Promise<{ selected: Execution[]; exitCode: ExitCode }> {
  if (selection.id !== undefined) {
    return { selected: [await findExecution(context, cloud, selection.id)], exitCode: 0 };
  }
  const answers = await askRegionsPatiently(context, cloud, chosenRegions(context, cloud), operations =>
    operations.executions({ limit: RECENT }),
  );
  const selected = answered(answers).flatMap(({ value }) => selection.choose(value));
  if (selection.oneCommit) requireOneCommit(selected);
  if (selected.length > 0) return { selected, exitCode: reportFailures(context, answers) };
  const failure = answers.find(answer => !('value' in answer));
  if (failure) throw failure.error;
  const newest = answered(answers).flatMap(({ region, value }) =>
    value
      .slice(0, 1)
      .map(
        execution => `; the newest in ${region} (${shortId(execution)}) ${standingPhrase(execution.status)}`,
      ),
  );
  throw new TandemError('EXECUTION_NOT_FOUND', `no execution ${selection.predicate}${newest.join('')}`);
}

function requireOneCommit(selected: readonly Execution[]): void {
  if (new Set(selected.map(({ commit }) => commit.id)).size <= 1) return;
  const waiting = selected.map(
    execution => `${execution.region} ${shortId(execution)} (${execution.commit.id.slice(0, 7)})`,
  );
  throw new TandemError(
    'EXECUTIONS_DIFFER',
    `not every execution that waits is of the same commit: ${waiting.join(', ')}; name the one that you mean by its id`,
    { data: { executions: selected.map(({ id }) => id) } },
  );
}

export interface Action extends Selection {
  /** `approved`, in front of each execution that it was done to. */
  done: string;
  act(operations: RegionOperations, execution: Execution): Promise<Execution>;
  /** What else is worth knowing of an execution, as it stands after the deed. */
  remark?(execution: Execution): string | undefined;
  /** Follow each execution until it has ended or waits again. */
  wait: boolean;
  /** The action stops executions: then only their end ends the following. */
  isStop?: boolean;
}

/** Does something to executions, all regions at once, then shows how they go on. The worst ending is the exit code. */
export async function actOnExecutions(context: CommandContext, action: Action): Promise<ExitCode> {
  const cloud = await context.cloud();
  const { selected, exitCode } = await select(context, cloud, action);
  const answers = await Promise.all(
    selected.map(async (execution): Promise<RegionAnswer<Execution>> => {
      const { region } = execution;
      try {
        return { region, value: await action.act(cloud.region(region), execution) };
      } catch (error) {
        return { region, error };
      }
    }),
  );
  const acted = answered(answers).map(({ value }) => value);
  for (const execution of acted) {
    context.note(`${execution.region}  ${action.done} ${executionName(execution, context.progressPaint)}`);
    const remark = action.remark?.(execution);
    if (remark !== undefined) context.note(`${execution.region}  ${remark}`);
  }
  const failures = worst([exitCode, reportFailures(context, answers)]);
  return worst([failures, await finish(context, cloud, acted, action)]);
}

/** Follows executions to where they settle and reports that; or, without waiting, reports how they stand. */
export async function finish(
  context: CommandContext,
  cloud: Cloud,
  acted: readonly Execution[],
  { wait, isStop = false }: { wait: boolean; isStop?: boolean },
): Promise<ExitCode> {
  if (wait && acted.length > 0) {
    const followed: FollowedExecution[] = acted.map(execution => ({
      ...byId(cloud, execution),
      isBeingStopped: isStop,
    }));
    return reportOutcomes(context, followed, await followExecutions(context, cloud, followed));
  }
  if (context.json) {
    const executions = acted.map(execution => ({
      region: execution.region,
      status: execution.status,
      execution,
    }));
    context.printJson({ executions });
  } else {
    for (const execution of acted) {
      const word = standingWord(execution.status, context.paint);
      context.print(`${execution.region}  ${word}  ${executionName(execution, context.paint)}`);
    }
  }
  return 0;
}
