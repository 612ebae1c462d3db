import { DatabaseSync } from 'node:sqlite';

export type { DatabaseSync as Database, StatementSync as Statement } from 'node:sqlite';

export interface DatabaseOptions {
  /** `full`: a committed transaction survives power loss. `normal`: survives a crash of the process; for logs and metrics. */
  durability: 'full' | 'normal';
}

/** Opens (or makes) a SQLite database in WAL mode. `:memory:` works for tests. */
export function openDatabase(path: string, options: DatabaseOptions = { durability: 'full' }): DatabaseSync {
  const database = new DatabaseSync(path);
  // The timeout first: after a crash even the mode can not be set while another connection recovers the log.
  database.exec(`
    PRAGMA busy_timeout = 5000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${options.durability === 'full' ? 'FULL' : 'NORMAL'};
    PRAGMA foreign_keys = ON;
  `);
  return database;
}

/**
 * Brings one service's tables up to date. `steps` only ever grows: a released step is never edited. Each service
 * has its own `name`, so that services sharing a database never see each other's versions.
 */
export function migrate(database: DatabaseSync, name: string, steps: readonly string[]): void {
  database.exec(
    'CREATE TABLE IF NOT EXISTS schema_versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT',
  );
  const row = database.prepare('SELECT version FROM schema_versions WHERE name = ?').get(name);
  const current = Number(row?.['version'] ?? 0);
  if (current >= steps.length) return;
  transaction(database, () => {
    for (const step of steps.slice(current)) database.exec(step);
    database
      .prepare(
        'INSERT INTO schema_versions VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version',
      )
      .run(name, steps.length);
  });
}

/** Runs `work` in one transaction: all of it is stored, or (when it throws) none. Nested calls join the outer one. */
export function transaction<Result>(database: DatabaseSync, work: () => Result): Result {
  if (database.isTransaction) return work();
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** SQLite result code 5: the database file is locked. */
const SQLITE_BUSY = 5;

/**
 * Takes a lock that the operating system itself frees when this process dies, so that it is never stale: SQLite's
 * exclusive lock on a file of its own. `undefined` where another process holds it.
 */
export function openLock(path: string): { release(): void } | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
}
