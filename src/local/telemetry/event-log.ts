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
];
const PAGE = 500;

export function createEventLog(database: Database, region: RegionName, clock: Clock): EventLog {
  migrate(database, 'telemetry_events', MIGRATIONS);
  const insert = database.prepare('INSERT INTO telemetry_events (at, body) VALUES (?, ?)');
  const selectAfter = database.prepare(
    'SELECT * FROM telemetry_events WHERE sequence > ? ORDER BY sequence LIMIT ?',
  );
  const selectNewest = database.prepare('SELECT * FROM telemetry_events ORDER BY sequence DESC LIMIT ?');
  const feed = new Feed();

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
