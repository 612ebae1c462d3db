import type { Instant } from '../../src/core/instant.ts';

/** What the cloud has promised so far, as its clients saw it: what the checkers hold it to in the end. */
export interface History {
  pushes: AcknowledgedPush[];
  decisions: AcknowledgedDecision[];
  /** Executions that a command asked for and was given: rollbacks and retries. */
  executions: { region: string; id: string }[];
  traffic: LostRequest[];
  answered: number;
  outages: Outage[];
}

export interface AcknowledgedPush {
  region: string;
  ref: string;
  commit: string;
}

interface AcknowledgedDecision {
  region: string;
  executionId: string;
  decision: 'Approved' | 'Rejected';
}

interface LostRequest {
  region: string;
  sentAt: Instant;
  lostAt: Instant;
  how: string;
}

/** From the end of a region's load balancer (nobody can answer then) until production answered again. */
export interface Outage {
  region: string;
  from: Instant;
  /** Infinite while it lasts. */
  until: Instant;
}

export function emptyHistory(): History {
  return { pushes: [], decisions: [], executions: [], traffic: [], answered: 0, outages: [] };
}

/** So that what is written down can be found in the logs of what it happened to; never goes back. */
export function historyNow(): Instant {
  return performance.timeOrigin + performance.now();
}
