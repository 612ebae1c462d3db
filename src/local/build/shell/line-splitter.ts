/** CloudWatch's longest event; a longer line goes on as the next one. */
const LONGEST_LINE_BYTES = 262_144;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Turns chunks of bytes into lines of text. Memory is bounded by the longest line; UTF-8 that is cut between chunks
 * is put together again, and bytes that are no UTF-8 become U+FFFD. A fence is a mark that this process puts into
 * the stream to learn when everything written before it has come out.
 */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #onFence: () => void;
  readonly #longest: number;
  #fence: Buffer | undefined;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onLine: (line: string) => void, onFence: () => void, longestLineBytes = LONGEST_LINE_BYTES) {
    this.#onLine = onLine;
    this.#onFence = onFence;
    this.#longest = longestLineBytes;
  }

  /** The next occurrence of `mark` is taken out of the stream and reported; one at a time. */
  expectFence(mark: Buffer): void {
    this.#fence = mark;
  }

  push(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const fenceAt = this.#fence === undefined ? -1 : bytes.indexOf(this.#fence);
    if (fenceAt >= 0) {
      this.#rest = this.#emitLines(bytes.subarray(0, fenceAt));
      this.end();
      bytes = bytes.subarray(fenceAt + this.#fence!.length);
      this.#fence = undefined;
      this.#onFence();
    }
    // A copy, so that a short rest does not hold on to a large chunk.
    this.#rest = Buffer.from(this.#emitLines(bytes));
  }

  /** The last line may lack its line end. */
  end(): void {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    if (rest.length > 0) this.#emit(rest);
  }

  #emitLines(bytes: Buffer): Buffer {
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      this.#emit(bytes.subarray(start, end));
      start = end + 1;
    }
    // A fence that has come in part must not be cut, so that many bytes more are let come before a cut.
    const margin = this.#fence?.length ?? 0;
    while (bytes.length - start >= this.#longest + margin) {
      const cut = characterStart(bytes, start + this.#longest);
      this.#onLine(bytes.toString('utf8', start, cut));
      start = cut;
    }
    return bytes.subarray(start);
  }

  #emit(line: Buffer): void {
    let start = 0;
    while (line.length - start > this.#longest) {
      const cut = characterStart(line, start + this.#longest);
      this.#onLine(line.toString('utf8', start, cut));
      start = cut;
    }
    const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length;
    this.#onLine(line.toString('utf8', start, end));
  }
}

/** The last place at or before `at` where a UTF-8 character may begin (at most three continuation bytes back). */
function characterStart(bytes: Buffer, at: number): number {
  let start = at;
  while (start > at - 3 && (bytes[start]! & 0xc0) === 0x80) start -= 1;
  return (bytes[start]! & 0xc0) === 0x80 ? at : start;
}
