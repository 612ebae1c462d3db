import { TandemError } from '../../core/error.ts';
import type { Digest } from '../../model/names.ts';
import type { Clock } from '../../platform/clock.ts';
import { hashStream } from '../../platform/hash.ts';
import { parseDigest, type DigestAlgorithm } from '../../wire/oci/digest.ts';
import { artifactTypeOf, parseManifest, type Manifest } from '../../wire/oci/manifest.ts';
import { isForeignLayer } from '../../wire/oci/media-types.ts';
import { isCommitTag } from '../../wire/oci/reference.ts';
import { RegistryError } from '../../wire/oci/registry-error.ts';
import type { BlobStore } from './blob-store.ts';
import type { Metadata } from './metadata.ts';

export interface PutManifest {
  repository: string;
  bytes: Uint8Array;
  /** As declared by its sender, where declared. */
  mediaType: string | undefined;
  /** What it must hash to, where its sender says. */
  digest?: Digest;
  tag?: string;
}

/** Takes manifests in: only whole images are stored, and a commit's tag never moves. */
export class ManifestStore {
  readonly #metadata: Metadata;
  readonly #blobs: BlobStore;
  readonly #clock: Clock;

  constructor(metadata: Metadata, blobs: BlobStore, clock: Clock) {
    this.#metadata = metadata;
    this.#blobs = blobs;
    this.#clock = clock;
  }

  /** Throws RegistryError: MANIFEST_INVALID, DIGEST_INVALID, MANIFEST_BLOB_UNKNOWN, TAG_INVALID. Durable when it returns. */
  put(request: PutManifest): { digest: Digest; subject: Digest | undefined } {
    const { repository, bytes, tag } = request;
    const manifest = parse(bytes, request.mediaType);
    const digest = digestOf(bytes, request.digest);
    const { blobs, children } = namedBy(manifest);
    const missing = [
      ...blobs.filter(blob => !this.#blobs.isLinked(repository, blob)),
      ...children.filter(child => !this.#metadata.hasManifest(repository, child)),
    ];
    if (missing.length > 0) {
      throw new RegistryError(
        'MANIFEST_BLOB_UNKNOWN',
        `The manifest names ${missing.length === 1 ? 'something' : `${missing.length} things`} that "${repository}" does not have: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? '…' : ''}. Push those first.`,
        { detail: { digests: missing } },
      );
    }
    if (tag !== undefined) this.refuseMovedCommitTag(repository, tag, digest);
    this.#metadata.storeManifest(
      repository,
      {
        digest,
        mediaType: manifest.mediaType,
        bytes,
        artifactType: artifactTypeOf(manifest),
        subject: manifest.subject?.digest,
        children,
        blobs,
        pushedAt: this.#clock.now(),
      },
      tag,
    );
    return { digest, subject: manifest.subject?.digest };
  }

  /** Throws TAG_INVALID where the tag is a commit's and names another image already. */
  refuseMovedCommitTag(repository: string, tag: string, digest: Digest): void {
    if (!isCommitTag(tag)) return;
    const present = this.#metadata.taggedDigest(repository, tag);
    if (present === undefined || present === digest) return;
    throw new RegistryError(
      'TAG_INVALID',
      `The tag ${tag} of "${repository}" names ${present} and cannot be moved to ${digest}: a commit's tag is immutable. Make a new commit, or delete the tag first.`,
      { detail: { tag, present, refused: digest } },
    );
  }
}

/** Config and layers, and an index's manifests. Layers that are served from elsewhere need not be here. */
function namedBy(manifest: Manifest): { blobs: Digest[]; children: Digest[] } {
  if (manifest.kind === 'index') {
    return { blobs: [], children: [...new Set(manifest.manifests.map(child => child.digest))] };
  }
  const layers = manifest.layers.filter(layer => !isForeignLayer(layer.mediaType));
  return { blobs: [...new Set([manifest.config, ...layers].map(blob => blob.digest))], children: [] };
}

function parse(bytes: Uint8Array, mediaType: string | undefined): Manifest {
  try {
    return parseManifest(bytes, mediaType);
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    throw new RegistryError('MANIFEST_INVALID', error.message, { cause: error });
  }
}

function digestOf(bytes: Uint8Array, announced: Digest | undefined): Digest {
  const algorithm: DigestAlgorithm = (announced && parseDigest(announced)?.algorithm) || 'sha256';
  const digest = `${algorithm}:${hashStream(algorithm).update(bytes).digest('hex')}`;
  if (announced !== undefined && announced !== digest) {
    throw new RegistryError('DIGEST_INVALID', `The manifest has the digest ${digest}, not ${announced}.`);
  }
  return digest;
}
