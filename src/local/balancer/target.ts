import { drainingTarget, registeredTarget, type HealthRecord } from '../../control/health/target-health.ts';
import type { TargetStatus } from './contract.ts';
import type { ProxyContext } from './proxy-context.ts';
import { UpstreamConnection } from './upstream-connection.ts';

export interface TargetAddress {
  id: string;
  address: string;
  port: number;
}

/**
 * Where requests go: one address, its health, and the connections to it. Connections that wait for a request are
 * used last in, first out, so that the surplus of a burst grows old and is closed.
 */
export class Target {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  record: HealthRecord = registeredTarget();
  /** Requests and tunnels in flight. */
  outstanding = 0;
  isDraining = false;
  /** Called when the last request of a draining target has ended. */
  onIdle: (() => void) | undefined;
  readonly #idle: UpstreamConnection[] = [];
  readonly #connections = new Set<UpstreamConnection>();
  readonly #context: ProxyContext;

  constructor({ id, address, port }: TargetAddress, context: ProxyContext) {
    this.id = id;
    this.address = address;
    this.port = port;
    this.#context = context;
  }

  /**
   * A connection for one request. One that has waited is not given to a request that could not be repeated
   * (`mayReuseStale` false) once the target may be closing it at this moment.
   */
  acquire(nowMs: number, mayReuseStale: boolean, mustBeFresh: boolean): UpstreamConnection {
    this.outstanding += 1;
    const latest = mustBeFresh ? undefined : this.#idle.at(-1);
    // The one used last has waited the shortest: if it will not do, no other will.
    if (latest?.isUsable(nowMs, mayReuseStale)) return this.#idle.pop()!;
    const connection = new UpstreamConnection(this, this.#context);
    this.#connections.add(connection);
    return connection;
  }

  /** The request on `connection` has ended; `isReusable` says whether another may follow on it. */
  release(connection: UpstreamConnection, isReusable: boolean): void {
    this.outstanding -= 1;
    if (isReusable && !this.isDraining && !this.#context.isClosing) this.#idle.push(connection);
    else connection.destroy();
    if (this.outstanding === 0 && this.isDraining) this.onIdle?.();
  }

  /** Called once a connection is closed, whoever closed it. */
  forget(connection: UpstreamConnection): void {
    this.#connections.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
  }

  /** Closes connections that have waited too long; the oldest are at the front. */
  sweep(nowMs: number): void {
    while (this.#idle.length > 0 && !this.#idle[0]!.isUsable(nowMs, true)) this.#idle.shift()!.destroy();
  }

  startDraining(): void {
    this.isDraining = true;
    this.record = drainingTarget(this.record);
    this.closeIdle();
  }

  /** Listed again while draining: registered as new; what is in flight goes on. */
  register(): void {
    this.isDraining = false;
    this.record = registeredTarget();
  }

  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** Ends everything, requests in flight too: the deregistration delay is over. */
  cut(): void {
    for (const connection of this.#connections) connection.fail('cut');
  }

  status(): TargetStatus {
    return { id: this.id, health: this.record.health, outstanding: this.outstanding };
  }
}
