import type { Instant } from '../core/instant.ts';

/** What something waits for, in words a person understands, and until when at the latest (absent: no limit). */
export interface Waiting {
  for: string;
  until?: Instant;
}
