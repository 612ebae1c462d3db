import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseToStop, chooseZone, type PlacedTask } from './placement.ts';

const ZONES = ['us-east-1a', 'us-east-1b'];
const tasks = fc
  .array(fc.record({ zone: fc.constantFrom(...ZONES), createdAt: fc.nat(100) }), { maxLength: 12 })
  .map(drafts => drafts.map((draft, index): PlacedTask => ({ id: `task-${index}`, ...draft })));

describe('choosing a zone', () => {
  test('goes to the emptier zone, and to the first when both are as full', () => {
    expect(chooseZone(ZONES, [])).toBe('us-east-1a');
    expect(chooseZone(ZONES, ['us-east-1a'])).toBe('us-east-1b');
    expect(chooseZone(ZONES, ['us-east-1b', 'us-east-1a'])).toBe('us-east-1a');
  });

  test('placed one after another, tasks never differ by more than one between zones', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), count => {
        const taken: string[] = [];
        for (let placed = 0; placed < count; placed += 1) taken.push(chooseZone(ZONES, taken));
        expect(imbalance(taken)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('choosing what to stop', () => {
  test('stops as many as asked, each once, and never makes the spread worse', () => {
    fc.assert(
      fc.property(tasks, fc.nat(14), (all, count) => {
        const stopped = chooseToStop(all, count);
        expect(new Set(stopped.map(({ id }) => id)).size).toBe(Math.min(count, all.length));
        const left = all.filter(task => !stopped.includes(task));
        const before = imbalance(all.map(({ zone }) => zone));
        expect(imbalance(left.map(({ zone }) => zone))).toBeLessThanOrEqual(Math.max(1, before));
      }),
    );
  });

  test('takes from the fullest zone, there the newest', () => {
    const all = [
      { id: 'old', zone: 'us-east-1a', createdAt: 1 },
      { id: 'new', zone: 'us-east-1a', createdAt: 2 },
      { id: 'newest-elsewhere', zone: 'us-east-1b', createdAt: 3 },
    ];
    expect(chooseToStop(all, 1).map(({ id }) => id)).toEqual(['new']);
  });
});

function imbalance(taken: readonly string[]): number {
  const sizes = ZONES.map(zone => taken.filter(candidate => candidate === zone).length);
  return Math.max(...sizes) - Math.min(...sizes);
}
