import type { Clock } from '../../../platform/clock.ts';

/**
 * Lines as `docker build --progress=plain` prints them, so that people and log filters read what they know:
 * `#3 [build 2/5] COPY . .`, `#3 0.412 …output…`, `#3 DONE 0.5s`.
 */
export class Progress {
  readonly #write: (text: string) => void;
  readonly #clock: Clock;
  #last = 0;

  constructor(clock: Clock, write: (text: string) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  header(text: string): void {
    this.#write(`#0 ${text}\n`);
  }

  step(name: string): ProgressStep {
    this.#last += 1;
    this.#write(`\n#${this.#last} ${name}\n`);
    return new ProgressStep(this.#last, this.#clock, this.#write);
  }

  warning(text: string): void {
    this.#write(`\n#${this.#last} WARNING: ${text}\n`);
  }
}

export class ProgressStep {
  readonly #number: number;
  readonly #clock: Clock;
  readonly #write: (text: string) => void;
  readonly #startedAtMs: number;
  #rest = '';

  constructor(number: number, clock: Clock, write: (text: string) => void) {
    this.#number = number;
    this.#clock = clock;
    this.#write = write;
    this.#startedAtMs = clock.monotonicMs();
  }

  note(text: string): void {
    this.#write(`#${this.#number} ${text}\n`);
  }

  /** A piece of a process's output; whole lines are printed, with the seconds since the step began. */
  output(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.note(`${this.#elapsed(3)} ${line.replace(/\r$/, '')}`);
  }

  cached(): void {
    this.note('CACHED');
  }

  done(): void {
    this.#flush();
    this.note(`DONE ${this.#elapsed(1)}s`);
  }

  failed(message: string): void {
    this.#flush();
    this.note(`ERROR: ${message}`);
  }

  #flush(): void {
    if (this.#rest !== '') this.output('\n');
  }

  #elapsed(digits: number): string {
    return ((this.#clock.monotonicMs() - this.#startedAtMs) / 1_000).toFixed(digits);
  }
}
