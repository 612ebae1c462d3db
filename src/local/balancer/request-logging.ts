import { requestMessage } from '../../model/request-line.ts';
import type { Socket } from '../../platform/network.ts';
import { fieldValues } from '../../wire/http/field-values.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { ProxyContext } from './proxy-context.ts';
import type { RunningListener } from './running-listener.ts';
import type { Target } from './target.ts';

const FIELDS = ['host', 'user-agent', 'x-amzn-trace-id'];
/** "If the string is longer than 8 KB, it is truncated" (ALB of user_agent); the trace as well. */
const LONGEST_VALUE = 8_192;
/** Whatever could end a line or a part of it, or mean something to a terminal. */
const UNSAFE = /[^\x20-\x7e]|["\\]/;
const EVERY_UNSAFE = new RegExp(UNSAFE, 'g');

/** A request that is under way, as far as its line in the log is known. */
interface LoggedRequest {
  /** `GET http://example.com:80/path HTTP/1.1` */
  line: string;
  program: string | undefined;
  trace: string | undefined;
  /** Whether it was given to a target group. */
  isForwarded: boolean;
  startedMs: number;
  /** What the connection had sent before. */
  sentBytes: number;
  /** Who began to answer, and with what. */
  target: Target | undefined;
  targetStatus: number | undefined;
  durationMs: number | undefined;
}

/**
 * Writes down the requests of one client's connection, one after the other, as an Application Load Balancer does ("Access
 * logs for your Application Load Balancer", Syntax). While requests are not logged, each call is one check.
 */
export class RequestLogging {
  readonly #client: string;
  readonly #socket: Socket;
  readonly #listener: RunningListener;
  readonly #context: ProxyContext;
  #request: LoggedRequest | undefined;

  constructor(address: string, socket: Socket, listener: RunningListener, context: ProxyContext) {
    this.#client = address.includes(':') ? `[${address}]` : address;
    this.#socket = socket;
    this.#listener = listener;
    this.#context = context;
  }

  /** A request for a target group, whose targets get the fields in `lines[at, end)`, the trace among them. */
  beginForwarded(head: RequestHead, source: Buffer, lines: Buffer, at: number, end: number): void {
    if (this.#context.requestLog === undefined) return;
    this.#begin(this.#lineOf(head, source, lines, at, end), true);
  }

  /** A request that was understood, and is refused. */
  beginRefused(head: RequestHead, source: Buffer): void {
    if (this.#context.requestLog === undefined) return;
    this.#begin(this.#lineOf(head, source, source, head.fieldsStart, head.end), false);
  }

  /** What was not understood: ALB tells nothing of it that its client sent. */
  beginUnreadable(): void {
    if (this.#context.requestLog === undefined || this.#request !== undefined) return;
    this.#begin([`- http://${this.#listener.host}- -`, undefined, undefined], false);
  }

  /** The target begins its answer. */
  noteAnswer(target: Target | undefined, status: number): void {
    const request = this.#request;
    if (request === undefined) return;
    request.target = target;
    request.targetStatus = status;
    request.durationMs = this.#context.clock.monotonicMs() - request.startedMs;
  }

  /** The target's answer has ended, or has broken off; after 101 ("for WebSockets"), the connection has been closed. */
  endAnswered(): void {
    const status = this.#request?.targetStatus;
    if (status !== undefined) this.end(status, undefined);
  }

  /** It ends with this status in place of a target's answer; `target`: the one that had it. */
  end(status: number, target: Target | undefined): void {
    const request = this.#request;
    if (request === undefined) return;
    this.#request = undefined;
    const giver = request.target ?? target;
    const message = requestMessage({
      client: this.#client,
      request: printable(request.line),
      status,
      targetStatus: request.targetStatus,
      durationMs: request.durationMs,
      target: giver === undefined ? undefined : `${giver.address}:${giver.port}`,
      actions: request.isForwarded ? 'forward' : '-',
      cause: undefined,
      sentBytes: this.#socket.bytesWritten - request.sentBytes,
      program: printable(request.program || '-'),
      trace: printable(request.trace || '-'),
    });
    this.#context.requestLog?.add(this.#listener.name, message);
  }

  #begin(
    [line, program, trace]: readonly [string, string | undefined, string | undefined],
    isForwarded: boolean,
  ): void {
    this.#request = {
      line,
      program,
      trace,
      isForwarded,
      startedMs: this.#context.clock.monotonicMs(),
      sentBytes: this.#socket.bytesWritten,
      target: undefined,
      targetStatus: undefined,
      durationMs: undefined,
    };
  }

  /** The URL as ALB logs it: with the host that was asked for, and the listener's port. */
  #lineOf(head: RequestHead, source: Buffer, lines: Buffer, at: number, end: number) {
    const { host: own, port } = this.#listener;
    const [host = own, program, trace] = fieldValues(lines, at, end, FIELDS, LONGEST_VALUE);
    const method = source.toString('latin1', head.start, head.methodEnd);
    const pathStart = head.pathStart === 0 ? head.targetStart : head.pathStart;
    const target = source.toString('latin1', pathStart, head.targetEnd);
    const path = target.startsWith('/') ? target : `/${target}`;
    const line = `${method} http://${withoutPort(host)}:${port}${path} HTTP/1.${head.minorVersion}`;
    return [line, program, trace] as const;
  }
}

function withoutPort(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon > host.lastIndexOf(']') ? host.slice(0, colon) : host;
}

/** What is not printable ASCII, quotation marks and backslashes as `\x22`, which is how nginx writes them. */
function printable(text: string): string {
  if (!UNSAFE.test(text)) return text;
  return text.replace(
    EVERY_UNSAFE,
    character => `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
