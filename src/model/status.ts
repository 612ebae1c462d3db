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
  /** For `split`: each ref with both ids, and for any trouble one line with the mend. */
  splits: { ref: string; here: CommitId; there: CommitId }[];
  message?: string;
}

export interface RegionStatus {
  region: RegionName;
  health: RegionHealth;
  /** Why the region is not healthy, one line each. */
  problems: string[];
  /** Base address of the region's control endpoint: API, Git (`/git/<application>.git`) and registry (`/v2/`). */
  endpoint: string;
  gitUrl: string;
  services: ServiceStatus[];
  /** The newest execution that is under way or waits for a person; where there is none, the newest. */
  execution?: Execution;
  replication: ReplicationStatus[];
}
