/** Durations are milliseconds everywhere; names end in `Ms`. These constants keep configuration readable. */
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A duration for people: `850 ms`, `4.2 s`, `3 min 05 s`, `2 h 10 min`, `7 d`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < SECOND_MS) return `${Math.round(durationMs)} ms`;
  if (durationMs < 10 * SECOND_MS) return `${(durationMs / SECOND_MS).toFixed(1)} s`;
  if (durationMs < MINUTE_MS) return `${Math.round(durationMs / SECOND_MS)} s`;
  if (durationMs < HOUR_MS) return twoUnits(durationMs, MINUTE_MS, 'min', SECOND_MS, 's');
  if (durationMs < DAY_MS) return twoUnits(durationMs, HOUR_MS, 'h', MINUTE_MS, 'min');
  return twoUnits(durationMs, DAY_MS, 'd', HOUR_MS, 'h');
}

function twoUnits(durationMs: number, bigMs: number, big: string, smallMs: number, small: string): string {
  const whole = Math.floor(durationMs / bigMs);
  const rest = Math.floor((durationMs % bigMs) / smallMs);
  return rest === 0 ? `${whole} ${big}` : `${whole} ${big} ${String(rest).padStart(2, '0')} ${small}`;
}
