import { DAY_MS, formatDuration, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/duration.ts';
import { formatInstant, parseInstant, type Instant } from '../../core/instant.ts';
import type { Waiting } from '../../model/waiting.ts';
import { printable } from './printable.ts';

const UNITS_MS: Record<string, number> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** `90s`, `10m`, `2h`, `1d` (so long ago) or a date and time; a value of the option `--since`. */
export function parseSince(text: string): (now: Instant) => Instant {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) return now => now - Number(amount) * UNITS_MS[unit]!;
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? parseInstant(text) : undefined;
  if (at === undefined)
    throw new Error('Write how long ago (90s, 10m, 2h, 1d) or a time (2026-11-23T02:15:00Z).');
  return () => at;
}

/** `2026-11-23 02:15:00Z`. */
export function timeOfDay(at: Instant): string {
  return `${formatInstant(at).slice(0, 19).replace('T', ' ')}Z`;
}

/** `1 of 2 new tasks healthy (until 2026-11-23 02:15:00Z)`. */
export function waitingText(waiting: Waiting): string {
  const limit = waiting.until === undefined ? '' : ` (until ${timeOfDay(waiting.until)})`;
  return `${printable(waiting.for)}${limit}`;
}

/** `3 min 05 s ago`, or `just now`. */
export function ago(at: Instant, now: Instant): string {
  const durationMs = now - at;
  return durationMs < SECOND_MS ? 'just now' : `${formatDuration(durationMs)} ago`;
}
