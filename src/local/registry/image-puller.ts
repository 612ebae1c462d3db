import { backoffDelayMs } from '../../core/backoff.ts';
import { errorMessage, TandemError } from '../../core/error.ts';
import type { Random } from '../../core/random.ts';
import type { Digest } from '../../model/names.ts';
import { delay, type Clock } from '../../platform/clock.ts';
import { hashStream } from '../../platform/hash.ts';
import { parseDigest } from '../../wire/oci/digest.ts';
import { parseManifest, type Descriptor } from '../../wire/oci/manifest.ts';
import { isForeignLayer } from '../../wire/oci/media-types.ts';
import type { BlobStore } from './blob-store.ts';
import type { RegistryLimits } from './limits.ts';
import type { ManifestStore } from './manifest-store.ts';
import type { Metadata } from './metadata.ts';
import { PeerClient, PeerFailure } from './peer-client.ts';
import { isStorageFull } from './storage-full.ts';
import type { Uploads } from './uploads.ts';

export interface ImageSource {
  /** `http://127.0.2.1:8000`. */
  endpoint: string;
  repository: string;
  digest: Digest;
}

export interface ImagePullerParts {
  blobs: BlobStore;
  uploads: Uploads;
  manifests: ManifestStore;
  metadata: Metadata;
  limits: RegistryLimits;
  clock: Clock;
  random: Random;
}

const PARALLEL_BLOBS = 4;
/** Tries in a row that bring no further byte. */
const FRUITLESS_TRIES = 4;
const RETRY = { firstMs: 100, maximumMs: 2_000 };

interface FetchedManifest {
  digest: Digest;
  bytes: Uint8Array;
  mediaType: string | undefined;
}

interface CollectedImage {
  /** Children before the indexes that name them. */
  manifests: FetchedManifest[];
  blobs: Map<Digest, Descriptor>;
  seen: Set<Digest>;
}

/**
 * Copies images from other regions: manifests from the top down, blobs a few at a time, then the manifests are stored from
 * the bottom up, so that whatever is stored is whole. Calls for one image, and for one blob, share the work.
 */
export class ImagePuller {
  readonly #parts: ImagePullerParts;
  readonly #images = new Map<string, Promise<void>>();
  readonly #blobs = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(parts: ImagePullerParts) {
    this.#parts = parts;
  }

  /** Resolves when the image is here, whole. Throws IMAGE_UNAVAILABLE. */
  async pull(source: ImageSource): Promise<void> {
    if (this.#parts.metadata.hasManifest(source.repository, source.digest)) return;
    await share(this.#images, `${source.repository}@${source.digest}`, () => this.#pull(source));
  }

  /** Ends every copy under way and waits for that; what has arrived is kept. */
  async stop(): Promise<void> {
    this.#stopping.abort(new PeerFailure('this region is stopping', { isFinal: true }));
    await Promise.allSettled([...this.#images.values(), ...this.#blobs.values()]);
  }

  async #pull(source: ImageSource): Promise<void> {
    const { limits, manifests } = this.#parts;
    const client = new PeerClient(source.endpoint, source.repository, limits.idleMs, PARALLEL_BLOBS);
    try {
      const image: CollectedImage = { manifests: [], blobs: new Map(), seen: new Set() };
      await this.#collect(client, source.digest, image);
      await this.#fetchAll(client, source.repository, [...image.blobs.values()]);
      for (const manifest of image.manifests) manifests.put({ repository: source.repository, ...manifest });
    } catch (error) {
      throw imageUnavailable(source, error);
    } finally {
      client.close();
    }
  }

  async #collect(client: PeerClient, digest: Digest, image: CollectedImage): Promise<void> {
    if (image.seen.has(digest)) return;
    image.seen.add(digest);
    const fetched = await this.#fetchManifest(client, digest);
    const manifest = parseManifest(fetched.bytes, fetched.mediaType);
    if (manifest.kind === 'index') {
      for (const child of manifest.manifests) await this.#collect(client, child.digest, image);
    } else {
      for (const blob of [manifest.config, ...manifest.layers]) {
        if (!isForeignLayer(blob.mediaType)) image.blobs.set(blob.digest, blob);
      }
    }
    image.manifests.push(fetched);
  }

  async #fetchManifest(client: PeerClient, digest: Digest): Promise<FetchedManifest> {
    return this.#retrying(async () => {
      const { bytes, mediaType } = await client.manifest(
        digest,
        this.#parts.limits.manifestBytes,
        this.#stopping.signal,
      );
      const algorithm = parseDigest(digest)?.algorithm ?? 'sha256';
      const found = `${algorithm}:${hashStream(algorithm).update(bytes).digest('hex')}`;
      if (found !== digest) throw new PeerFailure(`its manifest ${digest} is damaged`, { isFinal: false });
      return { digest, bytes, mediaType };
    });
  }

  async #fetchAll(client: PeerClient, repository: string, blobs: Descriptor[]): Promise<void> {
    const waiting = blobs.values();
    const failures: Error[] = [];
    const worker = async () => {
      for (const blob of waiting) {
        if (failures.length > 0) return;
        try {
          await share(this.#blobs, `${repository}@${blob.digest}`, () =>
            this.#fetchBlob(client, repository, blob),
          );
        } catch (error) {
          failures.push(error as Error);
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_BLOBS }, worker));
    if (failures[0]) throw failures[0];
  }

  async #fetchBlob(client: PeerClient, repository: string, blob: Descriptor): Promise<void> {
    const { blobs, uploads } = this.#parts;
    if ((await blobs.sizeBytes(blob.digest)) !== undefined) {
      blobs.link(repository, blob.digest);
      return;
    }
    await this.#retrying(
      async () => {
        const upload = uploads.findFetch(repository, blob.digest) ?? uploads.begin(repository, blob.digest);
        let offset = await uploads.offset(upload);
        if (offset < blob.size) {
          const body = await client.blob(blob.digest, offset, this.#stopping.signal);
          offset = await uploads.append(upload, body, {
            expectedOffset: offset,
            maximumBytes: blob.size,
          });
        }
        if (offset < blob.size)
          throw new PeerFailure(`its blob ${blob.digest} ended early`, { isFinal: false });
        await uploads.finish(upload, blob.digest);
      },
      async () => {
        const upload = uploads.findFetch(repository, blob.digest);
        return upload ? uploads.offset(upload) : 0;
      },
    );
  }

  /** Tries again after failures that may pass; a try that brought further bytes (`progress`) starts the count anew. */
  async #retrying<Result>(
    attempt: () => Promise<Result>,
    progress: () => Promise<number> = () => Promise.resolve(0),
  ): Promise<Result> {
    const { clock, random } = this.#parts;
    const { signal } = this.#stopping;
    let reached = await progress();
    for (let fruitless = 1; ; fruitless += 1) {
      try {
        return await attempt();
      } catch (error) {
        signal.throwIfAborted();
        const now = await progress();
        if (now > reached) fruitless = 0;
        reached = Math.max(reached, now);
        const isFinal = error instanceof PeerFailure && error.isFinal;
        if (isFinal || fruitless >= FRUITLESS_TRIES) throw error;
        await delay(clock, backoffDelayMs(RETRY, Math.max(1, fruitless), random), signal);
      }
    }
  }
}

/** Joins the work that is under way for `key`, or starts it. */
function share(running: Map<string, Promise<void>>, key: string, work: () => Promise<void>): Promise<void> {
  const known = running.get(key);
  if (known) return known;
  const started = work().finally(() => running.delete(key));
  running.set(key, started);
  return started;
}

function imageUnavailable(source: ImageSource, cause: unknown): TandemError {
  const advice = isStorageFull(cause)
    ? "Free space on this region's disk and try again; what has arrived is kept."
    : 'Start that region again or build the commit here.';
  return new TandemError(
    'IMAGE_UNAVAILABLE',
    `The image ${source.repository}@${source.digest} could not be copied from ${source.endpoint}: ${errorMessage(cause)}. ${advice}`,
    { kind: 'system', data: { ...source }, cause },
  );
}
