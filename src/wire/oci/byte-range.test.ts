import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChunkRange, parseRange } from './byte-range.ts';

describe('a Range header', () => {
  it.each([
    ['bytes=0-0', 10, { first: 0, last: 0 }],
    ['bytes=5-', 10, { first: 5, last: 9 }],
    ['bytes=-3', 10, { first: 7, last: 9 }],
    ['bytes=-30', 10, { first: 0, last: 9 }],
    ['bytes=8-100', 10, { first: 8, last: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=5-4', 10, undefined],
    ['bytes=-', 10, undefined],
    ['bytes=0-1,3-4', 10, undefined],
    ['rows=0-1', 10, undefined],
    [undefined, 10, undefined],
  ])('%s of %i bytes', (header, size, expected) => {
    expect(parseRange(header, size)).toEqual(expected);
  });

  it('never leads outside the content', () => {
    fc.assert(
      fc.property(fc.option(fc.nat(200)), fc.option(fc.nat(200)), fc.nat(150), (first, last, size) => {
        const range = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, size);
        if (range === undefined || range === 'unsatisfiable') return;
        expect(range.first).toBeGreaterThanOrEqual(0);
        expect(range.last).toBeGreaterThanOrEqual(range.first);
        expect(range.last).toBeLessThan(size);
      }),
    );
  });
});

describe("a chunk's Content-Range", () => {
  it.each([
    ['0-99', { first: 0, last: 99 }],
    ['bytes 100-199/1000', { first: 100, last: 199 }],
    ['bytes 100-199/*', { first: 100, last: 199 }],
    ['bytes=5-5', { first: 5, last: 5 }],
    ['9-1', undefined],
    ['-1', undefined],
    ['0-', undefined],
    ['a-b', undefined],
    ['99999999999999999999-99999999999999999999', undefined],
  ])('%s', (header, expected) => {
    expect(parseChunkRange(header)).toEqual(expected);
  });
});
