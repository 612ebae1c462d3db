const LF = 0x0a;
const FIRST_CAPACITY = 2_048;
const EMPTY = Buffer.alloc(0);

/** Bytes of a client that cannot be dealt with yet: a part of a head, or pipelined requests. Grows by doubling. */
export class HeldBytes {
  bytes: Buffer = EMPTY;
  length = 0;

  append(source: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_CAPACITY, this.bytes.length * 2, needed));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    source.copy(this.bytes, this.length, start, end);
    this.length = needed;
  }

  hasLineFeedInLast(count: number): boolean {
    return this.bytes.subarray(this.length - count, this.length).includes(LF);
  }

  /** All of it; nothing is held any more. */
  takeAll(): Buffer {
    const all = this.bytes.subarray(0, this.length);
    this.clear();
    return all;
  }

  clear(): void {
    this.bytes = EMPTY;
    this.length = 0;
  }
}
