import type { CostChange } from '../../model/cost.ts';
import type {
  StackOutcome,
  StackPlan,
  InfrastructureStack,
  WorkFolder,
  PlanMode,
} from '../../model/infrastructure.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, exitCodeOfError, worst, type ExitCode } from '../exit-code.ts';
import { errorReport, printError } from '../failures.ts';
import type { AwsApplication } from './application.ts';
import { countsOf, forecastText, planLines } from './plan-text.ts';
import type { StackProgressView } from './stack-progress-view.ts';

/** Plans stacks with live progress. */
export async function planStacks(
  context: CommandContext,
  work: WorkFolder,
  stacks: readonly InfrastructureStack[],
  { mode, view }: { mode: PlanMode; view: StackProgressView },
): Promise<StackOutcome<StackPlan>[]> {
  for (const { name } of stacks) view.wait(name);
  try {
    return await work.plan(stacks, mode);
  } finally {
    view.end({ keep: false });
  }
}

export interface PlanReport {
  lines: string[];
  json: object;
}

/** What the plans come to, for people and for programs. */
export async function reportPlans(
  context: CommandContext,
  { config, stacks }: AwsApplication,
  outcomes: readonly StackOutcome<StackPlan>[],
  { showsAll, isResult }: { showsAll: boolean; isResult: boolean },
): Promise<PlanReport> {
  const plans = plansOf(outcomes);
  const cost = await context.cost.change(
    plans.map(({ document }) => document),
    config.usage,
  );
  const unplanned = outcomes.flatMap(({ state, stack }) => (state === 'done' ? [] : [stack.name]));
  const hasChanges = plans.some(({ changes }) => changes.length > 0);
  const paint = isResult ? context.paint : context.progressPaint;
  return {
    lines: [
      ...planLines(plans, { paint, showsAll, unplanned }),
      ...(hasChanges ? ['', `cost  ${costText(cost)}`, `time  ${forecastText(plans, stacks)}`] : []),
    ],
    json: {
      stacks: outcomes.map(outcome => {
        const { name, region } = outcome.stack;
        if (outcome.state === 'failed') return { stack: name, region, error: errorReport(outcome.error) };
        if (outcome.state === 'skipped') return { stack: name, region, skippedBecauseOf: outcome.because };
        const { changes, isDeferred, durationMs } = outcome.value;
        return {
          stack: name,
          region,
          isDeferred,
          counts: countsOf(outcome.value),
          forecastMs: durationMs,
          changes,
        };
      }),
      monthlyCostUsd: { before: cost.before, after: cost.after, notCovered: cost.notCovered },
    },
  };
}

export function plansOf(outcomes: readonly StackOutcome<StackPlan>[]): StackPlan[] {
  return outcomes.flatMap(outcome => (outcome.state === 'done' ? [outcome.value] : []));
}

/** Prints what failed or was not begun, and gives the exit code that it amounts to. */
export function reportStackFailures(
  context: CommandContext,
  outcomes: readonly StackOutcome<unknown>[],
): ExitCode {
  for (const outcome of outcomes) {
    // An error of Terraform's names its stack itself.
    if (outcome.state === 'failed') printError(context.stderr, context.progressPaint, outcome.error);
    if (outcome.state === 'skipped') {
      context.note(`${outcome.stack.name} was not begun, because ${outcome.because} is not done`);
    }
  }
  return worst(
    outcomes.map(outcome => {
      if (outcome.state === 'failed') return exitCodeOfError(outcome.error);
      return outcome.state === 'skipped' ? EXIT.failed : EXIT.done;
    }),
  );
}

function costText({ before, after, notCovered }: CostChange): string {
  const usd = (amount: number) => amount.toFixed(2);
  const change =
    usd(before) === usd(after)
      ? `${usd(after)} USD a month, as before`
      : `${usd(before)} → ${usd(after)} USD a month`;
  return notCovered.length === 0 ? change : `${change}, without ${notCovered.length} that have no price here`;
}
