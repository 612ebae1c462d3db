import type { Instant } from '../../core/instant.ts';
import type { Digest } from '../../model/names.ts';

/** A manifest of one repository, as far as retention needs to know it. */
export interface StoredManifestFacts {
  digest: Digest;
  isTagged: boolean;
  pushedAt: Instant;
  /** An index's own manifests; empty for an image manifest. */
  children: readonly Digest[];
  /** Set on a referrer: what it was pushed about (a signature's image). The subject need not exist. */
  subject?: Digest;
  /** Config and layers. */
  blobs: readonly Digest[];
}

/** A blob of one repository. `touchedAt`: when a client last stored it, or asked whether it need not. */
export interface StoredBlobFacts {
  digest: Digest;
  touchedAt: Instant;
}

export interface RetentionInput {
  manifests: readonly StoredManifestFacts[];
  blobs: readonly StoredBlobFacts[];
  inUse: ReadonlySet<Digest>;
  keepImages: number;
  /** How long a push may take from its first blob to its last manifest. */
  graceMs: number;
  now: Instant;
}

export interface RetentionDecision {
  /** Manifests to delete, with their tags. */
  expired: Digest[];
  /** Blobs to take from the repository, once those manifests are gone. */
  freed: Digest[];
}

/**
 * Which images of one repository go (ECR's `imageCountMoreThan`, tagStatus any), and which blobs nothing needs then.
 *
 * An image is a manifest that no index names and that is about no other manifest. Manifests hang together: an index
 * with its children, a referrer with its subject. Whatever is kept, keeps everything below it (children, referrers);
 * what is in use also keeps what is above it, so that an index never loses one of its children. The newest
 * `keepImages` are kept, and everything in use besides.
 *
 * A push arrives bottom up: blobs, manifests, index, tag. So an untagged image, a referrer without its subject and an
 * unnamed blob are left alone, and not counted, for `graceMs`: they may be a push under way.
 */
export function decideRetention(input: RetentionInput): RetentionDecision {
  const graph = new ManifestGraph(input.manifests);
  const isYoung = (at: Instant) => at > input.now - input.graceMs;
  const mayBePushUnderWay = (manifest: StoredManifestFacts) =>
    isYoung(manifest.pushedAt) && (!manifest.isTagged || manifest.subject !== undefined);

  const roots = input.manifests.filter(manifest => graph.above(manifest.digest).length === 0);
  const underWay = roots.filter(mayBePushUnderWay);
  const newest = roots
    .filter(manifest => !mayBePushUnderWay(manifest) && manifest.subject === undefined)
    .sort((left, right) => right.pushedAt - left.pushedAt || (left.digest < right.digest ? -1 : 1))
    .slice(0, input.keepImages);
  const inUse = input.manifests.filter(manifest => input.inUse.has(manifest.digest));
  const holders = graph.closure(
    inUse.map(manifest => manifest.digest),
    digest => graph.above(digest),
  );
  const kept = graph.closure(
    [...holders, ...[...newest, ...underWay].map(manifest => manifest.digest)],
    digest => graph.below(digest),
  );

  const named = new Set<Digest>();
  for (const manifest of input.manifests) {
    if (kept.has(manifest.digest)) for (const blob of manifest.blobs) named.add(blob);
  }
  return {
    expired: input.manifests.filter(manifest => !kept.has(manifest.digest)).map(manifest => manifest.digest),
    freed: input.blobs
      .filter(blob => !named.has(blob.digest) && !isYoung(blob.touchedAt))
      .map(blob => blob.digest),
  };
}

/** Manifests of a repository as a graph: an index is above its children, a subject above its referrers. */
export class ManifestGraph {
  readonly #above = new Map<Digest, Digest[]>();
  readonly #below = new Map<Digest, Digest[]>();

  constructor(manifests: readonly Pick<StoredManifestFacts, 'digest' | 'children' | 'subject'>[]) {
    const known = new Set(manifests.map(manifest => manifest.digest));
    const join = (above: Digest, below: Digest) => {
      if (!known.has(above) || !known.has(below)) return;
      append(this.#below, above, below);
      append(this.#above, below, above);
    };
    for (const { digest, children, subject } of manifests) {
      for (const child of children) join(digest, child);
      if (subject !== undefined) join(subject, digest);
    }
  }

  above(digest: Digest): readonly Digest[] {
    return this.#above.get(digest) ?? [];
  }

  below(digest: Digest): readonly Digest[] {
    return this.#below.get(digest) ?? [];
  }

  /** Everything that `next` leads to from `seeds`, themselves included. */
  closure(seeds: Iterable<Digest>, next: (digest: Digest) => readonly Digest[]): Set<Digest> {
    const reached = new Set(seeds);
    for (const digest of reached) for (const further of next(digest)) reached.add(further);
    return reached;
  }
}

function append(edges: Map<Digest, Digest[]>, from: Digest, to: Digest): void {
  const list = edges.get(from);
  if (list) list.push(to);
  else edges.set(from, [to]);
}
