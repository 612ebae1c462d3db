import { DAY_MS } from '../../core/duration.ts';
import type { LogQuery } from '../../model/cloud.ts';
import type { LogEvent } from '../../model/event.ts';
import type { Clock } from '../../platform/clock.ts';
import { migrate, transaction, type Database } from '../../platform/database.ts';
import type { LogStore } from './contract.ts';
import { Feed } from './feed.ts';
import { createRequestStore, REQUEST_GROUP } from './request-store.ts';

const MIGRATIONS = [
  `CREATE TABLE telemetry_logs (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,
     log_group TEXT NOT NULL,
     stream TEXT NOT NULL,
     message TEXT NOT NULL
   ) STRICT;
   CREATE INDEX telemetry_logs_by_stream ON telemetry_logs (log_group, stream, sequence);
   CREATE INDEX telemetry_logs_by_time ON telemetry_logs (at)`,
];
const PAGE = 1_000;

/** CloudWatch Logs cuts an event at 256 KiB. */
const LONGEST_MESSAGE = 262_144;

/** How many appends pass between two looks for expired events. */
const APPENDS_PER_EXPIRY = 1_000;

export function createLogStore(database: Database, retentionDays: number, clock: Clock): LogStore {
  migrate(database, 'telemetry_logs', MIGRATIONS);
  const insert = database.prepare(
    'INSERT INTO telemetry_logs (at, log_group, stream, message) VALUES (?, ?, ?, ?)',
  );
  const expire = database.prepare('DELETE FROM telemetry_logs WHERE at < ?');
  const requests = createRequestStore(database, retentionDays, clock);
  const feed = new Feed();
  let appends = 0;

  return {
    append(group, stream, messages) {
      if (messages.length === 0) return;
      const at = clock.now();
      transaction(database, () => {
        if (appends % APPENDS_PER_EXPIRY === 0) expire.run(at - retentionDays * DAY_MS);
        for (const message of messages) insert.run(at, group, stream, message.slice(0, LONGEST_MESSAGE));
      });
      appends += 1;
      feed.wake();
    },
    appendRequests: batch => requests.append(batch),
    lastBatch: source => requests.lastBatch(source),
    async *read(query, signal) {
      if (query.group === REQUEST_GROUP) {
        yield* requests.read(query, signal);
        return;
      }
      const first =
        query.after === undefined
          ? select(database, query, { newest: query.limit ?? 100 }).reverse()
          : select(database, query, { after: query.after });
      yield* first;
      if (!query.follow) return;
      const readAfter = (after: number) => select(database, query, { after });
      yield* feed.follow(first.at(-1)?.sequence ?? query.after ?? 0, readAfter, signal);
    },
    tail(group, stream, count) {
      return select(database, { group, stream }, { newest: count }).reverse();
    },
  };
}

function select(
  database: Database,
  query: LogQuery,
  page: { newest: number } | { after: number },
): LogEvent[] {
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  const where = (condition: string, value: string | number | undefined) => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  where('log_group = ?', query.group);
  if (query.stream !== undefined) {
    conditions.push('stream >= ? AND stream < ?');
    values.push(query.stream, `${query.stream}\u{10ffff}`);
  }
  where('at >= ?', query.since);
  where('instr(lower(message), lower(?)) > 0', query.contains);
  if ('after' in page) where('sequence > ?', page.after);
  const filter = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const order = 'after' in page ? 'ASC' : 'DESC';
  const limit = 'after' in page ? (query.limit ?? PAGE) : page.newest;
  return database
    .prepare(`SELECT * FROM telemetry_logs ${filter} ORDER BY sequence ${order} LIMIT ?`)
    .all(...values, limit)
    .map(row => ({
      sequence: Number(row['sequence']),
      at: Number(row['at']),
      group: String(row['log_group']),
      stream: String(row['stream']),
      message: String(row['message']),
    }));
}
