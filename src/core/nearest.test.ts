import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

test('counts inserts, deletes, replacements and swaps of neighbours', () => {
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('port', 'prot')).toBe(1);
  expect(editDistance('regions', 'region')).toBe(1);
  expect(editDistance('kitten', 'sitting')).toBe(3);
});

test('finds the candidate that was meant, and none where nothing is near', () => {
  expect(nearest('desiredcount', ['minimumCount', 'desiredCount', 'cpu'])).toBe('desiredCount');
  expect(nearest('us-esat-1', ['us-west-1', 'us-east-1'])).toBe('us-east-1');
  expect(nearest('banana', ['port', 'cpu', 'regions'])).toBeUndefined();
});

test('the distance is a metric: zero only for equal words, symmetric, at most the longer length', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (left, right) => {
      const distance = editDistance(left, right);
      expect(distance === 0).toBe(left === right);
      expect(editDistance(right, left)).toBe(distance);
      expect(distance).toBeLessThanOrEqual(Math.max(left.length, right.length));
    }),
  );
});
