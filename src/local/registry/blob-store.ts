import { join } from 'node:path';
import { MINUTE_MS } from '../../core/duration.ts';
import { systemErrorCode } from '../../core/error.ts';
import type { Digest } from '../../model/names.ts';
import type { Clock } from '../../platform/clock.ts';
import { transaction, type Database } from '../../platform/database.ts';
import {
  mkdirSync,
  open,
  readdir,
  renameSync,
  rm,
  stat,
  syncFolder,
  type FileHandle,
} from '../../platform/files.ts';
import { newId } from '../../platform/random.ts';
import { parseDigest } from '../../wire/oci/digest.ts';

export interface OpenBlob {
  handle: FileHandle;
  sizeBytes: number;
}

/**
 * Blobs as files named by their digest. A file appears under its name by a rename, complete, verified and synced;
 * then its row is committed. It disappears in the opposite order. Both happen within one tick of the event
 * loop, so that freeing a blob and storing the same blob again can never interleave; and a crash between the
 * two leaves a file without a row, which the next start removes.
 */
export class BlobStore {
  readonly #folder: string;
  readonly #freedFolder: string;
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(folder: string, database: Database, clock: Clock) {
    this.#folder = join(folder, 'blobs');
    this.#freedFolder = join(folder, 'freed');
    this.#database = database;
    this.#clock = clock;
    for (const algorithm of ['sha256', 'sha512'])
      mkdirSync(join(this.#folder, algorithm), { recursive: true });
    mkdirSync(this.#freedFolder, { recursive: true });
  }

  /** Removes files that no row knows: what a crash left between a rename and a commit. */
  async removeStrays(): Promise<void> {
    await removeFreed(this.#freedFolder, await readdir(this.#freedFolder));
    const isKnown = this.#database.prepare('SELECT 1 FROM registry_blobs WHERE digest = ?');
    for (const algorithm of ['sha256', 'sha512']) {
      for (const hex of await readdir(join(this.#folder, algorithm))) {
        if (!isKnown.get(`${algorithm}:${hex}`))
          await rm(join(this.#folder, algorithm, hex), { force: true });
      }
    }
  }

  path(digest: Digest): string {
    const parts = parseDigest(digest);
    if (!parts) throw new TypeError(`not a digest: ${digest}`);
    return join(this.#folder, parts.algorithm, parts.hex);
  }

  /** The blob's size where this region has it whole, whichever repository it belongs to. */
  async sizeBytes(digest: Digest): Promise<number | undefined> {
    if (!this.#database.prepare('SELECT 1 FROM registry_blobs WHERE digest = ?').get(digest))
      return undefined;
    try {
      return (await stat(this.path(digest))).size;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** For reading; the caller closes it. What is open stays readable when the blob is freed meanwhile. */
  async open(digest: Digest): Promise<OpenBlob | undefined> {
    try {
      const handle = await open(this.path(digest), 'r');
      return { handle, sizeBytes: (await handle.stat()).size };
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Takes a complete, verified and synced file as a blob of `repository`. Durable when it returns. */
  publish(file: string, digest: Digest, sizeBytes: number, repository: string): void {
    const path = this.path(digest);
    renameSync(file, path);
    syncFolder(join(path, '..'));
    transaction(this.#database, () => {
      this.#database
        .prepare('INSERT INTO registry_blobs VALUES (?, ?) ON CONFLICT (digest) DO NOTHING')
        .run(digest, sizeBytes);
      this.link(repository, digest);
    });
  }

  /** Lets `repository` serve a blob that is here already. */
  link(repository: string, digest: Digest): void {
    this.#database
      .prepare(
        'INSERT INTO registry_links VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET touched_at = excluded.touched_at',
      )
      .run(repository, digest, this.#clock.now());
  }

  /** A client that asks for a blob may leave it out of its push: then it must still be here when its manifest comes. */
  touch(repository: string, digest: Digest): void {
    const now = this.#clock.now();
    this.#database
      .prepare(
        'UPDATE registry_links SET touched_at = ? WHERE repository = ? AND digest = ? AND touched_at < ?',
      )
      .run(now, repository, digest, now - TOUCH_EVERY_MS);
  }

  isLinked(repository: string, digest: Digest): boolean {
    return (
      this.#database
        .prepare('SELECT 1 FROM registry_links WHERE repository = ? AND digest = ?')
        .get(repository, digest) !== undefined
    );
  }

  /** Takes blobs from a repository, and from the disk those that no other repository has. Tells the bytes freed. */
  unlink(repository: string, digests: readonly Digest[]): number {
    const unlink = this.#database.prepare('DELETE FROM registry_links WHERE repository = ? AND digest = ?');
    const forget = this.#database.prepare(
      `DELETE FROM registry_blobs WHERE digest = ?1
       AND NOT EXISTS (SELECT 1 FROM registry_links WHERE digest = ?1) RETURNING size`,
    );
    const gone = transaction(this.#database, () =>
      digests.flatMap(digest => {
        unlink.run(repository, digest);
        const row = forget.get(digest);
        return row ? [{ digest, sizeBytes: Number(row['size']) }] : [];
      }),
    );
    const freed = gone.flatMap(blob => this.#setAside(blob.digest) ?? []);
    void removeFreed(this.#freedFolder, freed);
    return gone.reduce((total, blob) => total + blob.sizeBytes, 0);
  }

  /** Unlinking gigabytes takes a file system long; a rename does not, and the rest needs no order. */
  #setAside(digest: Digest): string | undefined {
    const name = newId();
    try {
      renameSync(this.path(digest), join(this.#freedFolder, name));
      return name;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** Each costs a sync of the disk; the grace that touching renews is far longer. */
const TOUCH_EVERY_MS = MINUTE_MS;

/** Failing here loses nothing but disk space until the next start. */
async function removeFreed(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(folder, name), { force: true }).catch(() => undefined);
}
