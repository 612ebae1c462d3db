import { ChunkedBody } from '../../wire/http/chunked-body.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';

/** How far the body of a connection's current request has come; one object serves all requests of the connection. */
export class RequestBody {
  /** It is larger than the limit: the reason why `follow` gave -1. */
  isTooLarge = false;
  #limitBytes = 0;
  #isChunked = false;
  #remaining = 0;
  #chunked: ChunkedBody | undefined;

  begin(head: RequestHead, limitBytes: number): void {
    this.#limitBytes = limitBytes;
    this.isTooLarge = false;
    this.#isChunked = head.isChunked;
    this.#remaining = Math.max(0, head.contentLength);
    if (head.isChunked) (this.#chunked ??= new ChunkedBody()).reset();
  }

  /** Where the body's part in `bytes[at, end)` ends; -1 where the body is broken or too large. */
  follow(bytes: Buffer, at: number, end: number): number {
    if (!this.#isChunked) {
      const length = Math.min(this.#remaining, end - at);
      this.#remaining -= length;
      return at + length;
    }
    const chunked = this.#chunked!;
    const bodyEnd = chunked.advance(bytes, at, end);
    this.isTooLarge = chunked.dataBytes > this.#limitBytes;
    return chunked.hasFailed || this.isTooLarge ? -1 : bodyEnd;
  }

  get isComplete(): boolean {
    return this.#isChunked ? this.#chunked!.isDone : this.#remaining === 0;
  }
}
