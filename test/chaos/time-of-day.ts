import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of Debian's package `faketime`. What measures durations goes on unchanged. */
const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

/** The time of day for processes that are started with `environment`: what a file beside the repository of `folder` says. */
export class TimeOfDay {
  static readonly canBeSet = existsSync(LIBRARY);
  readonly environment: NodeJS.ProcessEnv;
  days = 0;
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, '.git', 'time-of-day');
    this.environment = TimeOfDay.canBeSet
      ? {
          LD_PRELOAD: LIBRARY,
          FAKETIME_TIMESTAMP_FILE: this.#path,
          FAKETIME_NO_CACHE: '1',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        }
      : {};
    this.setHours(0);
  }

  /** So far from the machine's own. */
  setHours(hours: number): void {
    writeFileSync(this.#path, `${hours < 0 ? '' : '+'}${hours}h\n`);
  }

  /** A little more than 24 hours: what is another date is no jump. */
  nextDay(): void {
    if (!TimeOfDay.canBeSet) return;
    this.days += 1;
    this.setHours(this.days * 25);
  }
}
