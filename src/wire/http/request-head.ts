import {
  COMMA,
  CR,
  equalsIgnoringCase,
  isHostByte,
  isTargetByte,
  isTokenByte,
  LF,
  SPACE,
} from './characters.ts';
import { INCOMPLETE, MALFORMED, MessageHead } from './message-head.ts';

/** The methods that a client may repeat without harm (RFC 9110 section 9.2.2). */
const IDEMPOTENT_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'];
const SLASH = 0x2f;
const AT_SIGN = 0x40;

/** Fields that Connection cannot make a proxy drop: without them the request would mean something else. */
const NEVER_HOP_BY_HOP = new Set([
  'authorization',
  'content-length',
  'cookie',
  'host',
  'traceparent',
  'tracestate',
  'transfer-encoding',
  'x-amzn-trace-id',
]);

/** A request's head; see `MessageHead`. */
export class RequestHead extends MessageHead {
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** For the absolute form (`GET http://host/path`): where the path starts in the target; else 0. */
  pathStart = 0;
  authorityStart = 0;
  isHead = false;
  isIdempotent = false;
  hasHost = false;
  hasExpectContinue = false;
  hasOddExpectation = false;
  /** Values of X-Forwarded-For, as start, end, start, end… */
  readonly forwardedFor: number[] = [];
  forwardedForCount = 0;
  /** Values of the trace fields; an end of 0 says that there is none. */
  amznTraceStart = 0;
  amznTraceEnd = 0;
  traceparentStart = 0;
  traceparentEnd = 0;
  /** A WebSocket or another upgrade that may be passed on. */
  isUpgrade = false;

  override reset(): void {
    super.reset();
    this.pathStart = 0;
    this.hasHost = false;
    this.hasExpectContinue = false;
    this.hasOddExpectation = false;
    if (this.forwardedFor.length > 0) this.forwardedFor.length = 0;
    this.forwardedForCount = 0;
    this.amznTraceEnd = 0;
    this.traceparentEnd = 0;
    this.isUpgrade = false;
  }

  /** `method SP request-target SP HTTP/1.x CRLF`; empty lines before it are skipped (RFC 9112 section 2.2). */
  protected readStartLine(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && bytes[at] === CR) {
      if (at + 1 >= end) return INCOMPLETE;
      if (bytes[at + 1] !== LF) return this.refuse('a bare carriage return');
      at += 2;
    }
    this.start = at;
    while (at < end && isTokenByte[bytes[at]!] === 1) at += 1;
    if (at >= end) return INCOMPLETE;
    if (bytes[at] !== SPACE || at === this.start) return this.refuse('an invalid method');
    this.methodEnd = at;
    at += 1;
    this.targetStart = at;
    while (at < end && isTargetByte[bytes[at]!] === 1) at += 1;
    if (at >= end) return INCOMPLETE;
    this.targetEnd = at;
    if (bytes[at] !== SPACE || at === this.targetStart) return this.refuse('an invalid request target');
    if (end - at < 11) return this.#mayBecomeVersion(bytes, at, end);
    if (!this.#readVersion(bytes, at + 1)) return this.refuse('an invalid HTTP version');
    return this.#readMethodAndTarget(bytes) ? at + 11 : MALFORMED;
  }

  /** Refuses a line that ends too early at once instead of waiting for what will never come. */
  #mayBecomeVersion(bytes: Buffer, at: number, end: number): number {
    for (let index = at + 1; index < end; index += 1) {
      if (bytes[index] === LF) return this.refuse('an invalid HTTP version');
    }
    return INCOMPLETE;
  }

  #readVersion(bytes: Buffer, at: number): boolean {
    if (bytes[at] !== 0x48 || bytes[at + 1] !== 0x54 || bytes[at + 2] !== 0x54 || bytes[at + 3] !== 0x50)
      return false;
    if (bytes[at + 4] !== SLASH || bytes[at + 5] !== 0x31 || bytes[at + 6] !== 0x2e) return false;
    if (bytes[at + 8] !== CR || bytes[at + 9] !== LF) return false;
    this.minorVersion = bytes[at + 7]! - 0x30;
    return this.minorVersion === 0 || this.minorVersion === 1;
  }

  #readMethodAndTarget(bytes: Buffer): boolean {
    const { start, methodEnd } = this;
    const isGet =
      methodEnd - start === 3 &&
      bytes[start] === 0x47 &&
      bytes[start + 1] === 0x45 &&
      bytes[start + 2] === 0x54;
    this.isHead = false;
    this.isIdempotent = isGet;
    if (!isGet && !this.#readOtherMethod(bytes.toString('latin1', start, methodEnd))) return false;
    return bytes[this.targetStart] === SLASH || this.#readOtherTarget(bytes);
  }

  #readOtherMethod(method: string): boolean {
    if (method === 'CONNECT') {
      this.fault = 'the CONNECT method';
      return false;
    }
    this.isHead = method === 'HEAD';
    this.isIdempotent = IDEMPOTENT_METHODS.includes(method);
    return true;
  }

  /** The absolute form (RFC 9112 section 3.2.2) and `OPTIONS *`. */
  #readOtherTarget(bytes: Buffer): boolean {
    const target = bytes.toString('latin1', this.targetStart, this.targetEnd);
    if (target === '*' && bytes.toString('latin1', this.start, this.methodEnd) === 'OPTIONS') return true;
    const scheme = /^https?:\/\//i.exec(target)?.[0];
    if (scheme === undefined) {
      this.fault = 'an invalid request target';
      return false;
    }
    this.authorityStart = this.targetStart + scheme.length;
    let at = this.authorityStart;
    while (at < this.targetEnd && isHostByte[bytes[at]!] === 1) at += 1;
    const isFollowedByPath = at === this.targetEnd || bytes[at] === SLASH || bytes[at] === 0x3f;
    if (at === this.authorityStart || !isFollowedByPath || bytes[at] === AT_SIGN) {
      this.fault = 'an invalid host';
      return false;
    }
    this.pathStart = at;
    return true;
  }

  protected readField(
    bytes: Buffer,
    lineStart: number,
    nameLength: number,
    valueStart: number,
    valueEnd: number,
    lineEnd: number,
  ): boolean {
    switch (nameLength) {
      case 2:
        if (equalsIgnoringCase(bytes, lineStart, 'te')) this.drop(lineStart, lineEnd);
        return true;
      case 4:
        return !equalsIgnoringCase(bytes, lineStart, 'host') || this.#readHost(bytes, valueStart, valueEnd);
      case 6:
        if (equalsIgnoringCase(bytes, lineStart, 'expect')) this.#readExpect(bytes, valueStart, valueEnd);
        return true;
      case 7:
        if (equalsIgnoringCase(bytes, lineStart, 'upgrade')) {
          this.upgradeStart = valueStart;
          this.upgradeEnd = valueEnd;
        }
        return true;
      case 11:
        if (equalsIgnoringCase(bytes, lineStart, 'traceparent')) {
          this.traceparentStart = valueStart;
          this.traceparentEnd = valueEnd;
        }
        return true;
      case 10:
      case 14:
        return this.readSharedField(bytes, lineStart, nameLength, valueStart, valueEnd, lineEnd);
      case 15:
        if (equalsIgnoringCase(bytes, lineStart, 'x-forwarded-for')) {
          this.#readForwardedFor(bytes, valueStart, valueEnd);
          this.drop(lineStart, lineEnd);
        } else if (equalsIgnoringCase(bytes, lineStart, 'x-amzn-trace-id')) {
          this.amznTraceStart = valueStart;
          this.amznTraceEnd = valueEnd;
        }
        return true;
      case 16:
        if (equalsIgnoringCase(bytes, lineStart, 'x-forwarded-port')) this.drop(lineStart, lineEnd);
        return this.readSharedField(bytes, lineStart, nameLength, valueStart, valueEnd, lineEnd);
      case 17:
        if (equalsIgnoringCase(bytes, lineStart, 'x-forwarded-proto')) this.drop(lineStart, lineEnd);
        return this.readSharedField(bytes, lineStart, nameLength, valueStart, valueEnd, lineEnd);
      default:
        return true;
    }
  }

  protected finish(bytes: Buffer): boolean {
    if (this.isChunked && this.contentLength !== -1) this.fault = 'both Transfer-Encoding and Content-Length';
    else if (this.isChunked && this.minorVersion === 0) this.fault = 'Transfer-Encoding in HTTP/1.0';
    else if (!this.hasHost && this.minorVersion === 1) this.fault = 'no Host';
    if (this.fault !== '') return false;
    if (this.connectionOptions.length > 0 || this.pathStart !== 0 || this.hasUpgrade) this.#dropLate(bytes);
    return true;
  }

  /** h2c is never passed on: it would carry requests past every check of this proxy (RFC 9113 section 3.1). */
  #dropLate(bytes: Buffer): void {
    this.isUpgrade =
      this.hasUpgrade &&
      this.hasConnectionUpgrade &&
      this.minorVersion === 1 &&
      !/\bh2c\b/i.test(bytes.toString('latin1', this.upgradeStart, this.upgradeEnd));
    const listed = new Set(this.connectionOptions.filter(name => !NEVER_HOP_BY_HOP.has(name)));
    this.dropLines(bytes, name => {
      if (name === 'upgrade') return !this.isUpgrade;
      if (name === 'http2-settings') return true;
      if (name === 'host') return this.pathStart !== 0;
      return listed.has(name);
    });
  }

  #readHost(bytes: Buffer, valueStart: number, valueEnd: number): boolean {
    if (this.hasHost) this.fault = 'more than one Host';
    this.hasHost = true;
    for (let at = valueStart; at < valueEnd; at += 1) {
      if (isHostByte[bytes[at]!] !== 1) this.fault = 'an invalid host';
    }
    return this.fault === '';
  }

  #readExpect(bytes: Buffer, valueStart: number, valueEnd: number): void {
    if (bytes.toString('latin1', valueStart, valueEnd).toLowerCase() === '100-continue')
      this.hasExpectContinue = true;
    else this.hasOddExpectation = true;
  }

  #readForwardedFor(bytes: Buffer, valueStart: number, valueEnd: number): void {
    if (valueStart === valueEnd) return;
    this.forwardedFor.push(valueStart, valueEnd);
    this.forwardedForCount += 1;
    for (let at = valueStart; at < valueEnd; at += 1) if (bytes[at] === COMMA) this.forwardedForCount += 1;
  }
}
