import type { ListenerCounters, TargetGroupCounters } from './contract.ts';

/** Dense where healthy services answer, sparse beyond; good for percentiles to about 10 %. */
export const RESPONSE_TIME_BOUNDS_MS: readonly number[] = [
  1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000, 5_000,
  7_000, 10_000, 15_000, 20_000, 30_000, 60_000,
];

/** Status codes of the balancer's own answers and how often each was given. */
type StatusCounts = Record<string, number>;

export class ListenerCounter {
  activeConnections = 0;
  newConnections = 0;
  requests = 0;
  processedBytes = 0;
  readonly balancerResponses: StatusCounts = {};

  snapshot(name: string): ListenerCounters {
    const { activeConnections, newConnections, requests, processedBytes } = this;
    return {
      name,
      activeConnections,
      newConnections,
      requests,
      processedBytes,
      balancerResponses: { ...this.balancerResponses },
    };
  }
}

export class TargetGroupCounter {
  requests = 0;
  connectionErrors = 0;
  readonly balancerResponses: StatusCounts = {};
  readonly #responsesByClass = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  readonly #histogram: number[] = Array.from({ length: RESPONSE_TIME_BOUNDS_MS.length + 1 }, () => 0);
  #responseTimeSumMs = 0;

  countResponse(status: number, responseTimeMs: number): void {
    this.#responsesByClass[(status / 100) | 0]! += 1;
    this.#responseTimeSumMs += responseTimeMs;
    let bucket = 0;
    while (bucket < RESPONSE_TIME_BOUNDS_MS.length && responseTimeMs > RESPONSE_TIME_BOUNDS_MS[bucket]!)
      bucket += 1;
    this.#histogram[bucket]! += 1;
  }

  snapshot(name: string): TargetGroupCounters {
    const byClass = this.#responsesByClass;
    return {
      name,
      requests: this.requests,
      targetResponses: { '2xx': byClass[2]!, '3xx': byClass[3]!, '4xx': byClass[4]!, '5xx': byClass[5]! },
      balancerResponses: { ...this.balancerResponses },
      connectionErrors: this.connectionErrors,
      responseTimeSumMs: this.#responseTimeSumMs,
      responseTimeHistogram: [...this.#histogram],
    };
  }
}

export function countStatus(counts: StatusCounts, status: number): void {
  counts[status] = (counts[status] ?? 0) + 1;
}
