import { TandemError } from '../core/error.ts';
import type { Instant } from '../core/instant.ts';
import type { Cloud } from '../model/cloud.ts';
import { ENDED_EXECUTION_STATUSES, type Execution, type ExecutionStatus } from '../model/execution.ts';
import type { RegionName } from '../model/names.ts';
import type { CommandContext } from './context.ts';
import { EXIT, exitCodeOfError, exitCodeOfStatus, worst, type ExitCode } from './exit-code.ts';
import { errorReport, printError } from './failures.ts';
import { ProgressView } from './progress-view.ts';
import { reaching } from './reach.ts';
import { executionResult, executionRow } from './text/execution-text.ts';
import { standingWord } from './text/words.ts';
import { watch } from './watch.ts';

export interface FollowedExecution {
  region: RegionName;
  /** Reads the execution as it is now; `undefined` while there is none yet. */
  read(): Promise<Execution | undefined>;
  /** What is waited for while there is none yet. */
  awaited?: string;
  /** How to find out by hand, where contact is lost. */
  findOut: string;
  /** Somebody stops it: that it waits for a person ends nothing, and `Stopped` is what was wanted. */
  isBeingStopped?: boolean;
}

/** How following an execution ended; without `error` the execution is there, and settled. */
export interface FollowOutcome {
  region: RegionName;
  execution?: Execution | undefined;
  error?: unknown;
}

/** How one execution is followed: by its id, in its region. */
export function byId(cloud: Cloud, execution: Execution): FollowedExecution {
  return {
    region: execution.region,
    read: () => cloud.region(execution.region).execution(execution.id),
    findOut: `tandem executions ${execution.id}`,
  };
}

/** Ended, or waiting for a person who has not answered yet. */
export function isSettled(execution: Execution): boolean {
  return hasEnded(execution) || (execution.status === 'Waiting' && execution.approval === undefined);
}

function hasEnded(execution: Execution): boolean {
  return ENDED_EXECUTION_STATUSES.has(execution.status);
}

/**
 * Shows executions live, all regions at once, until each has ended or waits for a person, contact with its region is
 * lost for good, or Ctrl-C ends the watching (never the executions).
 */
export async function followExecutions(
  context: CommandContext,
  cloud: Cloud,
  followed: readonly FollowedExecution[],
): Promise<FollowOutcome[]> {
  const view = new ProgressView(context.stderr, context.progressPaint, context.clock);
  const watching = new AbortController();
  const release = context.onInterrupt(() =>
    watching.abort(new TandemError('INTERRUPTED', 'you ended the watching; what was watched goes on')),
  );
  try {
    return await Promise.all(followed.map(one => followOne(context, cloud, one, view, watching.signal)));
  } finally {
    release();
    view.end({ keep: false });
  }
}

async function followOne(
  context: CommandContext,
  cloud: Cloud,
  followed: FollowedExecution,
  view: ProgressView,
  signal: AbortSignal,
): Promise<FollowOutcome> {
  const paint = context.progressPaint;
  const since: Instant = context.clock.now();
  let latest: Execution | undefined;
  const show = (text: string) => view.set(followed.region, { text, since: latest?.startedAt ?? since });
  try {
    await watch({
      operations: cloud.region(followed.region),
      clock: context.clock,
      signal,
      read: () => followed.read(),
      isSettled(execution) {
        latest = execution;
        if (!execution) {
          show(`waiting: ${followed.awaited ?? 'the execution to start'}`);
          return false;
        }
        const settled = followed.isBeingStopped ? hasEnded(execution) : isSettled(execution);
        view.set(followed.region, {
          text: executionRow(execution, paint),
          ...(settled ? {} : { since: execution.startedAt }),
        });
        return settled;
      },
      onContact: contact => {
        if (contact === 'lost') show('no answer from the region; trying again');
      },
    });
    return { region: followed.region, execution: latest };
  } catch (error) {
    view.set(followed.region, { text: standingWord('Unknown', paint) });
    return { region: followed.region, execution: latest, error };
  }
}

/** Prints how each execution ended (a result, so on standard output) and gives the exit code: the worst wins. */
export function reportOutcomes(
  context: CommandContext,
  followed: readonly FollowedExecution[],
  outcomes: readonly FollowOutcome[],
  facts: Record<string, unknown> = {},
): ExitCode {
  if (context.json) {
    const executions = outcomes.map(({ region, execution, error }) => ({
      region,
      status: standingOf({ execution, error }),
      ...(execution && { execution }),
      ...(error === undefined ? {} : { error: errorReport(error) }),
    }));
    context.printJson({ ...facts, executions });
  } else {
    const width = Math.max(...outcomes.map(({ region }) => region.length));
    for (const { region, execution, error } of outcomes) {
      const result = executionResult(standingOf({ execution, error }), execution, context.paint);
      context.print(reaching(context, `${region.padEnd(width)}  ${result}`));
    }
  }
  for (const { region, error } of outcomes) {
    if (error === undefined) continue;
    printError(context.stderr, context.progressPaint, error, region);
    const findOut = followed.find(one => one.region === region)?.findOut;
    if (exitCodeOfError(error) === EXIT.unknown)
      context.note(`${region}: to find out how it ends: ${findOut}`);
  }
  return worst(
    outcomes.map(outcome => {
      const isWanted = followed.some(one => one.isBeingStopped && one.region === outcome.region);
      return isWanted && outcome.execution?.status === 'Stopped' ? EXIT.done : exitCodeOfOutcome(outcome);
    }),
  );
}

function standingOf({ execution, error }: Pick<FollowOutcome, 'execution' | 'error'>): ExecutionStatus {
  return execution && error === undefined ? execution.status : 'Unknown';
}

function exitCodeOfOutcome({ execution, error }: FollowOutcome): ExitCode {
  if (error !== undefined) return exitCodeOfError(error);
  return execution ? exitCodeOfStatus(execution.status) : EXIT.unknown;
}
