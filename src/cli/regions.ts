import { SECOND_MS } from '../core/duration.ts';
import { nearest } from '../core/nearest.ts';
import { TandemError } from '../core/error.ts';
import type { Cloud, RegionOperations } from '../model/cloud.ts';
import type { Execution } from '../model/execution.ts';
import type { RegionName } from '../model/names.ts';
import { delay } from '../platform/clock.ts';
import type { CommandContext } from './context.ts';
import { exitCodeOfError, isLostContact, worst, type ExitCode } from './exit-code.ts';
import { errorReport, printError } from './failures.ts';

/** What one region answered, or why it did not. */
export type RegionAnswer<Value> =
  { region: RegionName; value: Value; error?: undefined } | { region: RegionName; error: unknown };

/** The regions that a command is about: those of `--region`, else all. Throws REGION_UNKNOWN. */
export function chosenRegions(context: CommandContext, cloud: Cloud): RegionName[] {
  const known = cloud.regions();
  for (const region of context.chosenRegions) {
    if (known.includes(region)) continue;
    const near = nearest(region, known);
    const meant = near === undefined ? '' : `; did you mean ${near}?`;
    throw new TandemError(
      'REGION_UNKNOWN',
      `there is no region ${region} here, only ${known.join(', ')}${meant}`,
      { data: { region, known } },
    );
  }
  return context.chosenRegions.length === 0
    ? known
    : known.filter(region => context.chosenRegions.includes(region));
}

/** Asks regions in parallel; one that fails never hides another. Answers come in the cloud's order. */
export function askRegions<Value>(
  cloud: Cloud,
  regions: readonly RegionName[],
  question: (operations: RegionOperations, region: RegionName) => Promise<Value>,
): Promise<RegionAnswer<Value>[]> {
  return Promise.all(
    regions.map(async region => {
      try {
        return { region, value: await question(cloud.region(region), region) };
      } catch (error) {
        return { region, error };
      }
    }),
  );
}

/** A region process that crashed is back within a second or two: not worth leaving its region out for. */
const PATIENCE_MS = 3 * SECOND_MS;
const RETRY_MS = 250;

/** Like `askRegions`, but a region that does not answer is asked again for a moment. For questions, not for deeds. */
export function askRegionsPatiently<Value>(
  context: CommandContext,
  cloud: Cloud,
  regions: readonly RegionName[],
  question: (operations: RegionOperations, region: RegionName) => Promise<Value>,
): Promise<RegionAnswer<Value>[]> {
  const { clock } = context;
  return askRegions(cloud, regions, async (operations, region) => {
    const startedAt = clock.monotonicMs();
    for (;;) {
      try {
        return await question(operations, region);
      } catch (error) {
        if (!isLostContact(error) || clock.monotonicMs() - startedAt >= PATIENCE_MS) throw error;
        await delay(clock, RETRY_MS);
      }
    }
  });
}

export function answered<Value>(
  answers: readonly RegionAnswer<Value>[],
): { region: RegionName; value: Value; error?: undefined }[] {
  return answers.filter(answer => 'value' in answer);
}

/** Prints what went wrong where, each on its own line, and gives the exit code that it amounts to. */
export function reportFailures(context: CommandContext, answers: readonly RegionAnswer<unknown>[]): ExitCode {
  const failed = answers.filter(answer => !('value' in answer));
  for (const { region, error } of failed) printError(context.stderr, context.progressPaint, error, region);
  return worst(failed.map(({ error }) => exitCodeOfError(error)));
}

/** Answers for `--json`: the value under `name`, or the error. */
export function answersAsJson<Value>(answers: readonly RegionAnswer<Value>[], name: string): object {
  return {
    regions: answers.map(answer =>
      'value' in answer
        ? { region: answer.region, [name]: answer.value }
        : { region: answer.region, error: errorReport(answer.error) },
    ),
  };
}

/**
 * The execution that an id, or the beginning of one, names in whichever region it runs. Throws EXECUTION_UNKNOWN,
 * EXECUTION_AMBIGUOUS, or REGION_UNREACHABLE where the answer may lie with a region that does not answer.
 */
export async function findExecution(context: CommandContext, cloud: Cloud, id: string): Promise<Execution> {
  const regions = chosenRegions(context, cloud);
  const answers = await askRegionsPatiently(context, cloud, regions, operations => operations.execution(id));
  const found = answered(answers).map(({ value }) => value);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    const matches = found.map(execution => `${execution.id} (${execution.region})`).join(', ');
    throw new TandemError('EXECUTION_AMBIGUOUS', `${id} may mean ${matches}: give more of it`, {
      data: { id, matches: found.map(execution => execution.id) },
    });
  }
  // A refusal (an id too short, say) tells more than a region that does not answer, and that more than "unknown".
  const failures = answers.filter(answer => !('value' in answer));
  const refusal = failures.find(({ error }) => !isUnknown(error) && !isLostContact(error));
  const silence = failures.find(({ error }) => isLostContact(error));
  throw asError((refusal ?? silence)?.error ?? unknownExecution(id, regions));
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function isUnknown(error: unknown): boolean {
  return error instanceof TandemError && error.code === 'EXECUTION_UNKNOWN';
}

function unknownExecution(id: string, regions: readonly RegionName[]): TandemError {
  return new TandemError(
    'EXECUTION_UNKNOWN',
    `no execution in ${regions.join(' or ')} has an id that begins with ${id}; \`tandem executions\` lists them`,
    { data: { id } },
  );
}
