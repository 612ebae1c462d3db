import { DAY_MS } from '../../core/duration.ts';
import type { Instant } from '../../core/instant.ts';
import type { Build } from '../../model/build.ts';
import { migrate, transaction, type Database } from '../../platform/database.ts';
import { newId, newToken } from '../../platform/random.ts';
import type { BuildRequest } from './contract.ts';

const MIGRATIONS = [
  `CREATE TABLE build_builds (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     token TEXT NOT NULL UNIQUE,
     request TEXT NOT NULL,
     is_ended INTEGER NOT NULL DEFAULT 0,
     mark TEXT NOT NULL,
     leaders TEXT NOT NULL DEFAULT '[]',
     body TEXT NOT NULL
   ) STRICT;
   CREATE INDEX build_builds_unfinished ON build_builds (is_ended) WHERE is_ended = 0`,
];

/** CodeBuild keeps a build for a year; the newest ones stay however old they are. */
const KEPT_MS = 365 * DAY_MS;
const KEPT_AT_LEAST = 1_000;
const FORGOTTEN_AT_ONCE = 20;

export interface StoredBuild {
  build: Build;
  request: BuildRequest;
  /** Unguessable; in the environment of every process of the build. */
  mark: string;
  /** Identities of its shells, for ending what an interrupted build left. */
  leaders: readonly string[];
}

/** The builds on disk: every change is durable when the method returns. */
export class BuildStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    migrate(database, 'build', MIGRATIONS);
  }

  /** The build that this token started, or a new one in phase QUEUED. */
  begin(request: BuildRequest, at: Instant): { stored: StoredBuild; isNew: boolean } {
    return transaction(this.#database, () => {
      const known = this.#database.prepare('SELECT * FROM build_builds WHERE token = ?').get(request.token);
      if (known) return { stored: toStored(known), isNew: false };
      const id = newId();
      const { lastInsertRowid } = this.#database
        .prepare('INSERT INTO build_builds (id, token, request, mark, body) VALUES (?, ?, ?, ?, ?)')
        .run(id, request.token, JSON.stringify(request), newToken(16), '{}');
      this.save(queuedBuild(id, Number(lastInsertRowid), request, at));
      this.#forgetBefore(Number(lastInsertRowid), at);
      return { stored: this.byId(id)!, isNew: true };
    });
  }

  #forgetBefore(number: number, at: Instant): void {
    this.#database
      .prepare(
        `DELETE FROM build_builds WHERE is_ended = 1 AND number <= ?
           AND number IN (SELECT number FROM build_builds ORDER BY number LIMIT ?)
           AND json_extract(body, '$.startedAt') < ?`,
      )
      .run(number - KEPT_AT_LEAST, FORGOTTEN_AT_ONCE, at - KEPT_MS);
  }

  byId(id: string): StoredBuild | undefined {
    const row = this.#database.prepare('SELECT * FROM build_builds WHERE id = ?').get(id);
    return row && toStored(row);
  }

  save(build: Build): void {
    this.#database
      .prepare('UPDATE build_builds SET body = ?, is_ended = ? WHERE id = ?')
      .run(JSON.stringify(build), build.status === 'IN_PROGRESS' ? 0 : 1, build.id);
  }

  addLeader(id: string, identity: string): void {
    this.#database
      .prepare("UPDATE build_builds SET leaders = json_insert(leaders, '$[#]', ?) WHERE id = ?")
      .run(identity, id);
  }

  /** Oldest first. */
  unfinished(): StoredBuild[] {
    return this.#database
      .prepare('SELECT * FROM build_builds WHERE is_ended = 0 ORDER BY number')
      .all()
      .map(toStored);
  }

  /** Newest first. */
  newest(limit: number): Build[] {
    return this.#database
      .prepare('SELECT * FROM build_builds ORDER BY number DESC LIMIT ?')
      .all(limit)
      .map(row => toStored(row).build);
  }
}

function toStored(row: Record<string, unknown>): StoredBuild {
  return {
    build: JSON.parse(String(row['body'])) as Build,
    request: JSON.parse(String(row['request'])) as BuildRequest,
    mark: String(row['mark']),
    leaders: JSON.parse(String(row['leaders'])) as string[],
  };
}

function queuedBuild(id: string, number: number, request: BuildRequest, at: Instant): Build {
  return {
    id,
    number,
    commit: request.commit,
    executionId: request.executionId,
    status: 'IN_PROGRESS',
    phases: [
      { name: 'SUBMITTED', status: 'SUCCEEDED', startedAt: at, endedAt: at },
      { name: 'QUEUED', status: 'IN_PROGRESS', startedAt: at },
    ],
    images: [],
    exportedVariables: {},
    reports: [],
    logStream: id,
    startedAt: at,
  };
}
