import type { Instant } from '../../core/instant.ts';
import type { LogEvent, NewRegionEvent, RegionEvent } from '../../model/event.ts';
import type { EventQuery, LogQuery } from '../../model/cloud.ts';

/** The region's append-only event log. */
export interface EventLog {
  append(event: NewRegionEvent): RegionEvent;
  /** Oldest first; with `follow`, goes on until the signal aborts. */
  read(query: EventQuery, signal?: AbortSignal): AsyncIterable<RegionEvent>;
}

/** A request at the region's load balancer. */
export interface LoggedRequest {
  at: Instant;
  /** The environment. */
  stream: string;
  message: string;
}

/** Requests that are stored together, once: a batch may be given again by a source that was not told that it is stored. */
export interface RequestBatch {
  source: string;
  number: number;
  requests: readonly LoggedRequest[];
}

/**
 * Log groups `staging`, `production` (a stream a task id) and `build` (a stream a build id); `balancer` (a stream an
 * environment) is apart, with sequences of its own, and is read only where it is asked for.
 */
export interface LogStore {
  /** One call per batch of whole lines, without their line ends. Long lines are cut at 256 KiB, as CloudWatch does. */
  append(group: string, stream: string, messages: readonly string[]): void;
  /** In about the order of time. No more than the newest million is kept. */
  appendRequests(batch: RequestBatch): void;
  /** The number of the batch that was stored last of this source; 0: none was. */
  lastBatch(source: string): number;
  /** Oldest first; with `follow`, goes on until the signal aborts. */
  read(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogEvent>;
  /** The newest lines of one stream, oldest first: what a cause quotes. */
  tail(group: string, stream: string, count: number): LogEvent[];
}
