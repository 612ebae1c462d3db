import type { TargetHealth } from '../../model/target.ts';
import type {
  BalancerCounters,
  BalancerState,
  ListenerCounters,
  TargetGroupCounters,
  TargetStatus,
} from './contract.ts';

/** From the state that says least against a target to the one that says most. */
const BY_WEIGHT: readonly TargetHealth['state'][] = [
  'healthy',
  'unused',
  'unavailable',
  'initial',
  'unhealthy',
  'draining',
];

/**
 * What several processes say of the same targets: a target is healthy where all find it so, has the requests of all,
 * and is gone when it is gone from all. `undefined` of none.
 */
export function mergeStates(states: readonly BalancerState[]): BalancerState | undefined {
  if (states.length <= 1) return states[0];
  const groups = Map.groupBy(
    states.flatMap(({ targetGroups }) => targetGroups),
    group => group.name,
  );
  return {
    targetGroups: [...groups].map(([name, parts]) => ({
      name,
      targets: [
        ...Map.groupBy(
          parts.flatMap(({ targets }) => targets),
          ({ id }) => id,
        ).values(),
      ].map(mergeTarget),
    })),
  };
}

/** Sums; as old as the youngest process. `undefined` of none. */
export function mergeCounters(all: readonly BalancerCounters[]): BalancerCounters | undefined {
  const [first] = all;
  if (first === undefined || all.length === 1) return first;
  const listeners = Map.groupBy(
    all.flatMap(counters => counters.listeners),
    ({ name }) => name,
  );
  const targetGroups = Map.groupBy(
    all.flatMap(counters => counters.targetGroups),
    ({ name }) => name,
  );
  return {
    startedAt: Math.max(...all.map(({ startedAt }) => startedAt)),
    responseTimeBoundsMs: first.responseTimeBoundsMs,
    listeners: [...listeners.values()].map(parts => parts.reduce(addListener)),
    targetGroups: [...targetGroups.values()].map(parts => parts.reduce(addTargetGroup)),
  };
}

function mergeTarget(views: readonly TargetStatus[]): TargetStatus {
  const worst = views.reduce((one, other) => (weight(other) > weight(one) ? other : one));
  return { ...worst, outstanding: views.reduce((sum, { outstanding }) => sum + outstanding, 0) };
}

function weight({ health }: TargetStatus): number {
  return BY_WEIGHT.indexOf(health.state);
}

function addListener(one: ListenerCounters, other: ListenerCounters): ListenerCounters {
  return {
    name: one.name,
    activeConnections: one.activeConnections + other.activeConnections,
    newConnections: one.newConnections + other.newConnections,
    requests: one.requests + other.requests,
    processedBytes: one.processedBytes + other.processedBytes,
    balancerResponses: addCounts(one.balancerResponses, other.balancerResponses),
  };
}

function addTargetGroup(one: TargetGroupCounters, other: TargetGroupCounters): TargetGroupCounters {
  return {
    name: one.name,
    requests: one.requests + other.requests,
    targetResponses: addCounts(one.targetResponses, other.targetResponses),
    balancerResponses: addCounts(one.balancerResponses, other.balancerResponses),
    connectionErrors: one.connectionErrors + other.connectionErrors,
    responseTimeSumMs: one.responseTimeSumMs + other.responseTimeSumMs,
    responseTimeHistogram: one.responseTimeHistogram.map(
      (count, bucket) => count + (other.responseTimeHistogram[bucket] ?? 0),
    ),
  };
}

function addCounts<Counts extends Readonly<Record<string, number>>>(one: Counts, other: Counts): Counts {
  const sum: Record<string, number> = { ...one };
  for (const [key, count] of Object.entries(other)) sum[key] = (sum[key] ?? 0) + count;
  return sum as Counts;
}
