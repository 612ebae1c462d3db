import type { Instant } from '../core/instant.ts';
import type { CommitId, Digest, RegionName } from './names.ts';

export interface Commit {
  id: CommitId;
  subject: string;
  /** Without a name where the cloud does not know who it was, as of a repository elsewhere. */
  author: { name: string; email: string };
  authoredAt: Instant;
}

/** One built image digest of one commit. */
export interface Release {
  commit: CommitId;
  digest: Digest;
  /** The region whose build made the image; another region's release of the same digest was replicated from there. Empty where that cannot be told (ECR). */
  builtIn: RegionName;
  builtAt: Instant;
}
