import type { RequestHead } from '../../wire/http/request-head.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import { countStatus } from './counters.ts';
import type { ProxyContext } from './proxy-context.ts';
import type { Target } from './target.ts';
import type { RunningTargetGroup } from './target-group.ts';
import type { ResponseReceiver, UpstreamConnection, UpstreamFailure } from './upstream-connection.ts';

/** The most of a request that is kept to be sent again. */
const LARGEST_REPLAY_BYTES = 65_536;
/** ALB gives a target 10 s to take a connection. */
const CONNECT_TIMEOUT_MS = 10_000;

/** What an exchange needs of the client's connection. */
export interface ExchangeClient {
  /** Passes a head on, with the part of the body in `bytes[head.end, bodyEnd)`. */
  writeResponseHead(head: ResponseHead, bytes: Buffer, bodyEnd: number, endsWithConnection: boolean): void;
  writeInterimResponse(head: ResponseHead, bytes: Buffer): void;
  writeResponseBody(bytes: Buffer, start: number, end: number): void;
  writeTunnelBytes(bytes: Buffer, start: number, end: number): void;
  finishResponse(): void;
  /** Answers in the target's stead (`target`, where one had the request); only while nothing has been answered. */
  answer(status: number, target?: Target): void;
  becomeTunnel(): void;
  endTunnel(): void;
  /** Breaks the connection, so that a cut answer is not taken for a whole one. */
  breakOff(): void;
  resumeReading(): void;
  readonly isCongested: boolean;
}

/**
 * One request on its way through: which target has it, what was sent (while it may have to be sent again), and
 * what comes back. A client connection has one exchange at a time and uses the same object for all of them.
 *
 * What goes to another target (RFC 9110 section 9.2.2, and what ALB does): a request that was never sent because
 * no connection was made, whatever its method; and an idempotent one that got no byte of an answer, as long as
 * all of it is still here. A connection that had waited in the pool and broke proves nothing about its target,
 * so that target is tried once more on a new connection.
 */
export class Exchange implements ResponseReceiver {
  isHead = false;
  isUpgrade = false;
  isRequestComplete = false;
  hasResponseBegun = false;
  upstream: UpstreamConnection | undefined;
  readonly #client: ExchangeClient;
  readonly #context: ProxyContext;
  #group: RunningTargetGroup | undefined;
  #isIdempotent = false;
  /** All that was sent, or `undefined` once it cannot be sent again. */
  #firstBytes: Buffer | undefined;
  #moreBytes: Buffer[] | undefined;
  #keptBytes = 0;
  #tried: Set<Target> | undefined;
  #mustBeFresh = false;
  #startedMs = 0;
  #connectingSinceMs = 0;

  constructor(client: ExchangeClient, context: ProxyContext) {
    this.#client = client;
    this.#context = context;
  }

  /** Takes over a request's facts; `send` then starts it. */
  begin(head: RequestHead, group: RunningTargetGroup): void {
    this.isHead = head.isHead;
    this.isUpgrade = head.isUpgrade;
    this.#isIdempotent = head.isIdempotent;
    this.hasResponseBegun = false;
    this.#group = group;
    this.#tried = undefined;
    this.#mustBeFresh = false;
    this.#moreBytes = undefined;
    this.#startedMs = this.#context.clock.monotonicMs();
    group.counter.requests += 1;
  }

  /** Sends the head, and what of the body came along with it. */
  start(bytes: Buffer): void {
    this.#firstBytes = bytes;
    this.#keptBytes = bytes.length;
    this.#assign(503);
  }

  /** Sends a further part of the body. Returns false while the target takes no more. */
  sendBody(bytes: Buffer): boolean {
    if (this.#firstBytes !== undefined) this.#keepForReplay(bytes);
    const { upstream } = this;
    if (upstream === undefined) return true;
    upstream.send(bytes);
    return !upstream.isCongested;
  }

  /** While the connection is being made, no more of the body is read: all of it can still go elsewhere. */
  get isConnecting(): boolean {
    return this.upstream !== undefined && !this.upstream.isConnected;
  }

  get hasConnectTimedOut(): boolean {
    return this.isConnecting && this.#context.coarseNowMs - this.#connectingSinceMs > CONNECT_TIMEOUT_MS;
  }

  /** The client has gone, or was answered otherwise: the target need not go on. */
  abandon(): void {
    const { upstream } = this;
    this.#end();
    upstream?.destroy();
  }

  countAnswer(status: number): void {
    if (this.#group !== undefined) countStatus(this.#group.counter.balancerResponses, status);
  }

  onConnected(): void {
    this.#client.resumeReading();
  }

  onDrained(): void {
    this.#client.resumeReading();
  }

  onInterimResponse(head: ResponseHead, bytes: Buffer): void {
    this.#client.writeInterimResponse(head, bytes);
  }

  onResponseHead(head: ResponseHead, bytes: Buffer, bodyEnd: number, endsWithConnection: boolean): void {
    this.#countResponse(head.status);
    this.#client.writeResponseHead(head, bytes, bodyEnd, endsWithConnection);
    if (this.#client.isCongested) this.upstream?.pause();
  }

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    this.#client.writeResponseBody(bytes, start, end);
    if (this.#client.isCongested) this.upstream?.pause();
  }

  onResponseComplete(): void {
    this.#end();
    this.#client.finishResponse();
  }

  onUpgraded(head: ResponseHead, bytes: Buffer, end: number): void {
    this.#countResponse(head.status);
    this.#client.writeResponseHead(head, bytes, end, false);
    this.#client.becomeTunnel();
  }

  onTunnelBytes(bytes: Buffer, start: number, end: number): void {
    this.#client.writeTunnelBytes(bytes, start, end);
    if (this.#client.isCongested) this.upstream?.pause();
  }

  onTunnelEnd(): void {
    this.#client.endTunnel();
  }

  onFailure(failure: UpstreamFailure): void {
    const { upstream } = this;
    this.upstream = undefined;
    if (upstream === undefined) return;
    if (!upstream.isConnected && this.#group !== undefined) this.#group.counter.connectionErrors += 1;
    if (this.hasResponseBegun) {
      this.#end();
      this.#client.breakOff();
      return;
    }
    const status = failure === 'connect-timeout' ? 504 : 502;
    if (!this.#mayGoElsewhere(failure, upstream)) {
      this.#refuse(status, upstream.target);
      return;
    }
    if (upstream.wasUsed && upstream.isConnected) this.#mustBeFresh = true;
    else (this.#tried ??= new Set()).add(upstream.target);
    this.#assign(status, upstream.target);
  }

  #mayGoElsewhere(failure: UpstreamFailure, upstream: UpstreamConnection): boolean {
    if (this.#firstBytes === undefined || failure === 'malformed' || failure === 'cut') return false;
    return !upstream.isConnected || (this.#isIdempotent && !this.isUpgrade && !upstream.hasAnswered);
  }

  /** Gives the request to the next target; `status` is the answer where there is none, after `last` had it. */
  #assign(status: number, last?: Target): void {
    const nowMs = this.#startedMs;
    const target = this.#group!.pick(nowMs, this.#tried);
    if (target === undefined) {
      this.#refuse(status, last);
      return;
    }
    const mayReuseStale = this.#isIdempotent && !this.isUpgrade;
    const upstream = target.acquire(nowMs, mayReuseStale, this.#mustBeFresh);
    this.upstream = upstream;
    upstream.lend(this);
    if (!upstream.isConnected) this.#connectingSinceMs = this.#context.coarseNowMs;
    upstream.send(this.#firstBytes!);
    if (this.#moreBytes !== undefined) for (const bytes of this.#moreBytes) upstream.send(bytes);
  }

  #keepForReplay(bytes: Buffer): void {
    this.#keptBytes += bytes.length;
    if (this.#isIdempotent && this.#keptBytes <= LARGEST_REPLAY_BYTES) (this.#moreBytes ??= []).push(bytes);
    else {
      this.#firstBytes = undefined;
      this.#moreBytes = undefined;
    }
  }

  #countResponse(status: number): void {
    this.hasResponseBegun = true;
    this.#firstBytes = undefined;
    this.#moreBytes = undefined;
    this.#group!.counter.countResponse(status, this.#context.clock.monotonicMs() - this.#startedMs);
  }

  #refuse(status: number, target: Target | undefined): void {
    this.countAnswer(status);
    this.#end();
    this.#client.answer(status, target);
  }

  #end(): void {
    this.upstream = undefined;
    this.#firstBytes = undefined;
    this.#moreBytes = undefined;
  }
}
