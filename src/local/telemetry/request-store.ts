import { DAY_MS, MINUTE_MS } from '../../core/duration.ts';
import type { Instant } from '../../core/instant.ts';
import type { LogQuery } from '../../model/cloud.ts';
import type { LogEvent } from '../../model/event.ts';
import { delay, type Clock } from '../../platform/clock.ts';
import { migrate, transaction, type Database } from '../../platform/database.ts';
import type { RequestBatch } from './contract.ts';
import { Feed } from './feed.ts';

export const REQUEST_GROUP = 'balancer';
const MIGRATIONS = [
  `CREATE TABLE telemetry_requests (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,
     stream TEXT NOT NULL,
     message TEXT NOT NULL
   ) STRICT;
   CREATE TABLE telemetry_request_batches (source TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT`,
];
/** About 200 MB. */
const MOST_REQUESTS = 1_000_000;
/** So many are looked through in one go, which takes some milliseconds; then others have their turn. */
const WINDOW = 10_000;
const PAGE = 1_000;
const DEFAULT_LIMIT = 100;
/** By how much a request may be stored later than others of its time, where the load balancer was without a region. */
const DISORDER_MS = 10 * MINUTE_MS;

/**
 * Requests come by the thousand a second where tasks write lines, and must cost as little: a table without an index, which is
 * written at its end, emptied at its beginning, and read from its end backwards, a window after the other.
 */
export function createRequestStore(
  database: Database,
  retentionDays: number,
  clock: Clock,
  most = MOST_REQUESTS,
) {
  migrate(database, 'telemetry_requests', MIGRATIONS);
  const insert = database.prepare('INSERT INTO telemetry_requests (at, stream, message) VALUES (?, ?, ?)');
  const selectEnds = database.prepare(
    'SELECT coalesce(min(sequence), 1) AS oldest, coalesce(max(sequence), 0) AS newest FROM telemetry_requests',
  );
  const selectTime = database.prepare('SELECT at FROM telemetry_requests WHERE sequence = ?');
  const forget = database.prepare(
    'DELETE FROM telemetry_requests WHERE sequence < ? AND (at < ? OR sequence <= ?)',
  );
  const selectBatch = database.prepare('SELECT number FROM telemetry_request_batches WHERE source = ?');
  const setBatch = database.prepare(
    'INSERT INTO telemetry_request_batches VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET number = excluded.number',
  );
  const feed = new Feed();

  function ends(): { oldest: number; newest: number } {
    const { oldest, newest } = selectEnds.get()!;
    return { oldest: Number(oldest), newest: Number(newest) };
  }

  /** Looks at twice as many of the oldest as were added: so it keeps up, and never has much to do at once. */
  function forgetOldest(added: number): void {
    const { oldest, newest } = ends();
    forget.run(oldest + 2 * added, clock.now() - retentionDays * DAY_MS, newest - most);
  }

  function isAllBefore(since: Instant | undefined, sequence: number): boolean {
    if (since === undefined) return false;
    const at = selectTime.get(sequence)?.['at'];
    return at !== undefined && Number(at) < since - DISORDER_MS;
  }

  async function newestMatching(query: LogQuery, newest: number): Promise<LogEvent[]> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const found: LogEvent[] = [];
    const { oldest } = ends();
    for (let to = newest; to >= oldest && found.length < limit; to -= WINDOW) {
      if (isAllBefore(query.since, to)) break;
      if (to < newest) await delay(clock, 0);
      const window = { after: to - WINDOW, to, order: 'DESC', limit: limit - found.length } as const;
      found.push(...select(database, query, window));
    }
    return found.reverse();
  }

  /** What comes after a sequence; what was looked at and did not match is not looked at again. */
  function readerAfter(query: LogQuery, after: number): () => LogEvent[] {
    let read = after;
    return () => {
      for (const { newest } = ends(); read < newest;) {
        const window = { after: read, to: read + WINDOW, order: 'ASC', limit: PAGE } as const;
        const found = select(database, query, window);
        read = found.length === PAGE ? found.at(-1)!.sequence : Math.min(newest, window.to);
        if (found.length > 0) return found;
      }
      return [];
    };
  }

  return {
    append({ source, number, requests }: RequestBatch): void {
      transaction(database, () => {
        setBatch.run(source, number);
        for (const { at, stream, message } of requests) insert.run(at, stream, message);
        forgetOldest(requests.length);
      });
      feed.wake();
    },
    lastBatch(source: string): number {
      return Number(selectBatch.get(source)?.['number'] ?? 0);
    },
    async *read(query: LogQuery, signal: AbortSignal | undefined): AsyncGenerator<LogEvent> {
      const { newest } = ends();
      if (query.after === undefined) yield* await newestMatching(query, newest);
      if (query.after === undefined && !query.follow) return;
      const readAfter = readerAfter(query, query.after ?? newest);
      if (query.follow) yield* feed.follow(0, readAfter, signal);
      else yield* readAfter().slice(0, query.limit);
    },
  };
}

function select(
  database: Database,
  { stream, since, contains }: LogQuery,
  { after, to, order, limit }: { after: number; to: number; order: 'ASC' | 'DESC'; limit: number },
): LogEvent[] {
  const conditions = ['sequence > ? AND sequence <= ?'];
  const values: (string | number)[] = [after, to];
  const where = (condition: string, ...bound: (string | number)[]) => {
    conditions.push(condition);
    values.push(...bound);
  };
  if (stream !== undefined) where('stream >= ? AND stream < ?', stream, `${stream}\u{10ffff}`);
  if (since !== undefined) where('at >= ?', since);
  if (contains !== undefined) where('instr(lower(message), lower(?)) > 0', contains);
  return database
    .prepare(
      `SELECT * FROM telemetry_requests WHERE ${conditions.join(' AND ')} ORDER BY sequence ${order} LIMIT ?`,
    )
    .all(...values, limit)
    .map(row => ({
      sequence: Number(row['sequence']),
      at: Number(row['at']),
      group: REQUEST_GROUP,
      stream: String(row['stream']),
      message: String(row['message']),
    }));
}
