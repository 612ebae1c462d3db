import type { ServiceStatus } from './deployment.ts';
import type { Execution } from './execution.ts';
import type { CommitId, RegionName } from './names.ts';

/** `unreachable`: nothing answers there; what it runs is unknown until it does. */
export type RegionHealth = 'healthy' | 'degraded' | 'unreachable';

/** Where one branch or tag stands against another region. */
export interface ReplicationStatus {
  peer: RegionName;
  state: 'in-sync' | 'behind' | 'split' | 'unreachable';
  /** Refs that the peer lacks. */
  pendingRefs: number;
  /** Milliseconds since the oldest unreplicated push was acknowledged. 0 when in sync. */
  lagMs: number;
  splits: RefSplit[];
  /** Of any trouble: what is wrong, a line for each. */
  message?: string;
}

/** A ref of which either side has something that the other lacks; an id of zeros stands for a deletion. */
export interface RefSplit {
  ref: string;
  here: CommitId;
  there: CommitId;
  /** The ways to mend it, each a command line to run in a clone of the repository. */
  mends: { keeps: string; command: string }[];
}

export interface RegionStatus {
  region: RegionName;
  health: RegionHealth;
  /** Why the region is not healthy, one line each. */
  problems: string[];
  /** Base address of the region's control endpoint: API, Git (`/git/<application>.git`) and registry (`/v2/`). */
  endpoint: string;
  gitUrl: string;
  /** Its commits are delivered. */
  branch: string;
  services: ServiceStatus[];
  /** The newest execution that is under way or waits for a person; where there is none, the newest. */
  execution?: Execution;
  replication: ReplicationStatus[];
}
