import {
  COLON,
  COMMA,
  CR,
  equalsIgnoringCase,
  isFieldByte,
  isTokenByte,
  LF,
  SPACE,
  TAB,
} from './characters.ts';

/** `parse` returns this while the head is not complete yet… */
export const INCOMPLETE = 0;
/** …and this where it never will be right; `fault` says why. */
export const MALFORMED = -1;

/** Content-Length beyond this is nobody's body but somebody's attack (and must stay exact as a number). */
const LARGEST_CONTENT_LENGTH_DIGITS = 15;

/**
 * The head of an HTTP/1.1 message, read once, front to back, out of the bytes that came in. It keeps offsets into
 * those bytes, never text: forwarding copies byte ranges. Everything that two parsers could understand
 * differently is refused rather than repaired (RFC 9112 sections 2.2, 5.1, 5.2, 6.1 and 6.3): bare CR or LF,
 * folded lines, space before the colon, several or odd lengths, any transfer coding but exactly `chunked`.
 *
 * An object is used again for many heads; `reset` first. A head that arrives in pieces is parsed again from the
 * line where it broke off, with the same buffer start, so that slow senders cost linear time.
 */
export abstract class MessageHead {
  start = 0;
  /** Just past the empty line, once complete. */
  end = 0;
  fault = '';
  /** The first field line. */
  fieldsStart = 0;
  /** The minor HTTP version: 0 or 1. */
  minorVersion = 1;
  /** -1: none was given. */
  contentLength = -1;
  isChunked = false;
  hasConnectionClose = false;
  hasConnectionKeepAlive = false;
  hasConnectionUpgrade = false;
  /** Line ranges that are not forwarded: start, end, start, end…, ascending; `dropCount` numbers are valid. */
  readonly drops: number[] = [];
  dropCount = 0;
  /** Names that Connection listed besides the well-known ones, in lower case. */
  readonly connectionOptions: string[] = [];
  protected upgradeStart = 0;
  protected upgradeEnd = 0;
  #resumeAt = -1;

  reset(): void {
    this.end = 0;
    this.fault = '';
    this.fieldsStart = 0;
    this.contentLength = -1;
    this.isChunked = false;
    this.hasConnectionClose = false;
    this.hasConnectionKeepAlive = false;
    this.hasConnectionUpgrade = false;
    this.dropCount = 0;
    if (this.connectionOptions.length > 0) this.connectionOptions.length = 0;
    this.upgradeStart = 0;
    this.upgradeEnd = 0;
    this.#resumeAt = -1;
  }

  get hasStartLine(): boolean {
    return this.fieldsStart !== 0;
  }

  get hasUpgrade(): boolean {
    return this.upgradeEnd !== 0;
  }

  /**
   * Reads on in `bytes[start, end)`. Returns the offset just past the head, `INCOMPLETE` or `MALFORMED`. To go on
   * after `INCOMPLETE`, call again with the same `start` and more bytes.
   */
  parse(bytes: Buffer, start: number, end: number): number {
    let at = this.#resumeAt;
    if (at < 0) {
      this.start = start;
      at = start;
    }
    if (this.fieldsStart === 0) {
      at = this.readStartLine(bytes, start, end);
      if (at <= 0) return at;
      this.fieldsStart = at;
    }
    for (;;) {
      const next = this.#readFieldLine(bytes, at, end);
      if (next <= 0) {
        this.#resumeAt = at;
        return next;
      }
      at = next;
      if (this.end !== 0) return this.finish(bytes) ? at : MALFORMED;
    }
  }

  protected abstract readStartLine(bytes: Buffer, start: number, end: number): number;

  /** Takes note of a field; false where it is at fault. The bytes of name and value are known to be allowed. */
  protected abstract readField(
    bytes: Buffer,
    lineStart: number,
    nameLength: number,
    valueStart: number,
    valueEnd: number,
    lineEnd: number,
  ): boolean;

  /**
   * What means the same in both directions: the framing (RFC 9112 section 6), and fields of one connection, which are
   * not passed on (RFC 9110 section 7.6.1). For names of 10, 14, 16 and 17 bytes; false where the field is at fault.
   */
  protected readSharedField(
    bytes: Buffer,
    lineStart: number,
    nameLength: number,
    valueStart: number,
    valueEnd: number,
    lineEnd: number,
  ): boolean {
    switch (nameLength) {
      case 10:
        if (equalsIgnoringCase(bytes, lineStart, 'connection')) {
          this.#readConnection(bytes, valueStart, valueEnd);
          this.drop(lineStart, lineEnd);
        } else if (equalsIgnoringCase(bytes, lineStart, 'keep-alive')) this.drop(lineStart, lineEnd);
        return true;
      case 14:
        return (
          !equalsIgnoringCase(bytes, lineStart, 'content-length') ||
          this.#readContentLength(bytes, valueStart, valueEnd)
        );
      case 16:
        if (equalsIgnoringCase(bytes, lineStart, 'proxy-connection')) this.drop(lineStart, lineEnd);
        return true;
      case 17:
        return (
          !equalsIgnoringCase(bytes, lineStart, 'transfer-encoding') ||
          this.#readTransferEncoding(bytes, valueStart, valueEnd)
        );
      default:
        return true;
    }
  }

  /** Called when all lines are read: judges the head as a whole. */
  protected abstract finish(bytes: Buffer): boolean;

  protected refuse(fault: string): number {
    this.fault = fault;
    return MALFORMED;
  }

  protected drop(lineStart: number, lineEnd: number): void {
    if (this.dropCount > 0 && this.drops[this.dropCount - 1] === lineStart) {
      this.drops[this.dropCount - 1] = lineEnd;
      return;
    }
    this.drops[this.dropCount] = lineStart;
    this.drops[this.dropCount + 1] = lineEnd;
    this.dropCount += 2;
  }

  /** Goes over the (already read) lines again, to drop what only the whole head could tell. */
  protected dropLines(bytes: Buffer, isDropped: (name: string) => boolean): void {
    const earlier = this.drops.slice(0, this.dropCount);
    this.dropCount = 0;
    let passed = 0;
    let at = this.fieldsStart;
    while (at < this.end - 2) {
      const colon = bytes.indexOf(COLON, at);
      const lineEnd = bytes.indexOf(LF, colon) + 1;
      while (passed < earlier.length && earlier[passed + 1]! <= at) passed += 2;
      const wasDropped = passed < earlier.length && at >= earlier[passed]!;
      if (wasDropped || isDropped(bytes.toString('latin1', at, colon).toLowerCase())) this.drop(at, lineEnd);
      at = lineEnd;
    }
  }

  #readContentLength(bytes: Buffer, valueStart: number, valueEnd: number): boolean {
    if (this.contentLength !== -1) return this.#fail('more than one Content-Length');
    const digits = valueEnd - valueStart;
    if (digits === 0 || digits > LARGEST_CONTENT_LENGTH_DIGITS)
      return this.#fail('an invalid Content-Length');
    let length = 0;
    for (let at = valueStart; at < valueEnd; at += 1) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) return this.#fail('an invalid Content-Length');
      length = length * 10 + digit;
    }
    this.contentLength = length;
    return true;
  }

  #readTransferEncoding(bytes: Buffer, valueStart: number, valueEnd: number): boolean {
    if (this.isChunked) return this.#fail('more than one Transfer-Encoding');
    if (bytes.toString('latin1', valueStart, valueEnd).toLowerCase() !== 'chunked') {
      return this.#fail('a Transfer-Encoding other than chunked');
    }
    this.isChunked = true;
    return true;
  }

  /** Connection: a list of options (RFC 9110 section 7.6.1). */
  #readConnection(bytes: Buffer, valueStart: number, valueEnd: number): void {
    let at = valueStart;
    while (at < valueEnd) {
      while (at < valueEnd && (bytes[at] === COMMA || bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
      const optionStart = at;
      while (at < valueEnd && bytes[at] !== COMMA && bytes[at] !== SPACE && bytes[at] !== TAB) at += 1;
      if (at > optionStart) this.#readConnectionOption(bytes, optionStart, at);
    }
  }

  #readConnectionOption(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length === 5 && equalsIgnoringCase(bytes, start, 'close')) this.hasConnectionClose = true;
    else if (length === 10 && equalsIgnoringCase(bytes, start, 'keep-alive'))
      this.hasConnectionKeepAlive = true;
    else if (length === 7 && equalsIgnoringCase(bytes, start, 'upgrade')) this.hasConnectionUpgrade = true;
    else this.connectionOptions.push(bytes.toString('latin1', start, end).toLowerCase());
  }

  #readFieldLine(bytes: Buffer, lineStart: number, end: number): number {
    if (lineStart >= end) return INCOMPLETE;
    let at = lineStart;
    let byte = bytes[at]!;
    if (byte === CR) {
      if (at + 1 >= end) return INCOMPLETE;
      if (bytes[at + 1] !== LF) return this.refuse('a bare carriage return');
      this.end = at + 2;
      return this.end;
    }
    while (isTokenByte[byte] === 1) {
      at += 1;
      if (at >= end) return INCOMPLETE;
      byte = bytes[at]!;
    }
    const nameLength = at - lineStart;
    if (byte !== COLON || nameLength === 0) return this.#refuseName(byte, nameLength);
    at += 1;
    while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
    const valueStart = at;
    while (at < end && isFieldByte[bytes[at]!] === 1) at += 1;
    if (at >= end) return INCOMPLETE;
    if (bytes[at] !== CR) return this.refuse(bytes[at] === LF ? 'a bare line feed' : 'a control character');
    if (at + 1 >= end) return INCOMPLETE;
    if (bytes[at + 1] !== LF) return this.refuse('a bare carriage return');
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB))
      valueEnd -= 1;
    if (!this.readField(bytes, lineStart, nameLength, valueStart, valueEnd, at + 2)) return MALFORMED;
    return at + 2;
  }

  #refuseName(byte: number, nameLength: number): number {
    if (nameLength === 0 && (byte === SPACE || byte === TAB)) return this.refuse('a folded field line');
    if (byte === SPACE || byte === TAB) return this.refuse('white space before a colon');
    return this.refuse(byte === LF ? 'a bare line feed' : 'an invalid field name');
  }

  #fail(fault: string): false {
    this.fault = fault;
    return false;
  }
}
