/**
 * Turns "something was appended" into an async iteration that never misses and never polls: a reader takes what
 * is stored after its last sequence, then sleeps until the next append wakes it (no append can slip in between:
 * reading and going to sleep happen in one turn of the event loop).
 */
export class Feed {
  #waiting = new Set<() => void>();

  /** Wakes every follower. */
  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resolve of waiting) resolve();
  }

  /** Reads with `readAfter` until the signal aborts. `readAfter` returns what comes after a sequence, oldest first. */
  async *follow<Item extends { sequence: number }>(
    after: number,
    readAfter: (after: number) => Item[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Item> {
    let last = after;
    while (!signal?.aborted) {
      const items = readAfter(last);
      for (const item of items) {
        yield item;
        last = item.sequence;
      }
      if (items.length === 0) await this.#nextAppend(signal);
    }
  }

  #nextAppend(signal: AbortSignal | undefined): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        signal?.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      this.#waiting.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}
