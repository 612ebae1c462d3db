import { CR, equalsIgnoringCase, isFieldByte, LF, SPACE } from './characters.ts';
import { INCOMPLETE, MessageHead } from './message-head.ts';

/** A response's head; see `MessageHead`. */
export class ResponseHead extends MessageHead {
  status = 0;
  /** `Keep-Alive: timeout=…` in milliseconds: how long the target keeps an idle connection; -1: it did not say. */
  keepAliveTimeoutMs = -1;

  override reset(): void {
    super.reset();
    this.status = 0;
    this.keepAliveTimeoutMs = -1;
  }

  get isInterim(): boolean {
    return this.status < 200;
  }

  /** `HTTP/1.x SP status SP [reason] CRLF`; the space before an absent reason may be missing, as many servers do. */
  protected readStartLine(bytes: Buffer, start: number, end: number): number {
    if (end - start < 14) return INCOMPLETE;
    if (
      bytes[start] !== 0x48 ||
      bytes[start + 1] !== 0x54 ||
      bytes[start + 2] !== 0x54 ||
      bytes[start + 3] !== 0x50
    )
      return this.refuse('no HTTP status line');
    if (bytes[start + 4] !== 0x2f || bytes[start + 5] !== 0x31 || bytes[start + 6] !== 0x2e)
      return this.refuse('an invalid HTTP version');
    this.minorVersion = bytes[start + 7]! - 0x30;
    if (this.minorVersion !== 0 && this.minorVersion !== 1) return this.refuse('an invalid HTTP version');
    this.status = this.#readStatus(bytes, start + 8);
    if (this.status === 0) return this.refuse('an invalid status');
    let at = start + 12;
    if (bytes[at] !== SPACE && bytes[at] !== CR) return this.refuse('an invalid status');
    while (at < end && isFieldByte[bytes[at]!] === 1) at += 1;
    if (at >= end) return INCOMPLETE;
    if (bytes[at] !== CR) return this.refuse('an invalid status line');
    if (at + 1 >= end) return INCOMPLETE;
    return bytes[at + 1] === LF ? at + 2 : this.refuse('a bare carriage return');
  }

  #readStatus(bytes: Buffer, at: number): number {
    if (bytes[at] !== SPACE) return 0;
    const hundreds = bytes[at + 1]! - 0x30;
    const tens = bytes[at + 2]! - 0x30;
    const ones = bytes[at + 3]! - 0x30;
    if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return 0;
    return hundreds * 100 + tens * 10 + ones;
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
      case 7:
        if (equalsIgnoringCase(bytes, lineStart, 'upgrade')) {
          this.upgradeStart = valueStart;
          this.upgradeEnd = valueEnd;
          if (this.status !== 101) this.drop(lineStart, lineEnd);
        }
        return true;
      case 10:
        if (equalsIgnoringCase(bytes, lineStart, 'keep-alive'))
          this.#readKeepAlive(bytes, valueStart, valueEnd);
        return this.readSharedField(bytes, lineStart, nameLength, valueStart, valueEnd, lineEnd);
      case 14:
      case 16:
      case 17:
        return this.readSharedField(bytes, lineStart, nameLength, valueStart, valueEnd, lineEnd);
      default:
        return true;
    }
  }

  protected finish(bytes: Buffer): boolean {
    if (this.isChunked && (this.contentLength !== -1 || this.minorVersion === 0)) {
      this.fault = 'Transfer-Encoding with Content-Length or in HTTP/1.0';
      return false;
    }
    if (this.connectionOptions.length > 0) {
      const listed = new Set(this.connectionOptions);
      listed.delete('content-length');
      listed.delete('transfer-encoding');
      this.dropLines(bytes, name => listed.has(name));
    }
    return true;
  }

  /** For a client that cannot read chunks: what announces them is not passed on. */
  dropFraming(bytes: Buffer): void {
    this.dropLines(bytes, name => name === 'transfer-encoding' || name === 'trailer');
  }

  #readKeepAlive(bytes: Buffer, valueStart: number, valueEnd: number): void {
    const seconds = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(bytes.toString('latin1', valueStart, valueEnd))?.[1];
    if (seconds !== undefined) this.keepAliveTimeoutMs = Number(seconds) * 1_000;
  }
}
