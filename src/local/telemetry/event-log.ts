import { DAY_MS } from '../../core/duration.ts';
import type { Instant } from '../../core/instant.ts';
import type { EventQuery } from '../../model/cloud.ts';
import type { NewRegionEvent, RegionEvent } from '../../model/event.ts';
import type { RegionName } from '../../model/names.ts';
import type { Clock } from '../../platform/clock.ts';
import { migrate, type Database } from '../../platform/database.ts';
import type { EventLog } from './contract.ts';
import { Feed } from './feed.ts';

const MIGRATIONS = [
  `CREATE TABLE telemetry_events (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,
     body TEXT NOT NULL
   ) STRICT`,
  'CREATE INDEX telemetry_events_by_time ON telemetry_events (at)',
];
const PAGE = 500;

/** How many appends pass between two looks for expired events. */
const APPENDS_PER_EXPIRY = 1_000;

/** The latest time stamp there is; 0 where there is no event. */
export function newestEventAt(database: Database): Instant {
  return Number(database.prepare('SELECT max(at) AS newest FROM telemetry_events').get()?.['newest'] ?? 0);
}

export function createEventLog(
  database: Database,
  region: RegionName,
  retentionDays: number,
  clock: Clock,
): EventLog {
  migrate(database, 'telemetry_events', MIGRATIONS);
  const insert = database.prepare('INSERT INTO telemetry_events (at, body) VALUES (?, ?)');
  const selectAfter = database.prepare(
    'SELECT * FROM telemetry_events WHERE sequence > ? ORDER BY sequence LIMIT ?',
  );
  const selectNewest = database.prepare('SELECT * FROM telemetry_events ORDER BY sequence DESC LIMIT ?');
  const expire = database.prepare('DELETE FROM telemetry_events WHERE at < ?');
  const feed = new Feed();
  let appends = 0;

  const toEvent = (row: Record<string, unknown>): RegionEvent => ({
    sequence: Number(row['sequence']),
    at: Number(row['at']),
    region,
    ...(JSON.parse(String(row['body'])) as NewRegionEvent),
  });
  const readAfter = (after: number) => selectAfter.all(after, PAGE).map(toEvent);

  return {
    append(event) {
      const at = clock.now();
      if (appends % APPENDS_PER_EXPIRY === 0) expire.run(at - retentionDays * DAY_MS);
      appends += 1;
      const { lastInsertRowid } = insert.run(at, JSON.stringify(event));
      feed.wake();
      return { sequence: Number(lastInsertRowid), at, region, ...event };
    },
    async *read(query: EventQuery, signal) {
      const first =
        query.after === undefined
          ? selectNewest
              .all(query.limit ?? 100)
              .map(toEvent)
              .reverse()
          : selectAfter.all(query.after, query.limit ?? PAGE).map(toEvent);
      yield* first;
      if (query.follow) yield* feed.follow(first.at(-1)?.sequence ?? query.after ?? 0, readAfter, signal);
    },
  };
}
