import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trafficShares } from './slow-start.ts';
import { takeWeightedTurn } from './weighted-turn.ts';

describe('slow start', () => {
  it('grows a new target’s share in a line', () => {
    expect(trafficShares([0, 60_000], 40_000, 60_000)).toEqual([1, 0.01]);
    expect(trafficShares([0, 60_000], 40_000, 70_000)).toEqual([1, 0.25]);
    expect(trafficShares([0, 60_000], 40_000, 90_000)).toEqual([1, 0.75]);
    expect(trafficShares([0, 60_000], 40_000, 100_000)).toBeUndefined();
  });

  it('is off without a target that is past it, and when it is set to nothing', () => {
    expect(trafficShares([60_000, 61_000], 40_000, 62_000)).toBeUndefined();
    expect(trafficShares([0, 61_000], 0, 62_000)).toBeUndefined();
  });

  it('never shrinks, never leaves (0, 1], for any times', () => {
    const times = fc.array(fc.nat({ max: 100_000 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        times,
        fc.integer({ min: 1, max: 900_000 }),
        fc.nat(100_000),
        fc.nat(1_000),
        (since, slowMs, at, stepMs) => {
          const now = Math.max(...since) + at;
          const full = since.map(() => 1);
          const before = trafficShares(since, slowMs, now) ?? full;
          const after = trafficShares(since, slowMs, now + stepMs) ?? full;
          for (const share of before) expect(share > 0 && share <= 1).toBe(true);
          if (before.some(share => share === 1))
            after.forEach((share, index) => expect(share).toBeGreaterThanOrEqual(before[index]!));
        },
      ),
    );
  });
});

describe('a weighted turn', () => {
  it('comes as often as the weight says, evenly spread', () => {
    const credits: number[] = [];
    const turns = Array.from({ length: 10 }, () => takeWeightedTurn(credits, [90, 10]));
    expect(turns.filter(index => index === 1)).toHaveLength(1);
    expect(Array.from({ length: 5 }, () => takeWeightedTurn([], [0, 3]))).toEqual([1, 1, 1, 1, 1]);
  });

  it('is nobody’s where no weight is positive', () => {
    expect(takeWeightedTurn([], [0, 0])).toBe(-1);
    expect(takeWeightedTurn([], [])).toBe(-1);
  });

  it('is exact over a whole round, and never far off within it, for any weights', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        weights.filter(all => all.some(weight => weight > 0)),
        all => {
          const total = all.reduce((sum, weight) => sum + weight, 0);
          const credits: number[] = [];
          const counts = all.map(() => 0);
          for (let turn = 1; turn <= total; turn += 1) {
            counts[takeWeightedTurn(credits, all)]! += 1;
            counts.forEach((count, index) => {
              expect(Math.abs(count - (turn * all[index]!) / total)).toBeLessThan(all.length);
            });
          }
          expect(counts).toEqual(all);
        },
      ),
    );
  });
});
