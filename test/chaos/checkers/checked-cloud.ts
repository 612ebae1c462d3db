import type { RegionOperations } from '../../../src/model/cloud.ts';

/** What checkers look at: what regions say, and what is in their folders. */
export interface CheckedCloud {
  readonly regions: readonly string[];
  region(name: string): Pick<RegionOperations, 'status' | 'executions'>;
  folder(region: string): string;
}
