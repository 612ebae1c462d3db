import { CR, hexadecimalValue, isFieldByte, isTokenByte, COLON, LF, SEMICOLON } from './characters.ts';

/** Hex digits of a chunk's size: 2^52 bytes, so that the sum stays exact. */
const MOST_SIZE_DIGITS = 13;
/** Bytes of extensions and trailers together; a sender of more has nothing to say to a target. */
const MOST_METADATA_BYTES = 16_384;
const LONGEST_FORBIDDEN_NAME = 'transfer-encoding'.length;

/** Trailers that would change what was already decided by the head (RFC 9110 section 6.5.1). */
const FORBIDDEN_TRAILERS = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const STATE = {
  sizeStart: 0,
  size: 1,
  extension: 2,
  sizeLineFeed: 3,
  data: 4,
  dataReturn: 5,
  dataLineFeed: 6,
  trailerStart: 7,
  trailerName: 8,
  trailerValue: 9,
  trailerLineFeed: 10,
  lastLineFeed: 11,
  done: 12,
  failed: 13,
};
type State = number;

/**
 * Follows a chunked body (RFC 9112 section 7.1) without changing it: the bytes may be passed on as they are once
 * this has seen them. Strict on purpose, since a chunk that two servers read differently smuggles a request:
 * CRLF only, no space around the size, no framing field among the trailers.
 */
export class ChunkedBody {
  /** Bytes of data so far, without framing. */
  dataBytes = 0;
  #state: State = STATE.sizeStart;
  #remaining = 0;
  #digits = 0;
  #metadataBytes = 0;
  #trailerName = '';

  reset(): void {
    this.dataBytes = 0;
    this.#state = STATE.sizeStart;
    this.#remaining = 0;
    this.#metadataBytes = 0;
  }

  get isDone(): boolean {
    return this.#state === STATE.done;
  }

  get hasFailed(): boolean {
    return this.#state === STATE.failed;
  }

  /**
   * Takes in `bytes[start, end)` and returns the offset just past what belongs to this body: `end` while it goes
   * on. `onData` is given each range of data, for receivers that do not understand chunks.
   */
  advance(bytes: Buffer, start: number, end: number, onData?: (from: number, to: number) => void): number {
    let at = start;
    while (at < end && this.#state < STATE.done) {
      if (this.#state === STATE.data) {
        const length = Math.min(this.#remaining, end - at);
        onData?.(at, at + length);
        at += length;
        this.#remaining -= length;
        this.dataBytes += length;
        if (this.#remaining === 0) this.#state = STATE.dataReturn;
      } else {
        this.#state = this.#next(bytes[at]!);
        at += 1;
      }
    }
    return at;
  }

  #next(byte: number): State {
    switch (this.#state) {
      case STATE.sizeStart:
        this.#digits = 0;
        this.#remaining = 0;
        return this.#addSizeDigit(byte);
      case STATE.size:
        if (byte === CR) return STATE.sizeLineFeed;
        return byte === SEMICOLON ? this.#countMetadata(STATE.extension) : this.#addSizeDigit(byte);
      case STATE.extension:
        if (byte === CR) return STATE.sizeLineFeed;
        return isFieldByte[byte] === 1 ? this.#countMetadata(STATE.extension) : STATE.failed;
      case STATE.sizeLineFeed:
        if (byte !== LF) return STATE.failed;
        return this.#remaining === 0 ? STATE.trailerStart : STATE.data;
      case STATE.dataReturn:
        return byte === CR ? STATE.dataLineFeed : STATE.failed;
      case STATE.dataLineFeed:
        return byte === LF ? STATE.sizeStart : STATE.failed;
      case STATE.lastLineFeed:
        return byte === LF ? STATE.done : STATE.failed;
      default:
        return this.#nextInTrailer(byte);
    }
  }

  #addSizeDigit(byte: number): State {
    const value = hexadecimalValue[byte]!;
    this.#digits += 1;
    if (value === 255 || this.#digits > MOST_SIZE_DIGITS) return STATE.failed;
    this.#remaining = this.#remaining * 16 + value;
    return STATE.size;
  }

  #nextInTrailer(byte: number): State {
    switch (this.#state) {
      case STATE.trailerStart:
        if (byte === CR) return STATE.lastLineFeed;
        this.#trailerName = '';
        return this.#addToTrailerName(byte);
      case STATE.trailerName:
        if (byte !== COLON) return this.#addToTrailerName(byte);
        return FORBIDDEN_TRAILERS.has(this.#trailerName) ? STATE.failed : STATE.trailerValue;
      case STATE.trailerValue:
        if (byte === CR) return STATE.trailerLineFeed;
        return isFieldByte[byte] === 1 ? this.#countMetadata(STATE.trailerValue) : STATE.failed;
      default:
        return byte === LF ? STATE.trailerStart : STATE.failed;
    }
  }

  #addToTrailerName(byte: number): State {
    if (isTokenByte[byte] !== 1) return STATE.failed;
    if (this.#trailerName.length <= LONGEST_FORBIDDEN_NAME) {
      this.#trailerName += String.fromCharCode(byte).toLowerCase();
    }
    return this.#countMetadata(STATE.trailerName);
  }

  #countMetadata(next: State): State {
    this.#metadataBytes += 1;
    return this.#metadataBytes > MOST_METADATA_BYTES ? STATE.failed : next;
  }
}
