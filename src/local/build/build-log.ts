import type { Instant } from '../../core/instant.ts';
import { formatInstant } from '../../core/instant.ts';
import type { Clock, Timer } from '../../platform/clock.ts';
import type { LogStore } from '../telemetry/contract.ts';

export const BUILD_LOG_GROUP = 'build';

const BATCH_LINES = 1_000;
const BATCH_CHARACTERS = 256 * 1024;
const BATCH_DELAY_MS = 100;

/** What a cause is chosen from. */
const REMEMBERED_LINES = 200;
const REMEMBERED_CHARACTERS = 2_000;

/**
 * A build's log: the output of its commands, and CodeBuild's own lines (`[Container] … Running command npm test`)
 * between them. Stored in batches; at most one batch and the newest lines of the command under way are in memory.
 */
export class BuildLog {
  readonly #store: LogStore;
  readonly #stream: string;
  readonly #clock: Clock;
  #pending: string[] = [];
  #pendingCharacters = 0;
  #timer: Timer | undefined;
  #recent: string[] = [];

  constructor(store: LogStore, stream: string, clock: Clock) {
    this.#store = store;
    this.#stream = stream;
    this.#clock = clock;
  }

  /** A line of CodeBuild's own; of several lines only the first has the mark. */
  note(text: string): void {
    const [first, ...rest] = text.trimEnd().split('\n');
    this.#append(`[Container] ${containerTime(this.#clock.now())} ${first}`);
    for (const line of rest) this.#append(line);
  }

  /** A line that a command wrote. */
  output(line: string): void {
    this.#recent.push(line.slice(0, REMEMBERED_CHARACTERS));
    if (this.#recent.length >= 2 * REMEMBERED_LINES) this.#recent = this.#recent.slice(-REMEMBERED_LINES);
    this.#append(line);
  }

  /** From here on `recentOutput` is of a new command. */
  beginCommand(): void {
    this.#recent = [];
  }

  recentOutput(): readonly string[] {
    return this.#recent.slice(-REMEMBERED_LINES);
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const lines = this.#pending;
    this.#pending = [];
    this.#pendingCharacters = 0;
    this.#store.append(BUILD_LOG_GROUP, this.#stream, lines);
  }

  #append(line: string): void {
    this.#pending.push(line.replaceAll('\0', ''));
    this.#pendingCharacters += line.length;
    if (this.#pending.length >= BATCH_LINES || this.#pendingCharacters >= BATCH_CHARACTERS) this.flush();
    else this.#timer ??= this.#clock.after(BATCH_DELAY_MS, () => this.flush(), { idle: true });
  }
}

/** `2026/11/23 02:15:00.123000`, UTC, as CodeBuild prints it. */
function containerTime(at: Instant): string {
  return `${formatInstant(at).replaceAll('-', '/').replace('T', ' ').replace('Z', '')}000`;
}
