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

/** POST /requests: this; the answer, once there is one, is the next batch of the request log, with this field. */
export interface RequestsRequest {
  /** The number of the last batch that was stored; 0: none. */
  stored: number;
}

export const BATCH_NUMBER_FIELD = 'x-batch-number';
