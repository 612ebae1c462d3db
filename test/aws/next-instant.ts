let last = 0;

/** Now, and later than every other, so that what comes after what can be told. */
export function nextInstant(): Date {
  last = Math.max(Date.now(), last + 1);
  return new Date(last);
}
