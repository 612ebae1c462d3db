import type { Random } from './random.ts';

export interface BackoffPolicy {
  firstMs: number;
  maximumMs: number;
}

/**
 * Exponential back-off with full jitter on the upper half: attempt 1 waits about `firstMs`, each further one
 * twice as long, never above `maximumMs`. Retries of many peers spread out instead of arriving together.
 */
export function backoffDelayMs(policy: BackoffPolicy, attempt: number, random: Random): number {
  const ceilingMs = Math.min(policy.maximumMs, policy.firstMs * 2 ** Math.min(30, Math.max(0, attempt - 1)));
  return Math.round(ceilingMs / 2 + (random.next() * ceilingMs) / 2);
}
