import { uptime } from 'node:os';
import { DAY_MS, SECOND_MS } from '../core/duration.ts';
import type { Instant } from '../core/instant.ts';
import type { Clock } from './clock.ts';

/** A tenth: a wait of a minute takes at most six seconds more or less while the difference lasts. */
const LARGEST_CORRECTION = 0.1;

/** More than this is no jump but another date: it is taken over at once. */
const LARGEST_DIFFERENCE_MS = DAY_MS;

const SLEEP_CHECK_MS = SECOND_MS;

/**
 * Instants to decide by. They are the time of day as long as nobody sets it; when somebody does (an administrator, a
 * first answer from a time server), they go on evenly and approach the new time slowly, never backwards. So no wait, no
 * grace period and no order by time is stretched or cut by hours, and what is stored still are instants. The time
 * that the machine slept counts as passed. What people read as a time stamp comes from the time of day itself.
 * `notBefore`: what was stored by the process before this one; the time of day may have been set back meanwhile.
 */
export function createSteadyClock(
  source: Clock,
  notBefore: Instant = 0,
  sleptMs: () => number = systemSleptMs,
): Clock {
  let steadyMs: number = Math.max(source.now(), notBefore);
  let lastMs = source.monotonicMs();
  let lastCheckMs = lastMs;
  let lastSleptMs = sleptMs();

  const sleptSinceLastCheckMs = (nowMs: number) => {
    if (nowMs - lastCheckMs < SLEEP_CHECK_MS) return 0;
    lastCheckMs = nowMs;
    const grownMs = sleptMs() - lastSleptMs;
    // Less is the coarseness of what is compared.
    if (grownMs < SECOND_MS) return 0;
    lastSleptMs += grownMs;
    return grownMs;
  };

  return {
    ...source,
    now(): Instant {
      const nowMs = source.monotonicMs();
      const passedMs = nowMs - lastMs + sleptSinceLastCheckMs(nowMs);
      lastMs = nowMs;
      steadyMs += passedMs;
      const differenceMs = source.now() - steadyMs;
      const correctionMs = passedMs * LARGEST_CORRECTION;
      if (Math.abs(differenceMs) > LARGEST_DIFFERENCE_MS) steadyMs += differenceMs;
      else steadyMs += Math.max(-correctionMs, Math.min(correctionMs, differenceMs));
      return Math.round(steadyMs);
    },
  };
}

/** Linux's monotonic time stands still while the machine sleeps, its uptime does not; elsewhere both go on. */
function systemSleptMs(): number {
  return process.platform === 'linux' ? uptime() * SECOND_MS - performance.now() : 0;
}
