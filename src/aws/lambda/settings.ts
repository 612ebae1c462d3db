import { assert } from '../../core/assert.ts';
import { environment } from '../../platform/process.ts';

/** A variable that the function's Terraform module sets. */
export function setting(name: string): string {
  const value = environment[name];
  assert(value !== undefined && value !== '', `the function has no environment variable ${name}`);
  return value;
}
