import { SECOND_MS } from '../../../core/duration.ts';
import type { Instant } from '../../../core/instant.ts';
import { delay, type Clock } from '../../../platform/clock.ts';

/*
 * A stream of what AWS can only be asked for. An item's sequence is its time in microseconds, the last three digits being
 * its place among those of one millisecond: so a follower resumes behind the last one that it saw, even in a process that
 * was started since. What comes in late, as logs do, is given all the same, with the next sequence.
 */

export interface PolledSource<Item extends { at: Instant }> {
  /** The newest so many or more, in any order; all those among them that are newer than `LATENESS_MS`. */
  newest(limit: number): Promise<Item[]>;
  since(from: Instant): Promise<Item[]>;
  keyOf(item: Item): string;
}

export interface PolledQuery {
  after?: number;
  limit: number;
  follow: boolean;
  clock: Clock;
  signal: AbortSignal | undefined;
}

const POLL_MS = 3 * SECOND_MS;
/** How late something may come in. */
const LATENESS_MS = 30 * SECOND_MS;
const PER_MS = 1_000;

export async function* polledStream<Item extends { at: Instant }>(
  source: PolledSource<Item>,
  { after, limit, follow, clock, signal }: PolledQuery,
): AsyncGenerator<Item & { sequence: number }> {
  const seen = new Map<string, Instant>();
  let last = after ?? 0;
  let latest = after === undefined ? clock.now() : Math.floor(after / PER_MS);
  const first = inOrder(await (after === undefined ? source.newest(limit) : source.since(latest)), source);
  let sequence = 0;
  const shownFrom = after === undefined ? first.length - limit : 0;
  for (const [index, item] of first.entries()) {
    sequence = Math.max(sequence + 1, item.at * PER_MS);
    seen.set(source.keyOf(item), item.at);
    latest = Math.max(latest, item.at);
    if (index < shownFrom || (after !== undefined && sequence <= after)) continue;
    last = sequence;
    yield { ...item, sequence };
  }
  while (follow && !signal?.aborted) {
    const isOver = await delay(clock, POLL_MS, signal).then(
      () => false,
      () => true,
    );
    if (isOver) return;
    const from = latest - LATENESS_MS;
    for (const [key, at] of seen) if (at < from) seen.delete(key);
    for (const item of inOrder(await source.since(from), source)) {
      if (seen.has(source.keyOf(item))) continue;
      seen.set(source.keyOf(item), item.at);
      latest = Math.max(latest, item.at);
      last = Math.max(last + 1, item.at * PER_MS);
      yield { ...item, sequence: last };
    }
  }
}

function inOrder<Item extends { at: Instant }>(
  items: readonly Item[],
  { keyOf }: PolledSource<Item>,
): Item[] {
  return items.toSorted((one, other) => one.at - other.at || (keyOf(one) < keyOf(other) ? -1 : 1));
}
