import type { Instant } from '../../core/instant.ts';
import type { Observed } from './observed.ts';
import { deploymentUnderWay, type ServiceState } from './service-state.ts';

/**
 * When the bake ends, if nothing fails before; `undefined` where nothing bakes. The new release must stay healthy for
 * the whole time, so a failed task begins it anew: failures then add up until the circuit breaker ends the deployment,
 * instead of the clock declaring a release good that keeps failing. Without tasks there is nothing to watch.
 */
export function bakesUntil(state: ServiceState, observed: Observed): Instant | undefined {
  const steadyAt = deploymentUnderWay(state)?.steadyAt;
  if (steadyAt === undefined || observed.desiredCount === 0) return undefined;
  return Math.max(steadyAt, state.attempt.lastFailureAt ?? 0) + observed.bakeTimeMs;
}
