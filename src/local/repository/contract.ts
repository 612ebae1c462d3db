import type { CommitId, RegionName } from '../../model/names.ts';
import type { Commit } from '../../model/release.ts';
import type { ReplicationStatus } from '../../model/status.ts';
import type { IncomingMessage, ServerResponse } from '../../platform/network.ts';
import type { Service } from '../context.ts';

/** A branch or tag that changed, as EventBridge's `CodeCommit Repository State Change` tells it. */
export interface RefChange {
  /** Counts up within the region; a listener that saw it already does nothing. */
  sequence: number;
  /** `refs/heads/main`. */
  ref: string;
  /** Absent: the ref was created. */
  before?: CommitId;
  /** Absent: the ref was deleted. */
  after?: CommitId;
  /** Set where the change came from another region instead of a person. */
  replicatedFrom?: RegionName;
  /** The person: the new commit's committer, or the region it was replicated from. */
  by: string;
}

/**
 * Told of each change after it is on disk, at least once (again after a crash in between), in order. The lines
 * it returns are shown to the pusher, behind git's `remote: `.
 */
export type RefChangeListener = (change: RefChange) => readonly string[];

/** The region's Git repository: smart HTTP at `/git/<application>.git`, replicated to every peer. */
export interface Repository extends Service {
  /** Serves `/git/…` and `/internal/repository/…`; false where the path is not the repository's. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  onRefChange(listener: RefChangeListener): void;
  /** Throws COMMIT_UNKNOWN. */
  commit(id: CommitId): Promise<Commit>;
  /** The commit that a branch, tag or (abbreviated) id names. */
  resolve(revision: string): Promise<CommitId | undefined>;
  /** Writes the commit's files into `folder` (which exists and is empty), without any `.git`. */
  checkout(commit: CommitId, folder: string): Promise<void>;
  replication(): ReplicationStatus[];
}
