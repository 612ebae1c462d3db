import type { Instant } from '../../core/instant.ts';
import type { TargetHealth } from '../../model/target.ts';
import type { Service } from '../context.ts';

export interface HealthCheckSettings {
  path: string;
  intervalMs: number;
  /** Pace of the checks of a new target until its first answer. */
  initialIntervalMs: number;
  timeoutMs: number;
  healthyThreshold: number;
  unhealthyThreshold: number;
  /** `200`, `200-299` or `200,202`. */
  matcher: string;
  /** So long after its first failed check, failures of a target that never was healthy do not count. Absent: none. */
  startAllowanceMs?: number;
}

export interface TargetGroup {
  name: string;
  algorithm: 'round_robin' | 'least_outstanding_requests';
  healthCheck: HealthCheckSettings;
  deregistrationDelayMs: number;
  drainingEndsWhenIdle: boolean;
  /** 0: off. A linear ramp, only while another healthy target is past it (ALB attribute slow_start). */
  slowStartMs: number;
  /** A target that is no longer listed is deregistered: it gets no new request and stays `draining` until done. */
  targets: readonly { id: string; address: string; port: number }[];
}

export interface Listener {
  name: string;
  address: string;
  port: number;
  /** Other balancer processes listen there as well; the system spreads the connections (SO_REUSEPORT). Absent: no. */
  isShared?: boolean;
  /** At most 5; weights 0 to 999 (ALB forward action). */
  forward: readonly { targetGroup: string; weight: number }[];
}

export interface BalancerLimits {
  /** Time without a byte in either direction before 408 or 504 (ALB idle_timeout: 60 s). */
  idleTimeoutMs: number;
  clientKeepAliveMs: number;
  /** Largest request body; a larger one gets 413. */
  bodyBytes: number;
}

/** Everything the balancer does; applied as a whole, atomically, without touching a request in flight. */
export interface BalancerConfig {
  listeners: readonly Listener[];
  targetGroups: readonly TargetGroup[];
  limits: BalancerLimits;
  /** Whether requests are written to the log store's group `balancer`, the listener's name their stream. Absent: no. */
  logsRequests?: boolean;
}

export interface TargetStatus {
  id: string;
  health: TargetHealth;
  /** Requests and upgraded connections in flight. */
  outstanding: number;
}

export interface BalancerState {
  /** A target that has drained is gone from here. */
  targetGroups: { name: string; targets: TargetStatus[] }[];
}

/** Counted since the process began; a later `startedAt` says that they, or one process's part, began again at zero. */
export interface BalancerCounters {
  startedAt: Instant;
  /** Upper bounds of the histogram's buckets, in milliseconds; a last bucket holds what is slower. */
  responseTimeBoundsMs: readonly number[];
  listeners: readonly ListenerCounters[];
  targetGroups: readonly TargetGroupCounters[];
}

export interface ListenerCounters {
  name: string;
  /** Client connections that are open now (ALB ActiveConnectionCount, clients' side). */
  activeConnections: number;
  newConnections: number;
  /** Requests whose head could be read, and were routed (ALB RequestCount). */
  requests: number;
  /** Bytes from and to clients, heads included. */
  processedBytes: number;
  /** Answers that no target gave, by status: `{ '400': 2, '503': 1 }`; 460 is a client that left first. */
  balancerResponses: Readonly<Record<string, number>>;
}

export interface TargetGroupCounters {
  name: string;
  requests: number;
  /** Targets' answers by class. */
  targetResponses: { '2xx': number; '3xx': number; '4xx': number; '5xx': number };
  /** Answers in a target's stead: `{ '502': 1 }`. */
  balancerResponses: Readonly<Record<string, number>>;
  /** Connections to targets that could not be made. */
  connectionErrors: number;
  /** From a request's passing on until the first byte of its answer (ALB TargetResponseTime). */
  responseTimeSumMs: number;
  /** One number a bucket of `responseTimeBoundsMs`, and one more. */
  responseTimeHistogram: readonly number[];
}

/**
 * The region's load balancer: a process of its own that outlives the region process. `start` adopts a running
 * one or spawns it; one that dies is started again and takes up the last applied configuration from disk.
 */
export interface Balancer extends Service {
  /** Resolves when the configuration is in force; rejects with LISTENER_UNAVAILABLE where a port is taken. */
  apply(config: BalancerConfig): Promise<void>;
  /** The latest known, at most one round trip old; `undefined` while the process does not answer. */
  state(): BalancerState | undefined;
  /** Counters, at most a second old while requests come; `undefined` as for `state`. */
  counters(): BalancerCounters | undefined;
  /** Called after any target's health or draining changed. */
  onChange(listener: () => void): void;
  /** Ends the process: new connections are refused, requests in flight finish (at most `graceMs`). */
  shutDown(graceMs: number): Promise<void>;
}
