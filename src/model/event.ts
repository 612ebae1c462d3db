import type { Instant } from '../core/instant.ts';
import type { RegionName } from './names.ts';

/** EventBridge-like: `source` is the service (`repository`, `build`, `pipeline`, `compute`, `balancer`, `registry`, `region`). */
export interface RegionEvent {
  /** Counts up within the region; a follower resumes after the last one it saw. */
  sequence: number;
  at: Instant;
  region: RegionName;
  source: string;
  /** A stable name for programs: `PushReceived`, `StageSucceeded`, `TaskStopped`. */
  type: string;
  severity: 'info' | 'warning' | 'error';
  /** One line for a person. */
  message: string;
  data: Record<string, unknown>;
}

export type NewRegionEvent = Omit<RegionEvent, 'sequence' | 'at' | 'region'>;

/**
 * Log groups: `staging` and `production` hold task output (a stream a task), `build` a stream a build; `balancer` the requests
 * at the load balancers (a stream an environment).
 */
export interface LogEvent {
  /** Counts up within the region. */
  sequence: number;
  at: Instant;
  group: string;
  stream: string;
  message: string;
}
