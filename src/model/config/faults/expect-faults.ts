import { describe, expect, test } from 'vitest';
import type { ConfigInput } from '../schema.ts';
import { validateConfig } from '../validate.ts';

/*
 * What AWS or Terraform would refuse, found in the file instead: what is written, the key, what the fault says was
 * found, and a part of what it says is allowed.
 */
export type Row = [what: string, written: object, path: string, found: string, allowed: RegExp];

/** A test for each: that this is the one fault of what is written. */
export function expectFaults(...rows: Row[]): void {
  describe('a fault names its key, what was found and what is allowed:', () => {
    test.each(rows)('%s', (_what, written, path, found, allowed) => {
      const { faults } = validateConfig({ application: 'shop', ...written });
      expect(faults).toHaveLength(1);
      expect(faults).toMatchObject([{ path, found }]);
      expect(faults![0]!.allowed).toMatch(allowed);
    });
  });
}

/** A test for each: that what is written is valid. */
export function expectNoFaults(...rows: [what: string, written: Partial<ConfigInput>][]): void {
  test.each(rows)('%s is no fault', (_what, written) => {
    expect(validateConfig({ application: 'shop', ...written }).faults).toBeUndefined();
  });
}
