import type { Instant } from '../../core/instant.ts';

/** A target at the very start of its ramp gets this share, so that it is warmed up at all. */
const SMALLEST_SHARE = 0.01;

/**
 * The share of an ordinary target's requests that each healthy target gets, in (0, 1]: a linear ramp over
 * `slowStartMs` from when it became healthy. Without a target that is past its ramp nobody ramps, because
 * somebody has to take the load (ALB, target group attribute slow_start.duration_seconds). `undefined`: all
 * have the full share.
 */
export function trafficShares(
  healthySince: readonly Instant[],
  slowStartMs: number,
  now: Instant,
): number[] | undefined {
  if (slowStartMs === 0) return undefined;
  const shares = healthySince.map(since =>
    Math.min(1, Math.max(SMALLEST_SHARE, (now - since) / slowStartMs)),
  );
  const isRamping = shares.some(share => share < 1);
  const isCarried = shares.some(share => share === 1);
  return isRamping && isCarried ? shares : undefined;
}
