import { SECOND_MS } from '../core/duration.ts';
import type { RegionOperations } from '../model/cloud.ts';
import { delay, type Clock } from '../platform/clock.ts';
import { isLostContact } from './exit-code.ts';

export interface WatchRequest<Value> {
  operations: RegionOperations;
  clock: Clock;
  signal: AbortSignal;
  read(): Promise<Value>;
  /** Sees every value that was read; true ends the watch. */
  isSettled(value: Value): boolean;
  /** Contact was lost (again and again tried for `PATIENCE_MS`), or is back. */
  onContact(contact: 'lost' | 'back'): void;
}

/** A region process that crashed is back within a second or two; what takes longer is worth telling. */
const PATIENCE_MS = 15 * SECOND_MS;
const RETRY_MS = 500;
/** Events wake the watch up; this is for what changes without one, such as the words of what is waited for. */
const REREAD_MS = 2 * SECOND_MS;

/**
 * Reads something of a region each time the region has news, until it is settled. Rejects with what `read` rejected
 * with: at once for a refusal, for lost contact only after some patience. Rejects with the signal's reason on abort.
 */
export async function watch<Value>(request: WatchRequest<Value>): Promise<Value> {
  const { clock, signal } = request;
  const listening = new AbortController();
  const news = new News();
  const stop = () => listening.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const listener = listen(request.operations, clock, news, listening.signal);
  let lostSince: number | undefined;
  try {
    for (;;) {
      signal.throwIfAborted();
      try {
        const value = await request.read();
        if (lostSince !== undefined) request.onContact('back');
        lostSince = undefined;
        if (request.isSettled(value)) return value;
      } catch (error) {
        if (!isLostContact(error)) throw error;
        if (lostSince === undefined) request.onContact('lost');
        lostSince ??= clock.monotonicMs();
        if (clock.monotonicMs() - lostSince >= PATIENCE_MS) throw error;
      }
      await news.next(clock, lostSince === undefined ? REREAD_MS : RETRY_MS, signal);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    listening.abort();
    await listener;
  }
}

/** Turns a region's events into news, through every loss of contact. `limit: 1`: what happened just before counts. */
async function listen(
  operations: RegionOperations,
  clock: Clock,
  news: News,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const _event of operations.events({ limit: 1, follow: true }, signal)) news.tell();
    } catch {
      // Reading tells what there is to tell about lost contact.
    }
    await delay(clock, RETRY_MS, signal).catch(() => undefined);
  }
}

/** Remembers news until somebody waits for it, so that none is lost in between. */
class News {
  #isThere = false;
  #wake: (() => void) | undefined;

  tell(): void {
    this.#isThere = true;
    this.#wake?.();
  }

  async next(clock: Clock, limitMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#isThere && !signal.aborted) {
      await new Promise<void>(resolve => {
        const timer = clock.after(limitMs, () => done());
        const done = () => {
          timer.cancel();
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#wake = done;
        signal.addEventListener('abort', done, { once: true });
      });
    }
    this.#isThere = false;
    this.#wake = undefined;
  }
}
