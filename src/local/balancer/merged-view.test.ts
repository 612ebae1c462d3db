import { describe, expect, it } from 'vitest';
import type { TargetHealth } from '../../model/target.ts';
import type { TargetStatus } from './contract.ts';
import { mergeCounters, mergeStates } from './merged-view.ts';

describe('what several processes say of the same targets', () => {
  it('is what the only one says', () => {
    const state = stateOf([target('a', 'unhealthy', 2)]);
    expect(mergeStates([state])).toBe(state);
    expect(mergeStates([])).toBeUndefined();
    expect(mergeCounters([])).toBeUndefined();
  });

  it('is healthy where all find it so', () => {
    expect(merged([target('a', 'healthy', 1)], [target('a', 'healthy', 2)])).toEqual([
      target('a', 'healthy', 3),
    ]);
    for (const state of ['initial', 'unhealthy', 'draining', 'unused', 'unavailable'] as const) {
      expect(merged([target('a', 'healthy')], [target('a', state)])).toEqual([target('a', state)]);
      expect(merged([target('a', state)], [target('a', 'healthy')])).toEqual([target('a', state)]);
    }
  });

  it('drains until it has drained everywhere', () => {
    expect(merged([target('b', 'healthy')], [target('a', 'draining', 1), target('b', 'healthy')])).toEqual([
      target('b', 'healthy'),
      target('a', 'draining', 1),
    ]);
  });

  it('is counted together, in every number and every bucket', () => {
    const counters = (startedAt: number, factor: number) => ({
      startedAt,
      responseTimeBoundsMs: [1],
      listeners: [
        {
          name: 'production',
          activeConnections: factor,
          newConnections: 2 * factor,
          requests: 3 * factor,
          processedBytes: 4 * factor,
          balancerResponses: { '503': factor, [`40${factor}`]: 1 },
        },
      ],
      targetGroups: [
        {
          name: 'blue',
          requests: factor,
          targetResponses: { '2xx': factor, '3xx': 0, '4xx': 0, '5xx': factor },
          balancerResponses: { '502': factor },
          connectionErrors: factor,
          responseTimeSumMs: factor,
          responseTimeHistogram: [factor, 2 * factor],
        },
      ],
    });
    expect(mergeCounters([counters(5, 1), counters(7, 2)])).toEqual({
      ...counters(7, 3),
      listeners: [{ ...counters(7, 3).listeners[0]!, balancerResponses: { '503': 3, '401': 1, '402': 1 } }],
    });
  });
});

function merged(...views: TargetStatus[][]) {
  return mergeStates(views.map(stateOf))!.targetGroups[0]!.targets;
}

function stateOf(targets: TargetStatus[]) {
  return { targetGroups: [{ name: 'blue', targets }] };
}

function target(id: string, state: TargetHealth['state'], outstanding = 0): TargetStatus {
  return { id, health: { state }, outstanding };
}
