import type { Fleet } from '../model/config/fleet.ts';
import type { Clock } from '../platform/clock.ts';
import { EXIT, type ExitCode } from './exit-code.ts';

export interface CustomerRun {
  exitCode: ExitCode;
  stdout: string;
  stderr: string;
}

export interface CustomerOutcome {
  customer: string;
  /** Counts from 1. */
  wave: number;
  /** Absent where it was not begun, because another failed before. */
  run?: CustomerRun;
  durationMs: number;
}

/** Ends that are no reason to keep a change from the next customers: drift is news, and a person may be asked. */
const GOES_ON: ReadonlySet<ExitCode> = new Set([EXIT.done, EXIT.drift, EXIT.waiting]);

/**
 * Does something for customers, wave by wave, so many of a wave at once. After the first failure nothing is begun any
 * more; what runs is waited for. Outcomes come in the order of the waves.
 */
export async function runFleet(
  { waves, concurrency }: Pick<Fleet, 'waves' | 'concurrency'>,
  chosen: ReadonlySet<string>,
  {
    clock,
    run,
    onEnd,
  }: {
    clock: Clock;
    run(customer: string): Promise<CustomerRun>;
    onEnd(outcome: CustomerOutcome): void;
  },
): Promise<CustomerOutcome[]> {
  const outcomes: CustomerOutcome[] = [];
  let hasFailed = false;
  for (const [index, wave] of waves.entries()) {
    const waiting = wave.filter(customer => chosen.has(customer));
    const ended = new Map<string, CustomerOutcome>();
    const work = async (): Promise<void> => {
      for (;;) {
        const customer = hasFailed ? undefined : waiting.find(name => !ended.has(name));
        if (customer === undefined) return;
        ended.set(customer, { customer, wave: index + 1, durationMs: 0 });
        const startedAt = clock.monotonicMs();
        const result = await run(customer);
        hasFailed ||= !GOES_ON.has(result.exitCode);
        const outcome = {
          customer,
          wave: index + 1,
          run: result,
          durationMs: clock.monotonicMs() - startedAt,
        };
        ended.set(customer, outcome);
        onEnd(outcome);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    outcomes.push(
      ...waiting.map(customer => ended.get(customer) ?? { customer, wave: index + 1, durationMs: 0 }),
    );
  }
  return outcomes;
}
