import { SECOND_MS } from '../../../core/duration.ts';
import { delay, type Clock } from '../../../platform/clock.ts';

/** What AWS has acknowledged it may not yet show: that takes a second or two. */
const PATIENCE_MS = 20 * SECOND_MS;
const RETRY_MS = 500;

/** Reads until what was done can be seen, or patience ends; gives what was read last. */
export async function settle<Value>(
  clock: Clock,
  read: () => Promise<Value>,
  isSeen: (value: Value) => boolean,
): Promise<Value> {
  const startedAt = clock.monotonicMs();
  for (;;) {
    const value = await read();
    if (isSeen(value) || clock.monotonicMs() - startedAt >= PATIENCE_MS) return value;
    await delay(clock, RETRY_MS);
  }
}
