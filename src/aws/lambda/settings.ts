import { assert } from '../../core/assert.ts';
import { environment } from '../../platform/process.ts';

/** A variable that the function's Terraform module sets, or may leave out where there is a default. */
export function setting(name: string, otherwise?: string): string {
  const value = environment[name] ?? otherwise;
  assert(value !== undefined, `the function has no environment variable ${name}`);
  return value;
}
