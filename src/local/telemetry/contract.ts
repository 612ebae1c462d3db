import type { LogEvent, NewRegionEvent, RegionEvent } from '../../model/event.ts';
import type { EventQuery, LogQuery } from '../../model/cloud.ts';

/** The region's append-only event log. */
export interface EventLog {
  append(event: NewRegionEvent): RegionEvent;
  /** Oldest first; with `follow`, goes on until the signal aborts. */
  read(query: EventQuery, signal?: AbortSignal): AsyncIterable<RegionEvent>;
}

/** Log groups `staging`, `production` (a stream a task id) and `build` (a stream a build id). */
export interface LogStore {
  /** One call per batch of whole lines, without their line ends. Long lines are cut at 256 KiB, as CloudWatch does. */
  append(group: string, stream: string, messages: readonly string[]): void;
  /** Oldest first; with `follow`, goes on until the signal aborts. */
  read(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogEvent>;
  /** The newest lines of one stream, oldest first: what a cause quotes. */
  tail(group: string, stream: string, count: number): LogEvent[];
}
