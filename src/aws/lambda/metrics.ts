import type { Instant } from '../../core/instant.ts';

export interface Metric {
  value: number;
  unit: 'Seconds' | 'Count';
}

/** Where all of Tandem's own metrics are. */
const NAMESPACE = 'Tandem';

/**
 * A log line that CloudWatch also reads as metrics (CloudWatch embedded metric format): no call that could fail, and no
 * permission to give.
 */
export function metricLine(
  at: Instant,
  dimensions: Readonly<Record<string, string>>,
  metrics: Readonly<Record<string, Metric>>,
): string {
  return JSON.stringify({
    _aws: {
      Timestamp: at,
      CloudWatchMetrics: [
        {
          Namespace: NAMESPACE,
          Dimensions: [Object.keys(dimensions)],
          Metrics: Object.entries(metrics).map(([Name, { unit }]) => ({ Name, Unit: unit })),
        },
      ],
    },
    ...dimensions,
    ...Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value])),
  });
}
