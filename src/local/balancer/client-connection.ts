import { ChunkedBody } from '../../wire/http/chunked-body.ts';
import {
  FORWARDED_HEAD_GROWTH,
  forwardingFields,
  writeForwardedRequest,
  writeForwardedResponse,
  type ConnectionField,
  type ForwardingFields,
} from '../../wire/http/forward-head.ts';
import { INCOMPLETE, MALFORMED } from '../../wire/http/message-head.ts';
import { RequestHead } from '../../wire/http/request-head.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import type { Socket } from '../../platform/network.ts';
import { acceptSharedReads } from '../../platform/shared-reads.ts';
import { countStatus } from './counters.ts';
import { errorResponse } from './error-response.ts';
import { Exchange, type ExchangeClient } from './exchange.ts';
import { HeldBytes } from './held-bytes.ts';
import { UNSENT_HIGH_WATER_BYTES, type ProxyContext } from './proxy-context.ts';
import { RequestBody } from './request-body.ts';
import { RequestLogging } from './request-logging.ts';
import type { RunningListener } from './running-listener.ts';
import type { Target } from './target.ts';

const LARGEST_HEAD_BYTES = 65_536;
const LARGEST_REQUEST_LINE_BYTES = 16_384;
const MOST_FORWARDED_ADDRESSES = 30;
/** Pipelined requests beyond this wait in the client's own socket. */
const MOST_HELD_BYTES = 65_536;
/** How long a client that was answered and closed may take to see it, before the connection is cut. */
const LINGER_MS = 5_000;
/** Not an answer: ALB's log code for a client that left before its answer. */
const CLIENT_LEFT = 460;

const PHASE = { head: 0, body: 1, answering: 2, tunnel: 3, lingering: 4, closed: 5 } as const;
type Phase = (typeof PHASE)[keyof typeof PHASE];

/** Most heads arrive whole and are dealt with at once: one object for all of them. */
const wholeHead = new RequestHead();

/**
 * One client's connection: reads requests one after the other, hands each to the exchange, and writes what comes
 * back. `head` waits for a request, `body` for the rest of one, `answering` for the target; pipelined requests
 * are held meanwhile. `lingering`: all is said, and what the client still sends is thrown away until it notices.
 */
export class ClientConnection implements ExchangeClient {
  readonly #socket: Socket;
  readonly #listener: RunningListener;
  readonly #context: ProxyContext;
  readonly #exchange: Exchange;
  readonly #forwarding: ForwardingFields;
  readonly #held = new HeldBytes();
  readonly #body = new RequestBody();
  readonly #logging: RequestLogging;
  /** A head that arrives in pieces has a parser of its own. */
  #partialHead: RequestHead | undefined;
  #partialSinceMs = 0;
  #phase: Phase = PHASE.head;
  #isTaking = false;
  #isPaused = false;
  #hasServed = false;
  /** Of the current request. */
  #minorVersion = 1;
  #keepsAlive = true;
  /** The client waits for leave to send its body. */
  #awaitsContinue = false;
  /** The answer was complete before the request was: the rest of the request is read and thrown away. */
  #isAnswered = false;
  /** The client cannot read chunks (HTTP/1.0): the answer's body is unwrapped. */
  #unwraps: ChunkedBody | undefined;
  #lastByteMs: number;
  /** The next answer, or the end of this one, ends the connection. */
  #isClosing = false;

  constructor(socket: Socket, listener: RunningListener, context: ProxyContext) {
    this.#socket = socket;
    this.#listener = listener;
    this.#context = context;
    this.#exchange = new Exchange(this, context);
    const address = addressOf(socket);
    this.#forwarding = forwardingFields(address, 'http', listener.port);
    this.#logging = new RequestLogging(address, socket, listener, context);
    this.#lastByteMs = context.coarseNowMs;
    acceptSharedReads(socket, (bytes, length) => this.#receive(bytes, length));
    socket.on('drain', () => this.#onDrained());
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => this.#onClosed());
    socket.on('close', () => this.#onClosed());
  }

  /** Ends the connection as soon as nothing is in flight on it; the current answer says so if its head is to come. */
  closeWhenIdle(): void {
    this.#isClosing = true;
    if (this.#phase === PHASE.head && this.#partialHead === undefined) this.#finishSocket();
  }

  /** Ends the connection now. */
  cut(): void {
    this.#leave();
    this.#socket.destroy();
  }

  /** Ends what has taken too long. Called a few times within each limit. */
  sweep(nowMs: number): void {
    const { idleTimeoutMs, clientKeepAliveMs } = this.#context.limits;
    // Times were taken by the coarse clock: nobody is timed out early for that.
    const surelyMs = nowMs - this.#context.sweepMs;
    const idleMs = surelyMs - this.#lastByteMs;
    switch (this.#phase) {
      case PHASE.head:
        if (this.#partialHead !== undefined) {
          if (surelyMs - this.#partialSinceMs > idleTimeoutMs) this.#refuse(408);
        } else if (idleMs > (this.#hasServed ? clientKeepAliveMs : idleTimeoutMs)) this.cut();
        return;
      case PHASE.body:
      case PHASE.answering:
        if (this.#exchange.hasConnectTimedOut) this.#exchange.upstream?.fail('connect-timeout');
        else if (idleMs > idleTimeoutMs) this.#timeOut();
        return;
      case PHASE.tunnel:
        if (idleMs > idleTimeoutMs) this.cut();
        return;
      case PHASE.lingering:
        if (idleMs > LINGER_MS) this.cut();
        return;
      case PHASE.closed:
        return;
    }
  }

  /** 408 where the client stopped sending, 504 where the target did not answer, nothing where it is answering. */
  #timeOut(): void {
    if (this.#exchange.hasResponseBegun) {
      this.#exchange.abandon();
      this.breakOff();
      return;
    }
    const isClientsFault = this.#phase === PHASE.body && !this.#isPaused;
    const status = isClientsFault ? 408 : 504;
    if (!isClientsFault) this.#exchange.countAnswer(status);
    const target = this.#exchange.upstream?.target;
    this.#exchange.abandon();
    this.answer(status, target);
  }

  #receive(bytes: Buffer, length: number): void {
    if (this.#phase >= PHASE.lingering) return;
    this.#lastByteMs = this.#context.coarseNowMs;
    this.#listener.counter.processedBytes += length;
    if (this.#phase === PHASE.head && this.#partialHead !== undefined) {
      this.#held.append(bytes, 0, length);
      this.#continueHead(length);
    } else this.#take(bytes, 0, length);
  }

  /** Deals with `bytes[at, end)` as far as it goes now. */
  #take(bytes: Buffer, at: number, end: number): void {
    this.#isTaking = true;
    while (at < end) {
      if (this.#phase === PHASE.head && !this.isCongested) at = this.#takeHead(bytes, at, end);
      else if (this.#phase === PHASE.body) at = this.#takeBody(bytes, at, end);
      else if (this.#phase === PHASE.tunnel) at = this.#takeTunnelBytes(bytes, at, end);
      else {
        if (this.#phase === PHASE.answering || this.#phase === PHASE.head) this.#hold(bytes, at, end);
        break;
      }
    }
    this.#isTaking = false;
  }

  #hold(bytes: Buffer, at: number, end: number): void {
    this.#held.append(bytes, at, end);
    if (this.#held.length > MOST_HELD_BYTES) this.#pauseReading();
  }

  /** Goes on with what was held, now that there is nothing in its way. */
  #takeHeld(): void {
    if (this.#isTaking || this.#held.length === 0 || this.#partialHead !== undefined) return;
    const bytes = this.#held.takeAll();
    this.#take(bytes, 0, bytes.length);
  }

  #takeHead(bytes: Buffer, at: number, end: number): number {
    wholeHead.reset();
    const headEnd = wholeHead.parse(bytes, at, end);
    if (headEnd === MALFORMED) return this.#refuse(400, end);
    if (headEnd !== INCOMPLETE) return this.#startRequest(wholeHead, bytes, at, headEnd, end);
    this.#held.append(bytes, at, end);
    this.#partialHead = new RequestHead();
    this.#partialSinceMs = this.#context.coarseNowMs;
    this.#refuseIfTooLarge(wholeHead.hasStartLine);
    return end;
  }

  /** `added` bytes of a head that began earlier have come. It is looked at again only when a line has ended. */
  #continueHead(added: number): void {
    const head = this.#partialHead!;
    const { bytes, length } = this.#held;
    const headEnd = this.#held.hasLineFeedInLast(added) ? head.parse(bytes, 0, length) : INCOMPLETE;
    if (headEnd === INCOMPLETE) {
      this.#refuseIfTooLarge(head.hasStartLine);
      return;
    }
    this.#partialHead = undefined;
    const whole = this.#held.takeAll();
    if (headEnd === MALFORMED) {
      this.#refuse(400);
      return;
    }
    this.#isTaking = true;
    const at = this.#startRequest(head, whole, 0, headEnd, length);
    this.#take(whole, at, length);
  }

  #refuseIfTooLarge(hasRequestLine: boolean): void {
    const limit = hasRequestLine ? LARGEST_HEAD_BYTES : LARGEST_REQUEST_LINE_BYTES;
    if (this.#held.length > limit) this.#refuse(400);
  }

  #startRequest(head: RequestHead, bytes: Buffer, start: number, headEnd: number, end: number): number {
    this.#minorVersion = head.minorVersion;
    this.#hasServed = true;
    this.#exchange.isHead = head.isHead;
    const refusal = this.#refusalOf(head, headEnd - start);
    if (refusal !== 0) return this.#refuseRequest(refusal, head, bytes, end);
    this.#keepsAlive = head.minorVersion === 1 ? !head.hasConnectionClose : head.hasConnectionKeepAlive;
    this.#awaitsContinue = head.hasExpectContinue;
    this.#isAnswered = false;
    this.#body.begin(head, this.#context.limits.bodyBytes);
    const bodyEnd = this.#body.follow(bytes, headEnd, end);
    if (bodyEnd === -1) return this.#refuseRequest(this.#body.isTooLarge ? 413 : 400, head, bytes, end);
    this.#listener.counter.requests += 1;
    this.#send(head, bytes, bodyEnd);
    return bodyEnd;
  }

  #refusalOf(head: RequestHead, headBytes: number): number {
    const requestLineBytes = head.fieldsStart - head.start;
    if (headBytes > LARGEST_HEAD_BYTES || requestLineBytes > LARGEST_REQUEST_LINE_BYTES) return 400;
    if (head.forwardedForCount > MOST_FORWARDED_ADDRESSES) return 463;
    if (head.hasOddExpectation) return 417;
    return head.contentLength > this.#context.limits.bodyBytes ? 413 : 0;
  }

  #send(head: RequestHead, bytes: Buffer, bodyEnd: number): void {
    const isComplete = this.#body.isComplete;
    this.#phase = isComplete ? PHASE.answering : PHASE.body;
    const { clock, random, output } = this.#context;
    const group = this.#listener.pickGroup();
    if (group === undefined) {
      this.#logging.beginRefused(head, bytes);
      this.answer(503);
      return;
    }
    const host = this.#listener.host;
    const size = bodyEnd - head.start + FORWARDED_HEAD_GROWTH + this.#forwarding.all.length + host.length;
    output.reserve(size);
    let at = output.at;
    at = writeForwardedRequest(head, bytes, output.buffer, at, this.#forwarding, host, clock.now(), random);
    this.#logging.beginForwarded(head, bytes, output.buffer, output.at, at);
    if (bodyEnd > head.end) at += bytes.copy(output.buffer, at, head.end, bodyEnd);
    this.#exchange.begin(head, group);
    this.#exchange.isRequestComplete = isComplete;
    this.#exchange.start(output.take(at));
    if (!isComplete && this.#exchange.isConnecting) this.#pauseReading();
  }

  #takeBody(bytes: Buffer, at: number, end: number): number {
    const bodyEnd = this.#body.follow(bytes, at, end);
    if (bodyEnd === -1) return this.#failBody(end);
    this.#awaitsContinue = false;
    if (this.#body.isComplete) {
      if (this.#isAnswered) {
        this.#awaitNextRequest();
        return bodyEnd;
      }
      this.#phase = PHASE.answering;
      this.#exchange.isRequestComplete = true;
    }
    if (this.#isAnswered) return bodyEnd;
    if (!this.#exchange.sendBody(this.#context.output.copy(bytes, at, bodyEnd))) this.#pauseReading();
    return bodyEnd;
  }

  #failBody(end: number): number {
    const status = this.#body.isTooLarge ? 413 : 400;
    const hasBegun = this.#exchange.hasResponseBegun;
    const target = this.#exchange.upstream?.target;
    this.#exchange.abandon();
    if (hasBegun) this.cut();
    else this.#refuse(status, end, target);
    return end;
  }

  #takeTunnelBytes(bytes: Buffer, at: number, end: number): number {
    if (!this.#exchange.sendBody(this.#context.output.copy(bytes, at, end))) this.#pauseReading();
    return end;
  }

  writeResponseHead(head: ResponseHead, bytes: Buffer, bodyEnd: number, endsWithConnection: boolean): void {
    const unwraps = head.isChunked && this.#minorVersion === 0;
    if (endsWithConnection || unwraps || this.#isClosing || this.#context.isClosing) this.#keepsAlive = false;
    // Refused before it was sent, a body may or may not follow: nothing after it could be understood.
    if (this.#awaitsContinue && this.#phase === PHASE.body) this.#keepsAlive = false;
    if (unwraps) this.#beginUnwrapping(head, bytes);
    this.#logging.noteAnswer(this.#exchange.upstream?.target, head.status);
    const { output } = this.#context;
    output.reserve(bodyEnd - head.start + FORWARDED_HEAD_GROWTH);
    let at = writeForwardedResponse(head, bytes, output.buffer, output.at, this.#connectionField(head));
    if (bodyEnd > head.end && !unwraps) at += bytes.copy(output.buffer, at, head.end, bodyEnd);
    this.#write(output.take(at));
    if (unwraps) this.writeResponseBody(bytes, head.end, bodyEnd);
  }

  #connectionField(head: ResponseHead): ConnectionField {
    if (head.status === 101) return 'upgrade';
    if (!this.#keepsAlive) return 'close';
    return this.#minorVersion === 0 ? 'keep-alive' : 'none';
  }

  #beginUnwrapping(head: ResponseHead, bytes: Buffer): void {
    head.dropFraming(bytes);
    this.#unwraps = new ChunkedBody();
  }

  writeInterimResponse(head: ResponseHead, bytes: Buffer): void {
    if (this.#minorVersion === 0) return;
    if (head.status === 100) this.#awaitsContinue = false;
    const { output } = this.#context;
    output.reserve(head.end - head.start + FORWARDED_HEAD_GROWTH);
    this.#write(output.take(writeForwardedResponse(head, bytes, output.buffer, output.at, 'none')));
  }

  writeResponseBody(bytes: Buffer, start: number, end: number): void {
    const { output } = this.#context;
    if (this.#unwraps !== undefined) {
      this.#unwraps.advance(bytes, start, end, (from, to) => this.#write(output.copy(bytes, from, to)));
    } else if (end > start) this.#write(output.copy(bytes, start, end));
  }

  writeTunnelBytes(bytes: Buffer, start: number, end: number): void {
    this.#write(this.#context.output.copy(bytes, start, end));
  }

  finishResponse(): void {
    this.#unwraps = undefined;
    this.#logging.endAnswered();
    if (!this.#keepsAlive || this.#isClosing) this.#finishSocket();
    else if (this.#phase === PHASE.body) {
      this.#isAnswered = true;
      this.resumeReading();
    } else this.#awaitNextRequest();
  }

  /** Answers in a target's stead. The connection goes on if the whole request was read and understood. */
  answer(status: number, target?: Target): void {
    const mayGoOn =
      this.#phase === PHASE.answering && this.#keepsAlive && !this.#isClosing && !this.#context.isClosing;
    countStatus(this.#listener.counter.balancerResponses, status);
    this.#write(errorResponse(status, mayGoOn ? 'keep-alive' : 'close', this.#exchange.isHead));
    this.#logging.end(status, target);
    if (mayGoOn) this.#awaitNextRequest();
    else this.#finishSocket();
  }

  becomeTunnel(): void {
    this.#phase = PHASE.tunnel;
    this.#takeHeld();
    this.resumeReading();
  }

  endTunnel(): void {
    this.#socket.end();
  }

  breakOff(): void {
    if (this.#phase === PHASE.tunnel) this.#socket.destroySoon();
    else this.#socket.resetAndDestroy();
    this.#leave();
  }

  get isCongested(): boolean {
    return this.#socket.writableLength > UNSENT_HIGH_WATER_BYTES;
  }

  resumeReading(): void {
    if (!this.#isPaused || this.#phase === PHASE.closed || this.#held.length > MOST_HELD_BYTES) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  #awaitNextRequest(): void {
    this.#phase = PHASE.head;
    this.#takeHeld();
    this.resumeReading();
  }

  #onDrained(): void {
    this.#exchange.upstream?.resume();
    if (this.#phase === PHASE.head) this.#takeHeld();
  }

  #pauseReading(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  #refuseRequest(status: number, head: RequestHead, bytes: Buffer, end: number): number {
    this.#logging.beginRefused(head, bytes);
    return this.#refuse(status, end);
  }

  #refuse(status: number, end = 0, target?: Target): number {
    if (this.#phase === PHASE.head) this.#logging.beginUnreadable();
    this.#partialHead = undefined;
    this.#phase = PHASE.body;
    if (status === 400) this.#exchange.isHead = false;
    this.answer(status, target);
    return end;
  }

  #write(bytes: Buffer): void {
    this.#lastByteMs = this.#context.coarseNowMs;
    this.#listener.counter.processedBytes += bytes.length;
    this.#socket.write(bytes);
  }

  /** Sends what is unsent and our end, and reads on: closing at once would reset what the client has not read yet. */
  #finishSocket(): void {
    this.#phase = PHASE.lingering;
    this.#held.clear();
    this.#exchange.abandon();
    this.#socket.end();
    this.resumeReading();
  }

  /** The client sent its end. A request in flight is given up, as ALB does (460): nobody waits for its answer. */
  #onEnd(): void {
    if (this.#phase === PHASE.tunnel) this.#exchange.upstream?.endSending();
    else if (this.#phase === PHASE.lingering) this.#socket.destroySoon();
    else this.cut();
  }

  #onClosed(): void {
    if (this.#phase === PHASE.closed) return;
    this.#leave();
    this.#socket.destroy();
  }

  #leave(): void {
    if (this.#phase === PHASE.closed) return;
    if (
      (this.#phase === PHASE.body || this.#phase === PHASE.answering) &&
      this.#exchange.upstream !== undefined
    ) {
      this.#exchange.countAnswer(CLIENT_LEFT);
      countStatus(this.#listener.counter.balancerResponses, CLIENT_LEFT);
      this.#logging.end(CLIENT_LEFT, this.#exchange.upstream.target);
    } else this.#logging.endAnswered();
    this.#phase = PHASE.closed;
    this.#exchange.abandon();
    this.#held.clear();
    this.#listener.forget(this);
  }
}

/** IPv4 in IPv6 (`::ffff:127.0.0.1`) is told as IPv4, as every reader of X-Forwarded-For expects. */
function addressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
