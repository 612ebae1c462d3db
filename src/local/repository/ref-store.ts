/**
 * What the region knows of its refs, beyond what git stores: the value last told to the listeners, its version, and
 * the changes themselves. A change is first `intended`, then (git has the new value) `recorded`, then (every
 * listener was told) `handled`.
 */
import { joinVersions, type Version } from '../../control/replication/version.ts';
import type { RefState, VersionAdoption } from '../../control/replication/decide.ts';
import type { Instant } from '../../core/instant.ts';
import type { CommitId, RegionName } from '../../model/names.ts';
import type { Clock } from '../../platform/clock.ts';
import { migrate, transaction, type Database } from '../../platform/database.ts';
import type { RefChange } from './contract.ts';

const MIGRATIONS = [
  `CREATE TABLE repository_replica (
     replica TEXT NOT NULL
   ) STRICT;
   CREATE TABLE repository_refs (
     ref TEXT PRIMARY KEY,
     id TEXT,
     version TEXT NOT NULL,
     changed_at INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE repository_ref_changes (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     ref TEXT NOT NULL,
     before_id TEXT,
     after_id TEXT,
     replicated_from TEXT,
     by TEXT NOT NULL,
     version TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('intended', 'recorded', 'handled'))
   ) STRICT;
   CREATE INDEX repository_unhandled_changes ON repository_ref_changes (sequence) WHERE state <> 'handled'`,
];

/** Handled changes that are kept, to be read by people. */
const CHANGES_KEPT = 10_000;

/** A ref as this region stores it. */
export interface StoredRef extends RefState {
  changedAt: Instant;
}

export interface NewChange {
  ref: string;
  before: CommitId | undefined;
  after: CommitId | undefined;
  by: string;
  /** From another region: where, and under which version it is known there. */
  replicated?: { from: RegionName; version: Version };
}

export interface PlannedChange extends NewChange {
  sequence: number;
  version: Version;
}

export class RefStore {
  readonly #database: Database;
  readonly #clock: Clock;
  /** The table in memory: read on every change and by every peer. */
  readonly #refs = new Map<string, StoredRef>();

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    migrate(database, 'repository', MIGRATIONS);
    for (const row of database.prepare('SELECT * FROM repository_refs').all()) {
      this.#refs.set(String(row['ref']), {
        id: optionalText(row['id']),
        version: parseVersion(row['version']),
        changedAt: Number(row['changed_at']),
      });
    }
  }

  get replica(): string | undefined {
    return optionalText(this.#database.prepare('SELECT replica FROM repository_replica').get()?.['replica']);
  }

  /** Forgets every ref: the repository's folder is another one than these rows told of. */
  beginReplica(replica: string): void {
    transaction(this.#database, () => {
      this.#database.exec('DELETE FROM repository_replica');
      this.#database.exec('DELETE FROM repository_refs');
      this.#database.exec("DELETE FROM repository_ref_changes WHERE state = 'intended'");
      this.#database.prepare('INSERT INTO repository_replica VALUES (?)').run(replica);
    });
    this.#refs.clear();
  }

  get refs(): ReadonlyMap<string, StoredRef> {
    return this.#refs;
  }

  /**
   * Notes changes before git makes them, so that a crash in between keeps who made them and their versions. The
   * sequence is never given twice, and so serves as the replica's counter in versions.
   */
  intend(replica: string, changes: readonly NewChange[]): PlannedChange[] {
    const insert = this.#database.prepare(
      `INSERT INTO repository_ref_changes (ref, before_id, after_id, replicated_from, by, version, state)
       VALUES (?, ?, ?, ?, ?, '', 'intended')`,
    );
    const setVersion = this.#database.prepare(
      'UPDATE repository_ref_changes SET version = ? WHERE sequence = ?',
    );
    return transaction(this.#database, () =>
      changes.map(change => {
        const { ref, before, after, by, replicated } = change;
        const row = insert.run(ref, before ?? null, after ?? null, replicated?.from ?? null, by);
        const sequence = Number(row.lastInsertRowid);
        const own = this.#refs.get(ref)?.version ?? {};
        const version = replicated?.version ?? joinVersions(own, { [replica]: sequence });
        setVersion.run(JSON.stringify(version), sequence);
        return { ...change, sequence, version };
      }),
    );
  }

  /** Git made these changes: they are the region's truth from now on. */
  record(changes: readonly PlannedChange[]): void {
    const setState = this.#database.prepare(
      "UPDATE repository_ref_changes SET state = 'recorded' WHERE sequence = ?",
    );
    const changedAt = this.#clock.now();
    transaction(this.#database, () => {
      for (const { sequence, ref, after, version } of changes) {
        setState.run(sequence);
        this.#writeRef(ref, { id: after, version, changedAt });
      }
      const newest = changes.at(-1)?.sequence ?? 0;
      this.#database
        .prepare("DELETE FROM repository_ref_changes WHERE state = 'handled' AND sequence < ?")
        .run(newest - CHANGES_KEPT);
    });
    for (const { ref, after, version } of changes) this.#refs.set(ref, { id: after, version, changedAt });
  }

  /** Git did not make these changes. */
  abandon(changes: readonly PlannedChange[]): void {
    if (changes.length === 0) return;
    const remove = this.#database.prepare('DELETE FROM repository_ref_changes WHERE sequence = ?');
    transaction(this.#database, () => {
      for (const { sequence } of changes) remove.run(sequence);
    });
  }

  /** Stores versions of refs that still have the value that each adoption names. */
  adopt(adoptions: readonly VersionAdoption[]): void {
    const fitting = adoptions.filter(({ ref, id }) => this.#refs.get(ref)?.id === id);
    if (fitting.length === 0) return;
    const states = fitting.map(({ ref, id, version }) => {
      const own = this.#refs.get(ref);
      const joined = joinVersions(own?.version ?? {}, version);
      return [ref, { id, version: joined, changedAt: own?.changedAt ?? this.#clock.now() }] as const;
    });
    transaction(this.#database, () => {
      for (const [ref, state] of states) this.#writeRef(ref, state);
    });
    for (const [ref, state] of states) this.#refs.set(ref, state);
  }

  /** Left over from a crash: whether git made them is not known yet. */
  intended(): PlannedChange[] {
    return this.#changesIn('intended');
  }

  /** Oldest first. */
  unhandled(): RefChange[] {
    return this.#changesIn('recorded').map(({ sequence, ref, before, after, by, replicated }) => ({
      sequence,
      ref,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      ...(replicated === undefined ? {} : { replicatedFrom: replicated.from }),
      by,
    }));
  }

  markHandled(sequence: number): void {
    this.#database
      .prepare("UPDATE repository_ref_changes SET state = 'handled' WHERE sequence = ?")
      .run(sequence);
  }

  #writeRef(ref: string, state: StoredRef): void {
    this.#database
      .prepare(
        `INSERT INTO repository_refs (ref, id, version, changed_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (ref) DO UPDATE SET id = excluded.id, version = excluded.version, changed_at = excluded.changed_at`,
      )
      .run(ref, state.id ?? null, JSON.stringify(state.version), state.changedAt);
  }

  #changesIn(state: 'intended' | 'recorded'): PlannedChange[] {
    return this.#database
      .prepare(
        "SELECT * FROM repository_ref_changes WHERE state <> 'handled' AND state = ? ORDER BY sequence",
      )
      .all(state)
      .map(row => {
        const version = parseVersion(row['version']);
        const from = optionalText(row['replicated_from']);
        return {
          sequence: Number(row['sequence']),
          ref: String(row['ref']),
          before: optionalText(row['before_id']),
          after: optionalText(row['after_id']),
          by: String(row['by']),
          version,
          ...(from === undefined ? {} : { replicated: { from, version } }),
        };
      });
  }
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function parseVersion(text: unknown): Version {
  return JSON.parse(String(text)) as Version;
}
