import type { Instant } from '../../core/instant.ts';
import type { Digest } from '../../model/names.ts';
import type { IncomingMessage, ServerResponse } from '../../platform/network.ts';
import type { Service } from '../context.ts';

export interface StoredManifest {
  digest: Digest;
  mediaType: string;
  bytes: Uint8Array;
}

export interface StoredImage {
  digest: Digest;
  tags: string[];
  pushedAt: Instant;
  sizeBytes: number;
}

/** The region's OCI registry (distribution-spec 1.1) at `/v2/`. A repository is named as the application. */
export interface Registry extends Service {
  /** Serves `/v2/…`; false where the path is not the registry's. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** By tag or digest. */
  manifest(repository: string, reference: string): Promise<StoredManifest | undefined>;
  /** The file that holds a blob, verified when it was stored; `undefined` where there is none. */
  blobPath(digest: Digest): Promise<string | undefined>;
  images(repository: string): StoredImage[];
  /**
   * Copies an image (manifest, or index with all it names, and blobs) by digest from another region's registry,
   * verifying every byte. Blobs already here are not fetched. Throws IMAGE_UNAVAILABLE (peer down, or lacks it), and
   * TAG_IMMUTABLE where `tag` is a commit's and names another image here.
   */
  pullFrom(endpoint: string, repository: string, digest: Digest, tag?: string): Promise<void>;
  /** Applies the lifecycle (newest `keepImages`), then frees blobs that nothing names. Never takes a digest of `inUse`. */
  applyLifecycle(inUse: ReadonlySet<Digest>): Promise<{ expired: Digest[]; freedBytes: number }>;
}
