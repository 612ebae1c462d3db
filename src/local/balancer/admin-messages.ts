import type { BalancerCounters, BalancerState } from './contract.ts';

/** How things are in the balancer process. */
export interface View {
  state: BalancerState;
  counters: BalancerCounters;
}

/** What the balancer process tells: the answer to GET /state and PUT /config, and each line of GET /stream. */
export interface Snapshot extends View {
  /** Counts up within one process: an answer and a line of the stream may overtake each other. */
  sequence: number;
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
