import type { Random } from '../../core/random.ts';
import type { Instant } from '../../core/instant.ts';
import { hexadecimalValue } from './characters.ts';
import type { RequestHead } from './request-head.ts';

const AMZN_PREFIX = Buffer.from('X-Amzn-Trace-Id: Root=1-');
const TRACEPARENT_PREFIX = Buffer.from('traceparent: 00-');
const HEXADECIMAL_DIGITS = Buffer.from('0123456789abcdef');
const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
const HYPHEN = 0x2d;
/** `00-<32 digits>-<16 digits>-<2 digits>` */
const TRACEPARENT_LENGTH = 55;
/** `Root=1-<8 digits>-<24 digits>` */
const ROOT = /\bRoot=1-([0-9a-f]{8})-([0-9a-f]{24})/i;

/** The most that `writeTraceFields` writes. */
export const TRACE_FIELDS_BYTES = 160;

const traceId = new Uint8Array(TRACE_DIGITS);

/**
 * Writes the trace fields that the request lacks: AWS's X-Amzn-Trace-Id and W3C's traceparent (sampled). Both
 * carry one trace id, as X-Ray reads W3C ids: the first 8 of the 32 digits are seconds since 1970. Where the
 * request has one of them, the other takes its id; what it has is passed on as it is. Returns the new `at`.
 */
export function writeTraceFields(
  head: RequestHead,
  source: Buffer,
  out: Buffer,
  at: number,
  now: Instant,
  random: Random,
): number {
  const hasAmznTrace = head.amznTraceEnd !== 0;
  const hasTraceparent = head.traceparentEnd !== 0;
  if (hasAmznTrace && hasTraceparent) return at;
  const isTaken =
    (hasTraceparent && takeFromTraceparent(source, head.traceparentStart, head.traceparentEnd)) ||
    (hasAmznTrace && takeFromRoot(source.toString('latin1', head.amznTraceStart, head.amznTraceEnd)));
  if (!isTaken) beginTrace(now, random);
  if (!hasAmznTrace) at = writeAmznTrace(out, at);
  return hasTraceparent ? at : writeTraceparent(out, at, random);
}

function writeAmznTrace(out: Buffer, at: number): number {
  out.set(AMZN_PREFIX, at);
  at += AMZN_PREFIX.length;
  for (let digit = 0; digit < TRACE_DIGITS; digit += 1) {
    if (digit === 8) out[at++] = HYPHEN;
    out[at++] = traceId[digit]!;
  }
  return writeLineEnd(out, at);
}

function writeTraceparent(out: Buffer, at: number, random: Random): number {
  out.set(TRACEPARENT_PREFIX, at);
  at += TRACEPARENT_PREFIX.length;
  out.set(traceId, at);
  at += TRACE_DIGITS;
  out[at++] = HYPHEN;
  writeRandomDigits(out, at, SPAN_DIGITS, random);
  at += SPAN_DIGITS;
  out[at++] = HYPHEN;
  out[at++] = 0x30;
  out[at++] = 0x31;
  return writeLineEnd(out, at);
}

function beginTrace(now: Instant, random: Random): void {
  let seconds = Math.floor(now / 1_000) >>> 0;
  for (let digit = 7; digit >= 0; digit -= 1) {
    traceId[digit] = HEXADECIMAL_DIGITS[seconds & 15]!;
    seconds >>>= 4;
  }
  writeRandomDigits(traceId, 8, TRACE_DIGITS - 8, random);
}

function writeRandomDigits(out: Uint8Array, at: number, count: number, random: Random): void {
  for (let written = 0; written < count; written += 8) {
    let bits = (random.next() * 4_294_967_296) >>> 0;
    // An all-zero id is invalid (W3C Trace Context section 3.2.2.3); the chance is small, not none.
    if (bits === 0) bits = 1;
    for (let digit = 0; digit < 8; digit += 1) {
      out[at + written + digit] = HEXADECIMAL_DIGITS[bits & 15]!;
      bits >>>= 4;
    }
  }
}

function takeFromTraceparent(source: Buffer, start: number, end: number): boolean {
  if (end - start < TRACEPARENT_LENGTH || source[start + 2] !== HYPHEN || source[start + 35] !== HYPHEN)
    return false;
  for (let digit = 0; digit < TRACE_DIGITS; digit += 1) {
    const byte = source[start + 3 + digit]!;
    if (hexadecimalValue[byte] === 255) return false;
    traceId[digit] = byte;
  }
  return true;
}

function takeFromRoot(value: string): boolean {
  const root = ROOT.exec(value);
  if (root === null) return false;
  Buffer.from(root[1]! + root[2]!, 'latin1').copy(traceId);
  return true;
}

function writeLineEnd(out: Uint8Array, at: number): number {
  out[at] = 0x0d;
  out[at + 1] = 0x0a;
  return at + 2;
}
