import { ChunkedBody } from '../../wire/http/chunked-body.ts';
import { INCOMPLETE, MALFORMED } from '../../wire/http/message-head.ts';
import { ResponseHead } from '../../wire/http/response-head.ts';
import type { Socket } from '../../platform/network.ts';
import { connectSharedReads } from '../../platform/shared-reads.ts';
import { UNSENT_HIGH_WATER_BYTES, type ProxyContext } from './proxy-context.ts';
import type { Target } from './target.ts';

/**
 * Why a target gave no whole answer. `unreachable`: no connection was made; `connect-timeout`: none in time;
 * `closed`: it ended or broke; `malformed`: it spoke something else; `cut`: the deregistration delay ended.
 */
export type UpstreamFailure = 'unreachable' | 'connect-timeout' | 'closed' | 'malformed' | 'cut';

/** Who gets the answer on an upstream connection: the exchange that it is lent to. */
export interface ResponseReceiver {
  readonly isHead: boolean;
  readonly isUpgrade: boolean;
  readonly isRequestComplete: boolean;
  onConnected(): void;
  onInterimResponse(head: ResponseHead, bytes: Buffer): void;
  /** `bytes[head.end, bodyEnd)` is the part of the body that came along. `endsWithConnection`: it has no other end. */
  onResponseHead(head: ResponseHead, bytes: Buffer, bodyEnd: number, endsWithConnection: boolean): void;
  onResponseBody(bytes: Buffer, start: number, end: number): void;
  onResponseComplete(): void;
  onUpgraded(head: ResponseHead, bytes: Buffer, end: number): void;
  onTunnelBytes(bytes: Buffer, start: number, end: number): void;
  onTunnelEnd(): void;
  onDrained(): void;
  onFailure(failure: UpstreamFailure): void;
}

const PHASE = { head: 0, length: 1, chunked: 2, untilClose: 3, tunnel: 4 } as const;
type Phase = (typeof PHASE)[keyof typeof PHASE];

/** ALB takes no larger response head than this. */
const LARGEST_HEAD_BYTES = 32_768;
/** Without a word from the target about it, an idle connection this old may be about to be closed. */
const FRESH_MS = 1_000;
/** How much earlier than the target says we stop to use a connection, for what is on its way. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
/** Longest wait for a request that no target's own time limit ends. */
const LONGEST_IDLE_MS = 60_000;

/** Heads are read at once and never kept, so one object is enough for all connections. */
const head = new ResponseHead();

/** One connection to a target. It is lent to one exchange at a time, reads its answer, and goes back to the pool. */
export class UpstreamConnection {
  readonly target: Target;
  receiver: ResponseReceiver | undefined;
  isConnected = false;
  /** It has served a request before: that it breaks may only mean that the target had closed it. */
  wasUsed = false;
  /** Anything of the current answer has arrived. */
  hasAnswered = false;
  readonly #socket: Socket;
  readonly #context: ProxyContext;
  #phase: Phase = PHASE.head;
  #remaining = 0;
  #chunked: ChunkedBody | undefined;
  /** The first part of a head that did not arrive at once. */
  #held: Buffer | undefined;
  #isPersistent = true;
  #keepAliveMs = -1;
  #idleSinceMs = 0;
  #isPaused = false;
  #isLent = false;
  #isDestroyed = false;

  constructor(target: Target, context: ProxyContext) {
    this.target = target;
    this.#context = context;
    this.#socket = connectSharedReads(target, (bytes, length) => this.#receive(bytes, length));
    this.#socket.on('connect', () => {
      this.isConnected = true;
      this.receiver?.onConnected();
    });
    this.#socket.on('drain', () => this.receiver?.onDrained());
    this.#socket.on('end', () => this.#end());
    this.#socket.on('error', () => this.fail(this.isConnected ? 'closed' : 'unreachable'));
    this.#socket.on('close', () => this.fail('closed'));
  }

  /** Lends this connection to an exchange. */
  lend(receiver: ResponseReceiver): void {
    this.receiver = receiver;
    this.#isLent = true;
    this.hasAnswered = false;
    this.#phase = PHASE.head;
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  get isCongested(): boolean {
    return this.#socket.writableLength > UNSENT_HIGH_WATER_BYTES;
  }

  endSending(): void {
    this.#socket.end();
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused || this.#isDestroyed) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  /** Whether a waiting connection may be given another request. */
  isUsable(nowMs: number, mayBeStale: boolean): boolean {
    const idleMs = nowMs - this.#idleSinceMs;
    if (this.#keepAliveMs >= 0) return idleMs < this.#keepAliveMs - KEEP_ALIVE_MARGIN_MS;
    return idleMs < (mayBeStale ? LONGEST_IDLE_MS : FRESH_MS);
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.receiver = undefined;
    this.target.forget(this);
    this.#socket.destroy();
    if (this.#isLent) this.#giveBack(false);
  }

  /** Gives the connection up, and tells the exchange that has it. */
  fail(failure: UpstreamFailure): void {
    if (this.#isDestroyed) return;
    const { receiver } = this;
    this.destroy();
    receiver?.onFailure(failure);
  }

  #receive(bytes: Buffer, length: number): void {
    const { receiver } = this;
    // Nobody asked: whatever this is, it must not become the next request's answer.
    if (receiver === undefined) return this.destroy();
    this.hasAnswered = true;
    if (this.#phase === PHASE.head) this.#receiveHead(receiver, bytes, length);
    else if (this.#phase === PHASE.tunnel) receiver.onTunnelBytes(bytes, 0, length);
    else this.#receiveBody(receiver, bytes, length);
  }

  #receiveHead(receiver: ResponseReceiver, bytes: Buffer, end: number): void {
    if (this.#held !== undefined) {
      bytes = Buffer.concat([this.#held, bytes.subarray(0, end)]);
      end = bytes.length;
      this.#held = undefined;
    }
    let at = 0;
    for (;;) {
      head.reset();
      const headEnd = head.parse(bytes, at, end);
      const size = (headEnd === INCOMPLETE ? end : headEnd) - at;
      if (headEnd === MALFORMED || size > LARGEST_HEAD_BYTES) return this.fail('malformed');
      if (headEnd === INCOMPLETE) {
        this.#held = Buffer.from(bytes.subarray(at, end));
        return;
      }
      if (head.status === 101) return this.#upgrade(receiver, bytes, end);
      if (!head.isInterim) return this.#receiveFinalHead(receiver, bytes, end);
      receiver.onInterimResponse(head, bytes);
      if (headEnd === end) return;
      at = headEnd;
    }
  }

  #upgrade(receiver: ResponseReceiver, bytes: Buffer, end: number): void {
    if (!receiver.isUpgrade) return this.fail('malformed');
    this.#phase = PHASE.tunnel;
    receiver.onUpgraded(head, bytes, end);
  }

  #receiveFinalHead(receiver: ResponseReceiver, bytes: Buffer, end: number): void {
    this.#isPersistent = head.minorVersion === 1 ? !head.hasConnectionClose : head.hasConnectionKeepAlive;
    this.#keepAliveMs = head.keepAliveTimeoutMs;
    this.#setFraming(receiver.isHead);
    const bodyEnd = this.#takeBody(bytes, head.end, end);
    if (bodyEnd === -1) return this.fail('malformed');
    receiver.onResponseHead(head, bytes, bodyEnd, this.#phase === PHASE.untilClose);
    if (this.#isComplete()) this.#complete(receiver, bodyEnd === end);
  }

  /** RFC 9112 section 6.3. */
  #setFraming(isHead: boolean): void {
    this.#remaining = 0;
    if (isHead || head.status === 204 || head.status === 304) this.#phase = PHASE.length;
    else if (head.isChunked) {
      this.#phase = PHASE.chunked;
      this.#chunked ??= new ChunkedBody();
      this.#chunked.reset();
    } else if (head.contentLength >= 0) {
      this.#phase = PHASE.length;
      this.#remaining = head.contentLength;
    } else {
      this.#phase = PHASE.untilClose;
      this.#isPersistent = false;
    }
  }

  #receiveBody(receiver: ResponseReceiver, bytes: Buffer, end: number): void {
    const bodyEnd = this.#takeBody(bytes, 0, end);
    if (bodyEnd === -1) return this.fail('malformed');
    receiver.onResponseBody(bytes, 0, bodyEnd);
    // The client may have gone while it was written to.
    if (this.receiver === receiver && this.#isComplete()) this.#complete(receiver, bodyEnd === end);
  }

  /** How far the body goes in `bytes[start, end)`; -1 where its framing is broken. */
  #takeBody(bytes: Buffer, start: number, end: number): number {
    if (this.#phase === PHASE.length) {
      const length = Math.min(this.#remaining, end - start);
      this.#remaining -= length;
      return start + length;
    }
    if (this.#phase === PHASE.untilClose) return end;
    const bodyEnd = this.#chunked!.advance(bytes, start, end);
    return this.#chunked!.hasFailed ? -1 : bodyEnd;
  }

  #isComplete(): boolean {
    return this.#phase === PHASE.length
      ? this.#remaining === 0
      : this.#phase === PHASE.chunked && this.#chunked!.isDone;
  }

  #complete(receiver: ResponseReceiver, isExact: boolean): void {
    if (this.receiver !== receiver) return;
    const isAllSent = receiver.isRequestComplete && this.#socket.writableLength === 0;
    const isReusable = this.#isPersistent && isExact && isAllSent;
    this.receiver = undefined;
    this.wasUsed = true;
    this.#idleSinceMs = this.#context.clock.monotonicMs();
    // A client that was too slow for the last bytes must not stop the next one's answer.
    this.resume();
    this.#giveBack(isReusable);
    receiver.onResponseComplete();
  }

  #giveBack(isReusable: boolean): void {
    this.#isLent = false;
    this.target.release(this, isReusable);
  }

  #end(): void {
    const { receiver } = this;
    if (receiver === undefined) return this.destroy();
    if (this.#phase === PHASE.tunnel) receiver.onTunnelEnd();
    else if (this.#phase === PHASE.untilClose) this.#complete(receiver, false);
    else this.fail('closed');
  }
}
