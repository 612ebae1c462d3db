import type { ExecutionRecord, LedgerEntry } from '../../control/pipeline/state.ts';
import { hasEnded } from '../../control/pipeline/transitions.ts';
import type { NewRegionEvent } from '../../model/event.ts';
import { transaction, type Database } from '../../platform/database.ts';
import type { EventOutbox } from './event-outbox.ts';
import type { ExecutionStore } from './execution-store.ts';
import type { ReleaseLedger } from './release-ledger.ts';

export interface Change {
  /** All that is under way, changed or not, and what has just ended. */
  records: readonly ExecutionRecord[];
  events: readonly NewRegionEvent[];
  ledger?: readonly LedgerEntry[];
  /** For a new execution: the push that started it. */
  refSequence?: number;
}

/** The executions under way, in memory as they are on disk: a change is stored as a whole before it counts. */
export class Journal {
  readonly #database: Database;
  readonly #store: ExecutionStore;
  readonly #ledger: ReleaseLedger;
  readonly #outbox: EventOutbox;
  #records: readonly ExecutionRecord[];

  constructor(database: Database, store: ExecutionStore, ledger: ReleaseLedger, outbox: EventOutbox) {
    this.#database = database;
    this.#store = store;
    this.#ledger = ledger;
    this.#outbox = outbox;
    this.#records = store.underWay();
  }

  /** Oldest first. */
  get records(): readonly ExecutionRecord[] {
    return this.#records;
  }

  /** By id or unambiguous prefix, under way or ended. */
  find(id: string): ExecutionRecord {
    return this.#store.find(id);
  }

  /** False where there was nothing to be stored. */
  store(change: Change): boolean {
    const before = new Map(this.#records.map(record => [record.execution.id, record]));
    const changed = change.records.filter(record => before.get(record.execution.id) !== record);
    const ledger = change.ledger ?? [];
    if (changed.length + change.events.length + ledger.length === 0) return false;
    transaction(this.#database, () => {
      for (const record of changed) this.#store.save(record, change.refSequence);
      for (const entry of ledger) this.#ledger.enter(entry);
      this.#outbox.keep(change.events);
    });
    this.#records = change.records
      .filter(record => !hasEnded(record))
      .sort((left, right) => left.execution.number - right.execution.number);
    return true;
  }

  /** Stores one record, new or known, in place of what it was. */
  put(record: ExecutionRecord, events: readonly NewRegionEvent[], refSequence?: number): void {
    const others = this.#records.filter(other => other.execution.id !== record.execution.id);
    const source = refSequence === undefined ? {} : { refSequence };
    this.store({ records: [...others, record], events, ...source });
  }
}
