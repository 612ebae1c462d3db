import type { Clock, Timer } from '../../../platform/clock.ts';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
} from '../../../platform/files.ts';

const CHUNK_BYTES = 256 * 1024;
/** A line that grows longer is handed on in pieces (CloudWatch Logs cuts an event at 256 KiB). */
const LONGEST_LINE_BYTES = 256 * 1024;
/** What was handed on is given back to the disk when it is this much. */
const TRUNCATE_AT_BYTES = 1024 * 1024;
/** Lines written within this time are handed on together. */
const GATHER_MS = 20;
const NEWLINE = 10;

/**
 * Hands on the lines of a file that grows. How far it came is kept beside the file, so that a later process goes
 * on from there: a line is lost never and repeated only where this process was killed in between.
 *
 * The writer appends (O_APPEND), so the file can be emptied under it; that happens in one turn of the event loop
 * with the last read, when everything was read. (What the task writes in the microseconds between the two is the
 * known price of truncating a log in place.)
 */
export class OutputTail {
  readonly #clock: Clock;
  readonly #file: number;
  readonly #positionPath: string;
  readonly #onLines: (lines: readonly string[]) => void;
  #offset: number;
  #timer: Timer | undefined;

  constructor(
    clock: Clock,
    paths: { output: string; outputPosition: string },
    onLines: (lines: readonly string[]) => void,
  ) {
    this.#clock = clock;
    this.#file = openSync(paths.output, 'r+');
    this.#positionPath = paths.outputPosition;
    this.#onLines = onLines;
    this.#offset = this.#readPosition();
  }

  /** Something was, or may have been, written. */
  wake(): void {
    this.#timer ??= this.#clock.after(GATHER_MS, () => {
      this.#timer = undefined;
      try {
        if (this.#readChunk()) this.wake();
        this.#truncate();
      } catch {
        // What could not be stored is still in the file; the next wake tries again.
      }
    });
  }

  /** Hands on all that is there, a last line without its end as well, and closes. */
  finish(): void {
    try {
      while (this.#readChunk());
      const rest = this.#read();
      if (rest.length > 0) this.#handOn([lineText(rest)], rest.length);
    } finally {
      this.close();
    }
  }

  /** Stops reading; a later tail goes on. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    closeSync(this.#file);
  }

  /** True where more whole lines may follow at once. */
  #readChunk(): boolean {
    const bytes = this.#read();
    const end =
      bytes.lastIndexOf(NEWLINE) + 1 || (bytes.length >= LONGEST_LINE_BYTES ? wholeCharacters(bytes) : 0);
    if (end === 0) return false;
    const whole = bytes.subarray(0, end);
    this.#handOn(splitLines(whole), end);
    return true;
  }

  #read(): Buffer {
    const { size } = fstatSync(this.#file);
    if (size < this.#offset) this.#moveTo(0);
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - this.#offset));
    return buffer.subarray(0, readSync(this.#file, buffer, 0, buffer.length, this.#offset));
  }

  #handOn(lines: readonly string[], bytes: number): void {
    this.#onLines(lines);
    this.#moveTo(this.#offset + bytes);
  }

  #truncate(): void {
    if (this.#offset < TRUNCATE_AT_BYTES || fstatSync(this.#file).size !== this.#offset) return;
    ftruncateSync(this.#file, 0);
    this.#moveTo(0);
  }

  #moveTo(offset: number): void {
    this.#offset = offset;
    writeFileSync(this.#positionPath, String(offset));
  }

  #readPosition(): number {
    try {
      return Number(readFileSync(this.#positionPath, 'utf8')) || 0;
    } catch {
      return 0;
    }
  }
}

function splitLines(bytes: Buffer): string[] {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    lines.push(lineText(bytes.subarray(start, end)));
    start = end + 1;
  }
  return lines;
}

function lineText(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/\r$/, '');
}

/** How many bytes do not end within a UTF-8 character. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= 3; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) return bytes.length - back;
    if (byte < 0x80) break;
  }
  return bytes.length;
}
