/** A moment, in milliseconds since 1970-01-01T00:00:00Z. Control code receives it; only `platform/clock.ts` reads it. */
export type Instant = number;

/** ISO 8601 in UTC with milliseconds, as AWS prints times: `2026-11-23T02:15:00.000Z`. */
export function formatInstant(at: Instant): string {
  return new Date(at).toISOString();
}

/** The inverse of `formatInstant`; `undefined` where the text is not a date. */
export function parseInstant(text: string): Instant | undefined {
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
