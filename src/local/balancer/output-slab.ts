const SLAB_BYTES = 16_384;

/**
 * Memory for outgoing messages: many small ones share a slab, so that a message costs one view and no copy of
 * its own. A slab lives as long as any view of it; hence it is small, that a slow request pins little.
 */
export class OutputSlab {
  buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** Where the next message starts in `buffer`. */
  at = 0;

  /** Makes room for `size` bytes from `at` in `buffer`. */
  reserve(size: number): void {
    if (this.buffer.length - this.at >= size) return;
    this.buffer = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, size));
    this.at = 0;
  }

  /** The bytes written from `at` up to `end`; they are the caller's from now on. */
  take(end: number): Buffer {
    const view = this.buffer.subarray(this.at, end);
    this.at = end;
    return view;
  }

  /** A copy of `bytes[start, end)` that outlives the shared read buffer. */
  copy(bytes: Buffer, start: number, end: number): Buffer {
    this.reserve(end - start);
    bytes.copy(this.buffer, this.at, start, end);
    return this.take(this.at + end - start);
  }
}
