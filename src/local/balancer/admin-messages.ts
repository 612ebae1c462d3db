import type { BalancerCounters, BalancerState } from './contract.ts';

/** What the balancer process tells: the answer to GET /state and PUT /config, and each line of GET /stream. */
export interface Snapshot {
  state: BalancerState;
  counters: BalancerCounters;
}

/** The answer to what could not be done. */
export interface AdminError {
  code: string;
  message: string;
  data: Record<string, unknown>;
}

/** PUT /config: a `BalancerConfig`. POST /shutdown: this. */
export interface ShutdownRequest {
  graceMs: number;
}
