import type { Config } from '../../model/config/schema.ts';
import { certificate } from './modules/certificate.ts';
import type { Stack } from './stack.ts';

/** Whether there is anything that regions stand on and none of them may own. */
export function hasFoundation(config: Config): boolean {
  return config.domain.name !== '';
}

/**
 * What must be there before any region, and outlive each of them: the proof that the domain is ours, for which every
 * region's certificate waits.
 */
export function defineFoundation(stack: Stack, config: Config): void {
  certificate(stack, 'domain', { hostName: config.domain.name, proofZoneId: config.domain.zoneId });
}
