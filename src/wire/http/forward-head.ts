import type { Instant } from '../../core/instant.ts';
import type { Random } from '../../core/random.ts';
import type { MessageHead } from './message-head.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';
import { TRACE_FIELDS_BYTES, writeTraceFields } from './trace-context.ts';

const HTTP_1_1 = Buffer.from(' HTTP/1.1\r\n');
const STATUS_VERSION = Buffer.from('HTTP/1.1');
const HOST = Buffer.from('Host: ');
const FORWARDED_FOR = Buffer.from('X-Forwarded-For: ');
const LIST_SEPARATOR = Buffer.from(', ');
const CONNECTION_UPGRADE = Buffer.from('Connection: Upgrade\r\n');
const CONNECTION_CLOSE = Buffer.from('Connection: close\r\n');
const CONNECTION_KEEP_ALIVE = Buffer.from('Connection: keep-alive\r\n');
const LINE_END = Buffer.from('\r\n');

/** How much longer than the original a forwarded head can be, besides the client's and the target's addresses. */
export const FORWARDED_HEAD_GROWTH = TRACE_FIELDS_BYTES + 256;

/** What the proxy says of a client's connection in each of its requests; encoded once a connection. */
export interface ForwardingFields {
  /** The client's address, as it is appended to X-Forwarded-For. */
  address: Buffer;
  /** `X-Forwarded-Proto` and `X-Forwarded-Port`, whole lines. */
  protocolAndPort: Buffer;
  /** All three lines, for the usual request that brings no X-Forwarded-For. */
  all: Buffer;
}

export function forwardingFields(
  address: string,
  protocol: 'http' | 'https',
  port: number,
): ForwardingFields {
  const protocolAndPort = `X-Forwarded-Proto: ${protocol}\r\nX-Forwarded-Port: ${port}\r\n`;
  return {
    address: Buffer.from(address, 'latin1'),
    protocolAndPort: Buffer.from(protocolAndPort, 'latin1'),
    all: Buffer.from(`X-Forwarded-For: ${address}\r\n${protocolAndPort}`, 'latin1'),
  };
}

/**
 * Writes a request's head as a target gets it: HTTP/1.1, origin form, without hop-by-hop fields, with
 * X-Forwarded-For appended to, -Proto and -Port set, and trace context. `host` is for an HTTP/1.0 request without
 * Host. `out` has room for the original and `FORWARDED_HEAD_GROWTH` and the lengths of `fields.all` and `host`.
 * Returns the new `at`.
 */
export function writeForwardedRequest(
  head: RequestHead,
  source: Buffer,
  out: Buffer,
  at: number,
  fields: ForwardingFields,
  host: string,
  now: Instant,
  random: Random,
): number {
  if (head.minorVersion === 1 && head.pathStart === 0) at = copyKept(head, source, head.start, out, at);
  else at = writeRewrittenLines(head, source, out, at, host);
  if (head.isUpgrade) at = append(CONNECTION_UPGRADE, out, at);
  if (head.forwardedForCount === 0) at = append(fields.all, out, at);
  else at = append(fields.protocolAndPort, out, writeForwardedFor(head, source, out, at, fields.address));
  at = writeTraceFields(head, source, out, at, now, random);
  return append(LINE_END, out, at);
}

/** What a response says of the client's connection, when it says anything. */
export type ConnectionField = 'none' | 'close' | 'keep-alive' | 'upgrade';

/** Writes a response's head as the client gets it. Room as for requests. Returns the new `at`. */
export function writeForwardedResponse(
  head: ResponseHead,
  source: Buffer,
  out: Buffer,
  at: number,
  connection: ConnectionField,
): number {
  if (head.minorVersion === 1) at = copyKept(head, source, head.start, out, at);
  else at = copyKept(head, source, head.start + STATUS_VERSION.length, out, append(STATUS_VERSION, out, at));
  if (connection === 'close') at = append(CONNECTION_CLOSE, out, at);
  else if (connection === 'keep-alive') at = append(CONNECTION_KEEP_ALIVE, out, at);
  else if (connection === 'upgrade') at = append(CONNECTION_UPGRADE, out, at);
  return append(LINE_END, out, at);
}

/** Copies from `from` to the end of the field lines, leaving out what was dropped. */
function copyKept(head: MessageHead, source: Buffer, from: number, out: Buffer, at: number): number {
  const { drops, dropCount } = head;
  for (let index = 0; index < dropCount; index += 2) {
    at = copyRange(source, from, drops[index]!, out, at);
    from = drops[index + 1]!;
  }
  return copyRange(source, from, head.end - LINE_END.length, out, at);
}

function writeRewrittenLines(
  head: RequestHead,
  source: Buffer,
  out: Buffer,
  at: number,
  host: string,
): number {
  at = copyRange(source, head.start, head.methodEnd + 1, out, at);
  const pathStart = head.pathStart === 0 ? head.targetStart : head.pathStart;
  if (pathStart === head.targetEnd || source[pathStart] === 0x3f) out[at++] = 0x2f;
  at = copyRange(source, pathStart, head.targetEnd, out, at);
  at = append(HTTP_1_1, out, at);
  if (head.pathStart !== 0) {
    at = copyRange(source, head.authorityStart, head.pathStart, out, append(HOST, out, at));
    at = append(LINE_END, out, at);
  } else if (!head.hasHost) {
    at = append(LINE_END, out, append(Buffer.from(host, 'latin1'), out, append(HOST, out, at)));
  }
  return copyKept(head, source, head.fieldsStart, out, at);
}

function writeForwardedFor(
  head: RequestHead,
  source: Buffer,
  out: Buffer,
  at: number,
  address: Buffer,
): number {
  at = append(FORWARDED_FOR, out, at);
  for (let index = 0; index < head.forwardedFor.length; index += 2) {
    at = copyRange(source, head.forwardedFor[index]!, head.forwardedFor[index + 1]!, out, at);
    at = append(LIST_SEPARATOR, out, at);
  }
  return append(LINE_END, out, append(address, out, at));
}

function append(bytes: Buffer, out: Buffer, at: number): number {
  out.set(bytes, at);
  return at + bytes.length;
}

function copyRange(source: Buffer, from: number, to: number, out: Buffer, at: number): number {
  if (to > from) source.copy(out, at, from, to);
  return at + (to - from);
}
