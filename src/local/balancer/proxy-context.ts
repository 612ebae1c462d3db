import type { Random } from '../../core/random.ts';
import type { Clock } from '../../platform/clock.ts';
import type { BalancerLimits } from './contract.ts';
import type { OutputSlab } from './output-slab.ts';
import type { RequestLog } from './request-log.ts';

/** What all connections of the process share. */
export interface ProxyContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly output: OutputSlab;
  limits: BalancerLimits;
  /** Only while requests are logged. */
  requestLog: RequestLog | undefined;
  /** Monotonic milliseconds, moved on a few times within each time limit: cheap, and exact enough for limits. */
  coarseNowMs: number;
  /** How far `coarseNowMs` may be behind. */
  sweepMs: number;
  /** Answers end their connections: the process is shutting down. */
  isClosing: boolean;
}

/** A socket with more than this unsent makes the other side of its exchange wait. */
export const UNSENT_HIGH_WATER_BYTES = 131_072;
