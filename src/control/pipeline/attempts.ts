import type { Instant } from '../../core/instant.ts';
import type { ExecutionRecord, Outcome, Tries, Turn } from './state.ts';
import { currentStage } from './transitions.ts';

/*
 * Keys name every action once: the same step of the same attempt always has the same key, so that the doer can
 * tell a repetition from something new, and an outcome finds its way back.
 */

export function sourceKey(record: ExecutionRecord): string {
  return `${stageKey(record)}/read/${record.source?.failures ?? 0}`;
}

export function askKey(record: ExecutionRecord, question: number): string {
  return `${stageKey(record)}/ask/${question}`;
}

export function pullKey(record: ExecutionRecord, tries: Tries): string {
  return `${stageKey(record)}/pull/${tries.failures}`;
}

export function buildKey(record: ExecutionRecord, run: number): string {
  return `${stageKey(record)}/run/${run}`;
}

export function deploymentKey(record: ExecutionRecord): string {
  return stageKey(record);
}

function stageKey(record: ExecutionRecord): string {
  const { name, attempt } = currentStage(record);
  return `${record.execution.id}/${name}/${attempt}`;
}

export function outcomeOf(turn: Turn, key: string): Outcome | undefined {
  return turn.observed.outcomes.get(key);
}

const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 2_000;

/** One more failure; the next try follows after 200 ms, 400 ms, 800 ms… */
export function retryLater(tries: Tries | undefined, now: Instant): Tries {
  const failures = (tries?.failures ?? 0) + 1;
  return { failures, retryAt: now + Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)) };
}

export function isDue(tries: Tries | undefined, now: Instant): boolean {
  return tries?.retryAt === undefined || tries.retryAt <= now;
}
