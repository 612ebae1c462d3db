import type { Instant } from '../core/instant.ts';

export interface Timer {
  cancel(): void;
}

/** The only way to the time of day and to timers outside tests. */
export interface Clock {
  now(): Instant;
  /** Milliseconds that never jump, for measuring durations. The zero is arbitrary. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`. `idle` timers do not keep the process alive. */
  after(delayMs: number, callback: () => void, options?: { idle?: boolean }): Timer;
  every(periodMs: number, callback: () => void, options?: { idle?: boolean }): Timer;
}

/** Node caps timers at 2^31-1 ms; a longer wait (an approval's seven days are fine) is clamped and re-armed by its owner. */
const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback, options) {
    const handle = setTimeout(callback, Math.min(Math.max(0, delayMs), LONGEST_TIMER_MS));
    if (options?.idle) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, callback, options) {
    const handle = setInterval(callback, periodMs);
    if (options?.idle) handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
};

/** Resolves after `delayMs`, or rejects with the signal's reason when it aborts first. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** For libraries that take a `Date`. */
export function dateOf(instant: Instant): Date {
  return new Date(instant);
}
