import type { Clock, Timer } from '../../platform/clock.ts';

/** So much is gathered while nobody takes it; at a quick machine's full load, what comes in a quarter of a second. */
const BUFFER_BYTES = 1_048_576;
/** Kept free for what there is to say of requests that are not there. */
const NOTICE_BYTES = 4_096;
/** A batch is what came within this time… */
const BATCH_MS = 250;
/** …or so much of it, so that more can come meanwhile. */
const LARGE_BATCH_BYTES = BUFFER_BYTES / 2;
const NOTHING = Buffer.alloc(0);

/** Lines `<at> <stream> <message>`, ASCII, each with its end. */
export interface RequestBatch {
  /** Counts up from the time that the process began, so that none is another one's of an earlier process. */
  number: number;
  lines: Buffer;
}

/**
 * The requests that have ended, until the region's process has stored them. There are two buffers: one is filled while the
 * other is on its way, and stays until the next batch is asked for, by the number of the one that was stored. So nothing
 * is lost where the region's process is replaced. Where both are full, requests are counted and their lines dropped:
 * traffic never waits for its log. No line is an object that outlives its request: a busy balancer would else spend its
 * time on collecting them.
 */
export class RequestLog {
  readonly #clock: Clock;
  #filling: Buffer = NOTHING;
  #length = 0;
  #spare: Buffer = NOTHING;
  #given: RequestBatch;
  /** By stream. */
  readonly #dropped = new Map<string, number>();
  #give: ((batch: RequestBatch) => void) | undefined;
  #timer: Timer | undefined;
  #isDraining = false;
  #onDrained: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#given = { number: clock.now(), lines: NOTHING };
  }

  add(stream: string, message: string): void {
    const line = `${this.#clock.now()} ${stream} ${message}\n`;
    if (this.#filling.length === 0) this.#filling = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    if (this.#length + line.length > BUFFER_BYTES - NOTICE_BYTES) {
      this.#dropped.set(stream, (this.#dropped.get(stream) ?? 0) + 1);
      return;
    }
    this.#length += this.#filling.write(line, this.#length, 'latin1');
    if (this.#give !== undefined) this.#giveSoon();
  }

  /** The next batch, once there is one; `stored` is the number of the last one that need not be kept, 0 for none. */
  next(stored: number): Promise<RequestBatch> {
    if (stored === this.#given.number) this.#releaseGiven();
    this.#giveUpReader();
    if (this.#given.lines.length > 0) return Promise.resolve(this.#given);
    return new Promise(resolve => {
      this.#give = resolve;
      this.#giveSoon();
    });
  }

  /** Gives without delay from now on; resolves when all is stored, or after `limitMs`. */
  drain(limitMs: number): Promise<void> {
    this.#isDraining = true;
    return new Promise(resolve => {
      this.#onDrained = resolve;
      this.#clock.after(limitMs, resolve, { idle: true });
      if (this.#give !== undefined) this.#giveSoon();
      this.#tellIfDrained();
    });
  }

  get #isEmpty(): boolean {
    return this.#length === 0 && this.#dropped.size === 0;
  }

  #giveSoon(): void {
    if (this.#isEmpty) return;
    if (this.#isDraining || this.#length > LARGE_BATCH_BYTES) this.#giveNow();
    else this.#timer ??= this.#clock.after(BATCH_MS, () => this.#giveNow(), { idle: true });
  }

  #giveNow(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const give = this.#give;
    if (give === undefined) return;
    this.#give = undefined;
    this.#addNotices();
    this.#given = { number: this.#given.number + 1, lines: this.#filling.subarray(0, this.#length) };
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    this.#length = 0;
    give(this.#given);
  }

  #addNotices(): void {
    for (const [stream, count] of this.#dropped) {
      const what = count === 1 ? '1 request' : `${count} requests`;
      const line = `${this.#clock.now()} ${stream} ${what} not logged: they came faster than lines could be stored\n`;
      this.#length += this.#filling.write(line, this.#length, 'latin1');
    }
    this.#dropped.clear();
  }

  #releaseGiven(): void {
    this.#given = { ...this.#given, lines: NOTHING };
    this.#tellIfDrained();
  }

  #tellIfDrained(): void {
    if (this.#isDraining && this.#isEmpty && this.#given.lines.length === 0) this.#onDrained?.();
  }

  /** One that asked before has gone, whether that was noticed or not. */
  #giveUpReader(): void {
    this.#give?.({ number: this.#given.number, lines: NOTHING });
    this.#give = undefined;
  }
}
