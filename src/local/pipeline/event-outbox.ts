import type { NewRegionEvent } from '../../model/event.ts';
import type { Database } from '../../platform/database.ts';
import type { EventLog } from '../telemetry/contract.ts';

/**
 * The event log is a database of its own, so an event cannot be stored with the step that it tells of. It is kept
 * here in that step's transaction and told afterwards: a crash in between tells it at the next start, and only a
 * crash between the telling and the forgetting tells it twice.
 */
export class EventOutbox {
  readonly #database: Database;
  readonly #log: EventLog;

  constructor(database: Database, log: EventLog) {
    this.#database = database;
    this.#log = log;
  }

  /** Within the transaction of the step. */
  keep(events: readonly NewRegionEvent[]): void {
    if (events.length === 0) return;
    const insert = this.#database.prepare('INSERT INTO pipeline_untold_events (event) VALUES (?)');
    for (const event of events) insert.run(JSON.stringify(event));
  }

  /** Tells everything that was kept, oldest first. Throws where the log takes no more; the rest is kept. */
  tell(): void {
    const rows = this.#database.prepare('SELECT * FROM pipeline_untold_events ORDER BY sequence').all();
    let told: number | undefined;
    try {
      for (const row of rows) {
        this.#log.append(JSON.parse(String(row['event'])) as NewRegionEvent);
        told = Number(row['sequence']);
      }
    } finally {
      if (told !== undefined) this.#forget(told);
    }
  }

  #forget(sequence: number): void {
    this.#database.prepare('DELETE FROM pipeline_untold_events WHERE sequence <= ?').run(sequence);
  }
}
