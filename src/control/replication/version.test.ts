import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareVersions, joinVersions } from './version.ts';

const version = fc.dictionary(fc.constantFrom('east', 'west', 'north'), fc.nat(3), { noNullPrototype: true });

describe('versions', () => {
  test.each([
    [{}, {}, 'equal'],
    [{ east: 1 }, {}, 'after'],
    [{ east: 1 }, { east: 2 }, 'before'],
    [{ east: 1 }, { west: 1 }, 'concurrent'],
    [{ east: 2, west: 1 }, { east: 1, west: 1 }, 'after'],
    [{ east: 0 }, {}, 'equal'],
  ] as const)('%o to %o is %s', (left, right, expected) => {
    expect(compareVersions(left, right)).toBe(expected);
  });

  test('the two directions agree', () => {
    const opposite = { equal: 'equal', before: 'after', after: 'before', concurrent: 'concurrent' };
    fc.assert(
      fc.property(version, version, (left, right) => {
        expect(compareVersions(right, left)).toBe(opposite[compareVersions(left, right)]);
      }),
    );
  });

  test('a join has seen both, and is the least that has', () => {
    fc.assert(
      fc.property(version, version, version, (left, right, other) => {
        const join = joinVersions(left, right);
        for (const side of [left, right]) expect(['equal', 'after']).toContain(compareVersions(join, side));
        const isAbove = (side: typeof left) => ['equal', 'after'].includes(compareVersions(other, side));
        if (isAbove(left) && isAbove(right))
          expect(['equal', 'after']).toContain(compareVersions(other, join));
        expect(JSON.stringify(joinVersions(right, left))).toBe(JSON.stringify(join));
      }),
    );
  });
});
