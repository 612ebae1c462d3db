import { join } from 'node:path';
import { MINUTE_MS } from '../../core/duration.ts';
import { systemErrorCode } from '../../core/error.ts';
import type { Digest } from '../../model/names.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import { createReadStream, mkdirSync, open, readdir, rm, stat } from '../../platform/files.ts';
import { hashStream, type Hash } from '../../platform/hash.ts';
import { newId } from '../../platform/random.ts';
import { parseDigest, type DigestAlgorithm } from '../../wire/oci/digest.ts';
import { RegistryError } from '../../wire/oci/registry-error.ts';
import type { BlobStore } from './blob-store.ts';
import type { RegistryLimits } from './limits.ts';

/** A blob on its way in. Its file's length is the truth about how much of it is here. */
export interface Upload {
  id: string;
  repository: string;
}

/** What is only in memory about an upload; lost by a restart without harm. */
interface Session {
  /** The end of the queue of those that write to this upload, one at a time. */
  tail: Promise<unknown>;
  /** SHA-256 of the first `hashedBytes`; made again from the file where it fell behind. */
  hash: Hash;
  hashedBytes: number;
  isCancelled: boolean;
  /** Cuts off the sender that is at it now; absent where there is none. */
  cutOff: (() => void) | undefined;
}

export interface AppendOptions {
  /** Refuses before reading anything where this is not the upload's length. */
  expectedOffset?: number;
  /** The upload may become this long. */
  maximumBytes: number;
  cutOff?: () => void;
}

/**
 * Uploads as files `uploads/<id>` that grow by appending. Each has a row, made first, so that any other file here is
 * rubbish; an upload goes on after a lost connection or a restart from wherever its file ends.
 */
export class Uploads {
  readonly #folder: string;
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #blobs: BlobStore;
  readonly #limits: RegistryLimits;
  readonly #sessions = new Map<string, Session>();

  constructor(folder: string, database: Database, clock: Clock, blobs: BlobStore, limits: RegistryLimits) {
    this.#folder = join(folder, 'uploads');
    this.#database = database;
    this.#clock = clock;
    this.#blobs = blobs;
    this.#limits = limits;
    mkdirSync(this.#folder, { recursive: true });
  }

  begin(repository: string, sourceDigest?: Digest): Upload {
    const id = newId();
    this.#database
      .prepare('INSERT INTO registry_uploads VALUES (?, ?, ?, ?)')
      .run(id, repository, sourceDigest ?? null, this.#clock.now());
    return { id, repository };
  }

  find(repository: string, id: string): Upload | undefined {
    const row = this.#database
      .prepare('SELECT 1 FROM registry_uploads WHERE id = ? AND repository = ?')
      .get(id, repository);
    return row && { id, repository };
  }

  /** The unfinished copy of a blob that is being fetched from another region. */
  findFetch(repository: string, digest: Digest): Upload | undefined {
    const row = this.#database
      .prepare('SELECT id FROM registry_uploads WHERE source_digest = ? AND repository = ? LIMIT 1')
      .get(digest, repository);
    return row && { id: String(row['id']), repository };
  }

  /** How many bytes are here. */
  async offset(upload: Upload): Promise<number> {
    try {
      return (await stat(this.#path(upload))).size;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return 0;
      throw error;
    }
  }

  /**
   * Adds what `body` gives and tells the new length. What arrived before a broken connection or a full disk stays,
   * and the upload can go on from there. Throws RANGE_INVALID, SIZE_INVALID, BLOB_UPLOAD_UNKNOWN,
   * or what the disk says.
   */
  append(upload: Upload, body: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<number> {
    return this.#exclusively(upload, async session => {
      session.cutOff = options.cutOff ?? (() => undefined);
      try {
        this.#touch(upload);
        const offset = await this.#write(upload, session, body, options);
        this.#touch(upload);
        return offset;
      } finally {
        session.cutOff = undefined;
      }
    });
  }

  async #write(
    upload: Upload,
    session: Session,
    body: AsyncIterable<Uint8Array>,
    options: AppendOptions,
  ): Promise<number> {
    const handle = await open(this.#path(upload), 'a');
    try {
      let offset = (await handle.stat()).size;
      if (options.expectedOffset !== undefined && options.expectedOffset !== offset) {
        throw outOfOrder(options.expectedOffset, offset);
      }
      for await (const chunk of body) {
        if (session.isCancelled) throw uploadUnknown(upload.id);
        if (offset + chunk.length > options.maximumBytes) throw tooLarge(options.maximumBytes);
        const isHashing = session.hashedBytes === offset;
        const written = writeFully(handle, chunk);
        if (isHashing) session.hash.update(chunk);
        await written;
        offset += chunk.length;
        if (isHashing) session.hashedBytes = offset;
      }
      return offset;
    } catch (error) {
      // The hash may have seen a chunk that the file has only in part.
      session.hashedBytes = -1;
      throw error;
    } finally {
      await handle.close();
    }
  }

  /**
   * Makes the upload a blob of its repository, durably, where its content has this digest. Throws DIGEST_INVALID,
   * and then the upload is gone: nobody can mend it.
   */
  finish(upload: Upload, digest: Digest): Promise<number> {
    return this.#exclusively(upload, async session => {
      const parts = parseDigest(digest);
      if (!parts) throw digestInvalid(`"${digest}" is not a digest as sha256:… or sha512:….`);
      const path = this.#path(upload);
      const handle = await open(path, 'a');
      let sizeBytes: number;
      try {
        await handle.sync();
        sizeBytes = (await handle.stat()).size;
      } finally {
        await handle.close();
      }
      const isHashed = parts.algorithm === 'sha256' && session.hashedBytes === sizeBytes;
      const hex = isHashed ? session.hash.copy().digest('hex') : await hashFile(path, parts.algorithm);
      if (hex !== parts.hex) {
        await this.#remove(upload);
        throw digestInvalid(
          `The content has the digest ${parts.algorithm}:${hex}, not ${digest} as announced: it changed on its way or was cut off. Push it again.`,
        );
      }
      this.#blobs.publish(path, digest, sizeBytes, upload.repository);
      this.#forget(upload);
      return sizeBytes;
    });
  }

  /** Ends an upload and removes what it brought; cuts off a client that is sending. */
  async cancel(upload: Upload): Promise<void> {
    const session = this.#session(upload);
    session.isCancelled = true;
    session.cutOff?.();
    await this.#exclusively(upload, () => this.#remove(upload), { evenGone: true });
  }

  /** Removes uploads that nobody continued for a day, and files that no upload owns. */
  async removeStale(): Promise<void> {
    const before = this.#clock.now() - this.#limits.uploadExpiresAfterMs;
    const stale = this.#database
      .prepare('SELECT id, repository FROM registry_uploads WHERE touched_at <= ?')
      .all(before)
      .map(row => ({ id: String(row['id']), repository: String(row['repository']) }))
      .filter(upload => this.#sessions.get(upload.id)?.cutOff === undefined);
    for (const upload of stale) await this.cancel(upload);
    const isKnown = this.#database.prepare('SELECT 1 FROM registry_uploads WHERE id = ?');
    for (const name of await readdir(this.#folder)) {
      if (!isKnown.get(name)) await rm(join(this.#folder, name), { force: true });
    }
  }

  /** `id` always comes from a row, never from a request. */
  #path(upload: Upload): string {
    return join(this.#folder, upload.id);
  }

  #session(upload: Upload): Session {
    const known = this.#sessions.get(upload.id);
    if (known) return known;
    const session: Session = {
      tail: Promise.resolve(),
      hash: hashStream('sha256'),
      hashedBytes: 0,
      isCancelled: false,
      cutOff: undefined,
    };
    this.#sessions.set(upload.id, session);
    return session;
  }

  #exclusively<Result>(
    upload: Upload,
    work: (session: Session) => Promise<Result>,
    options: { evenGone?: boolean } = {},
  ): Promise<Result> {
    const session = this.#session(upload);
    const result = session.tail.then(() => {
      const isGone = session.isCancelled || !this.find(upload.repository, upload.id);
      if (isGone && !options.evenGone) {
        this.#sessions.delete(upload.id);
        throw uploadUnknown(upload.id);
      }
      return work(session);
    });
    session.tail = result.catch(() => undefined);
    return result;
  }

  async #remove(upload: Upload): Promise<void> {
    this.#forget(upload);
    await rm(this.#path(upload), { force: true });
  }

  #forget(upload: Upload): void {
    this.#database.prepare('DELETE FROM registry_uploads WHERE id = ?').run(upload.id);
    this.#sessions.delete(upload.id);
  }

  #touch(upload: Upload): void {
    const now = this.#clock.now();
    this.#database
      .prepare('UPDATE registry_uploads SET touched_at = ? WHERE id = ? AND touched_at < ?')
      .run(now, upload.id, now - TOUCH_EVERY_MS);
  }
}

/** A commit costs a sync of the disk: no more of them than expiry after a day needs. */
const TOUCH_EVERY_MS = MINUTE_MS;

async function writeFully(handle: Awaited<ReturnType<typeof open>>, chunk: Uint8Array): Promise<void> {
  let written = 0;
  while (written < chunk.length) written += (await handle.write(chunk, written)).bytesWritten;
}

async function hashFile(path: string, algorithm: DigestAlgorithm): Promise<string> {
  const hash = hashStream(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

function tooLarge(maximumBytes: number): RegistryError {
  return new RegistryError('SIZE_INVALID', `A blob of this upload may have at most ${maximumBytes} bytes.`);
}

function digestInvalid(message: string): RegistryError {
  return new RegistryError('DIGEST_INVALID', message);
}

function outOfOrder(first: number, offset: number): RegistryError {
  return new RegistryError(
    'RANGE_INVALID',
    `The chunk starts at byte ${first}, but the upload has ${offset} bytes: send what comes next.`,
    { detail: { offset } },
  );
}

export function uploadUnknown(id: string): RegistryError {
  return new RegistryError(
    'BLOB_UPLOAD_UNKNOWN',
    `There is no upload ${id}: it was finished, cancelled or left alone for a day. Start a new one.`,
  );
}
