import { formatInstant } from '../../core/instant.ts';
import type { Clock } from '../../platform/clock.ts';
import { appendFileSync, renameSync, statSync } from '../../platform/files.ts';

const LARGEST_BYTES = 1_048_576;

/** A log file that never grows beyond its bound: a full one becomes `<path>.1`, in place of the one before. */
export class BoundedLog {
  readonly #path: string;
  readonly #clock: Clock;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Never throws: a full disk must not stop traffic. */
  write(message: string): void {
    try {
      rotateIfFull(this.#path);
      appendFileSync(this.#path, `${formatInstant(this.#clock.now())} ${message}\n`);
    } catch {
      // There is nowhere left to tell it.
    }
  }
}

export function rotateIfFull(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LARGEST_BYTES) renameSync(path, `${path}.1`);
}
