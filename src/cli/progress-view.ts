import { formatDuration, SECOND_MS } from '../core/duration.ts';
import type { Instant } from '../core/instant.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import type { Output } from '../platform/terminal.ts';
import type { Paint } from './context.ts';

export interface ProgressRow {
  text: string;
  /** Shows the time since then, counting; left out once something has ended. */
  since?: Instant;
}

// DEC private mode 7: without wrapping the terminal cuts a long row itself, so that a row is always one line.
const NO_WRAP = '\u001b[?7l';
const WRAP = '\u001b[?7h';
const CLEAR_TO_END = '\u001b[J';

/**
 * Rows that change while something runs, one a region. On a terminal they are redrawn in place, below whatever else is
 * written; in a pipe each change of a row is a line of its own.
 */
export class ProgressView {
  readonly #output: Output;
  readonly #paint: Paint;
  readonly #clock: Clock;
  readonly #rows = new Map<string, ProgressRow>();
  #drawn = 0;
  #timer: Timer | undefined;

  constructor(output: Output, paint: Paint, clock: Clock) {
    this.#output = output;
    this.#paint = paint;
    this.#clock = clock;
  }

  set(name: string, row: ProgressRow): void {
    const before = this.#rows.get(name);
    this.#rows.set(name, row);
    if (!this.#output.isTerminal) {
      if (before?.text !== row.text) this.#output.write(`${name}  ${row.text}\n`);
      return;
    }
    this.#timer ??= this.#clock.every(SECOND_MS, () => this.#draw(), { idle: true });
    this.#draw();
  }

  /** A line that stays, above the rows. */
  note(line: string): void {
    this.#output.write(`${this.#erase()}${line}\n`);
    if (this.#output.isTerminal) this.#draw();
  }

  /** Leaves the rows as they are, or takes them away where what follows says it all. */
  end(options: { keep: boolean }): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#output.isTerminal && !options.keep) this.#output.write(this.#erase());
    this.#drawn = 0;
    this.#rows.clear();
  }

  #draw(): void {
    const width = Math.max(...[...this.#rows.keys()].map(name => name.length));
    const lines = [...this.#rows].map(([name, { text, since }]) => {
      const elapsed = since === undefined ? '' : this.#paint.dim(`  ${this.#elapsed(since)}`);
      return `${name.padEnd(width)}  ${text}${elapsed}\n`;
    });
    this.#output.write(`${this.#erase()}${NO_WRAP}${lines.join('')}${WRAP}`);
    this.#drawn = lines.length;
  }

  #elapsed(since: Instant): string {
    return formatDuration(Math.max(0, Math.floor((this.#clock.now() - since) / SECOND_MS) * SECOND_MS));
  }

  #erase(): string {
    const sequence = this.#drawn > 0 ? `\u001b[${this.#drawn}A\r${CLEAR_TO_END}` : '';
    this.#drawn = 0;
    return sequence;
  }
}
