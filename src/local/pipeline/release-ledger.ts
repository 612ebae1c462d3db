import type { LedgerRelease } from '../../control/pipeline/rollback-target.ts';
import type { LedgerEntry } from '../../control/pipeline/state.ts';
import type { ReleaseRecord } from '../../model/cloud.ts';
import { PIPELINE_ENVIRONMENTS, type CommitId, type Digest } from '../../model/names.ts';
import type { Commit, Release } from '../../model/release.ts';
import type { Database } from '../../platform/database.ts';
import type { Compute } from '../compute/contract.ts';
import type { Registry } from '../registry/contract.ts';

/** As many as the registry can be told to keep. So many of the newest, and of production's good ones, are remembered. */
const MOST_KEPT = 1_000;
const AFTER_ANY = '\u{10ffff}';

interface Row {
  release: Release;
  commit: Commit;
  stagingAt: number | null;
  productionAt: number | null;
}

/**
 * Every release that this region has had, and the stack of production's good ones: a deployment puts its release on
 * top; a rollback takes away what stands above its release. So going back twice goes back two releases, and after
 * a rollback and a new release, going back never meets the release that was rolled back from.
 */
export class ReleaseLedger {
  readonly #database: Database;
  readonly #registry: Registry;
  readonly #application: string;

  constructor(database: Database, registry: Registry, application: string) {
    this.#database = database;
    this.#registry = registry;
    this.#application = application;
  }

  enter(entry: LedgerEntry): void {
    this.#add(entry.release, entry.commit);
    if (entry.kind === 'built') return;
    const { release, environment, at } = entry;
    const column = environment === 'staging' ? 'staging_at' : 'production_at';
    this.#database
      .prepare(`UPDATE pipeline_releases SET ${column} = ? WHERE commit_id = ? AND digest = ?`)
      .run(at, release.commit, release.digest);
    if (environment === 'production') this.#putOnTop(release, entry.isRollback);
  }

  /** The newest release of a commit whose image the registry has. */
  available(commit: CommitId): Release | undefined {
    const rows = this.#select('WHERE commit_id = ? ORDER BY sequence DESC', commit);
    if (rows.length === 0) return undefined;
    const digests = this.digests();
    return rows.find(({ release }) => digests.has(release.digest))?.release;
  }

  isAvailable(digest: Digest): boolean {
    return this.digests().has(digest);
  }

  /** Of every image in this region's registry. */
  digests(): ReadonlySet<Digest> {
    return new Set(this.#registry.images(this.#application).map(image => image.digest));
  }

  /** Production's good releases, the latest first; the two that a rollback may ask for. */
  good(): LedgerRelease[] {
    return this.#toLedger(
      this.#select('WHERE good_position IS NOT NULL ORDER BY good_position DESC LIMIT 2'),
    );
  }

  /** Proved in staging or production, and the commit id or the digest (with `sha256:` or without) begins so. */
  matching(prefix: string): LedgerRelease[] {
    const text = prefix.trim().toLowerCase();
    const digest = text.startsWith('sha256:') ? text : `sha256:${text}`;
    return this.#toLedger(
      this.#select(
        `WHERE (staging_at IS NOT NULL OR production_at IS NOT NULL)
           AND ((commit_id >= ? AND commit_id < ?) OR (digest >= ? AND digest < ?))
         ORDER BY sequence DESC LIMIT 100`,
        text,
        `${text}${AFTER_ANY}`,
        digest,
        `${digest}${AFTER_ANY}`,
      ),
    );
  }

  /** Newest first. */
  list(compute: Compute): ReleaseRecord[] {
    const digests = this.digests();
    const services = PIPELINE_ENVIRONMENTS.map(name => compute.service(name));
    return this.#select('ORDER BY sequence DESC LIMIT ?', MOST_KEPT).map(row => {
      const runs = ({ release }: { release?: Release }) =>
        release?.digest === row.release.digest && release.commit === row.release.commit;
      return {
        ...row.release,
        subject: row.commit.subject,
        runningIn: services.filter(runs).map(service => service.name),
        deployedAt: {
          ...(row.stagingAt === null ? {} : { staging: row.stagingAt }),
          ...(row.productionAt === null ? {} : { production: row.productionAt }),
        },
        imageAvailable: digests.has(row.release.digest),
      };
    });
  }

  #add(release: Release, commit: Commit): void {
    this.#database
      .prepare(
        `INSERT INTO pipeline_releases (commit_id, digest, built_in, built_at, source_commit)
         VALUES (?, ?, ?, ?, ?) ON CONFLICT (commit_id, digest) DO NOTHING`,
      )
      .run(release.commit, release.digest, release.builtIn, release.builtAt, JSON.stringify(commit));
    this.#database
      .prepare(
        `DELETE FROM pipeline_releases
         WHERE sequence <= (SELECT sequence FROM pipeline_releases ORDER BY sequence DESC LIMIT 1 OFFSET ?1)
           AND coalesce(good_position, 0) <= coalesce((SELECT good_position FROM pipeline_releases
             WHERE good_position IS NOT NULL ORDER BY good_position DESC LIMIT 1 OFFSET ?1), 0)`,
      )
      .run(MOST_KEPT);
  }

  #putOnTop(release: Release, isRollback: boolean): void {
    const key = [release.commit, release.digest];
    const row = this.#database
      .prepare('SELECT good_position FROM pipeline_releases WHERE commit_id = ? AND digest = ?')
      .get(...key);
    const position = row?.['good_position'];
    if (isRollback && typeof position === 'number') {
      this.#database
        .prepare('UPDATE pipeline_releases SET good_position = NULL WHERE good_position > ?')
        .run(position);
      return;
    }
    this.#database
      .prepare(
        `UPDATE pipeline_releases
         SET good_position = (SELECT coalesce(max(good_position), 0) + 1 FROM pipeline_releases)
         WHERE commit_id = ? AND digest = ?`,
      )
      .run(...key);
  }

  #toLedger(rows: Row[]): LedgerRelease[] {
    if (rows.length === 0) return [];
    const digests = this.digests();
    return rows.map(({ release, commit }) => ({
      release,
      commit,
      isImageAvailable: digests.has(release.digest),
    }));
  }

  #select(query: string, ...values: (string | number)[]): Row[] {
    return this.#database
      .prepare(`SELECT * FROM pipeline_releases ${query}`)
      .all(...values)
      .map(row => ({
        release: {
          commit: String(row['commit_id']),
          digest: String(row['digest']),
          builtIn: String(row['built_in']),
          builtAt: Number(row['built_at']),
        },
        commit: JSON.parse(String(row['source_commit'])) as Commit,
        stagingAt: row['staging_at'] === null ? null : Number(row['staging_at']),
        productionAt: row['production_at'] === null ? null : Number(row['production_at']),
      }));
  }
}
