import type { Digest } from '../../model/names.ts';
import type { StoredBlobFacts, StoredManifestFacts } from '../../control/lifecycle/decide.ts';
import { transaction, type Database } from '../../platform/database.ts';
import type { Instant } from '../../core/instant.ts';
import type { StoredManifest } from './contract.ts';

export interface NewManifest extends StoredManifest {
  artifactType: string | undefined;
  subject: Digest | undefined;
  children: readonly Digest[];
  blobs: readonly Digest[];
  pushedAt: Instant;
}

/** A page of a sorted listing: at most `limit` entries after `last`. */
export interface Page {
  limit: number;
  last: string;
}

/** What the registry knows of manifests, tags and repositories. Every call is one statement or one transaction. */
export class Metadata {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  storeManifest(repository: string, manifest: NewManifest, tag: string | undefined): void {
    transaction(this.#database, () => {
      this.#database
        .prepare(
          `INSERT INTO registry_manifests VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (repository, digest) DO UPDATE SET pushed_at = excluded.pushed_at`,
        )
        .run(
          repository,
          manifest.digest,
          manifest.mediaType,
          manifest.artifactType ?? null,
          manifest.subject ?? null,
          manifest.pushedAt,
          manifest.bytes,
        );
      const refer = this.#database.prepare(
        'INSERT INTO registry_references VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      );
      for (const child of manifest.children) refer.run(repository, manifest.digest, 'manifest', child);
      for (const blob of manifest.blobs) refer.run(repository, manifest.digest, 'blob', blob);
      if (tag !== undefined) this.setTag(repository, tag, manifest.digest);
    });
  }

  setTag(repository: string, tag: string, digest: Digest): void {
    this.#database
      .prepare(
        'INSERT INTO registry_tags VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET digest = excluded.digest',
      )
      .run(repository, tag, digest);
  }

  manifest(repository: string, digest: Digest): StoredManifest | undefined {
    const row = this.#database
      .prepare('SELECT media_type, bytes FROM registry_manifests WHERE repository = ? AND digest = ?')
      .get(repository, digest);
    if (!row) return undefined;
    return { digest, mediaType: String(row['media_type']), bytes: row['bytes'] as Uint8Array };
  }

  hasManifest(repository: string, digest: Digest): boolean {
    return (
      this.#database
        .prepare('SELECT 1 FROM registry_manifests WHERE repository = ? AND digest = ?')
        .get(repository, digest) !== undefined
    );
  }

  taggedDigest(repository: string, tag: string): Digest | undefined {
    const row = this.#database
      .prepare('SELECT digest FROM registry_tags WHERE repository = ? AND tag = ?')
      .get(repository, tag);
    return row && String(row['digest']);
  }

  deleteTag(repository: string, tag: string): boolean {
    const { changes } = this.#database
      .prepare('DELETE FROM registry_tags WHERE repository = ? AND tag = ?')
      .run(repository, tag);
    return changes > 0;
  }

  /** With their tags. */
  deleteManifests(repository: string, digests: readonly Digest[]): void {
    const remove = this.#database.prepare(
      'DELETE FROM registry_manifests WHERE repository = ? AND digest = ?',
    );
    transaction(this.#database, () => {
      for (const digest of digests) remove.run(repository, digest);
    });
  }

  /** A manifest of the repository that names this blob or manifest. */
  namedBy(repository: string, target: Digest): Digest | undefined {
    const row = this.#database
      .prepare('SELECT manifest FROM registry_references WHERE repository = ? AND target = ? LIMIT 1')
      .get(repository, target);
    return row && String(row['manifest']);
  }

  /** Sorted without regard to case, as distribution-spec 1.1 asks ("Listing tags"). */
  tags(repository: string, page: Page): string[] {
    return this.#database
      .prepare(
        `SELECT tag FROM registry_tags WHERE repository = ? AND (lower(tag), tag) > (lower(?), ?)
         ORDER BY lower(tag), tag LIMIT ?`,
      )
      .all(repository, page.last, page.last, page.limit)
      .map(row => String(row['tag']));
  }

  tagsByDigest(repository: string): Map<Digest, string[]> {
    const tags = new Map<Digest, string[]>();
    const rows = this.#database
      .prepare('SELECT tag, digest FROM registry_tags WHERE repository = ? ORDER BY tag')
      .all(repository);
    for (const row of rows) {
      const digest = String(row['digest']);
      tags.set(digest, [...(tags.get(digest) ?? []), String(row['tag'])]);
    }
    return tags;
  }

  /** Those that hold a manifest. */
  repositories(page: Page): string[] {
    return this.#database
      .prepare(
        'SELECT DISTINCT repository FROM registry_manifests WHERE repository > ? ORDER BY repository LIMIT ?',
      )
      .all(page.last, page.limit)
      .map(row => String(row['repository']));
  }

  /** Those that hold anything, if only a blob. */
  repositoriesWithContent(): string[] {
    return this.#database
      .prepare('SELECT repository FROM registry_manifests UNION SELECT repository FROM registry_links')
      .all()
      .map(row => String(row['repository']));
  }

  hasRepository(repository: string): boolean {
    const row = this.#database
      .prepare(
        `SELECT EXISTS (SELECT 1 FROM registry_manifests WHERE repository = ?1)
             OR EXISTS (SELECT 1 FROM registry_links WHERE repository = ?1) AS found`,
      )
      .get(repository);
    return Number(row?.['found']) === 1;
  }

  /** Sorted by digest, from after `last` on. Read lazily: each brings its whole document. */
  *referrers(
    repository: string,
    subject: Digest,
    options: { artifactType: string | undefined; last: string },
  ): Generator<StoredReferrer> {
    const rows = this.#database
      .prepare(
        `SELECT digest, media_type, artifact_type, bytes FROM registry_manifests
         WHERE repository = ?1 AND subject = ?2 AND (?3 IS NULL OR artifact_type = ?3) AND digest > ?4 ORDER BY digest`,
      )
      .iterate(repository, subject, options.artifactType ?? null, options.last);
    for (const row of rows) {
      yield {
        digest: String(row['digest']),
        mediaType: String(row['media_type']),
        artifactType: row['artifact_type'] === null ? undefined : String(row['artifact_type']),
        bytes: row['bytes'] as Uint8Array,
      };
    }
  }

  manifestFacts(repository: string): (StoredManifestFacts & { sizeBytes: number })[] {
    const targets = new Map<string, { children: Digest[]; blobs: Digest[] }>();
    const references = this.#database
      .prepare('SELECT manifest, kind, target FROM registry_references WHERE repository = ?')
      .all(repository);
    for (const row of references) {
      const manifest = String(row['manifest']);
      const lists = targets.get(manifest) ?? { children: [], blobs: [] };
      targets.set(manifest, lists);
      (row['kind'] === 'blob' ? lists.blobs : lists.children).push(String(row['target']));
    }
    return this.#database
      .prepare(
        `SELECT digest, subject, pushed_at, length(bytes) AS size,
           EXISTS (SELECT 1 FROM registry_tags t WHERE t.repository = m.repository AND t.digest = m.digest) AS tagged
         FROM registry_manifests m WHERE repository = ?`,
      )
      .all(repository)
      .map(row => ({
        digest: String(row['digest']),
        isTagged: Number(row['tagged']) === 1,
        pushedAt: Number(row['pushed_at']),
        sizeBytes: Number(row['size']),
        ...(row['subject'] === null ? {} : { subject: String(row['subject']) }),
        ...(targets.get(String(row['digest'])) ?? { children: [], blobs: [] }),
      }));
  }

  blobFacts(repository: string): (StoredBlobFacts & { sizeBytes: number })[] {
    return this.#database
      .prepare(
        'SELECT digest, touched_at, size FROM registry_links JOIN registry_blobs USING (digest) WHERE repository = ?',
      )
      .all(repository)
      .map(row => ({
        digest: String(row['digest']),
        touchedAt: Number(row['touched_at']),
        sizeBytes: Number(row['size']),
      }));
  }
}

export interface StoredReferrer extends StoredManifest {
  artifactType: string | undefined;
}
