import { takeWeightedTurn } from '../../control/health/weighted-turn.ts';
import { systemErrorCode, TandemError } from '../../core/error.ts';
import { createTcpServer, type Server } from '../../platform/network.ts';
import { ClientConnection } from './client-connection.ts';
import type { Listener } from './contract.ts';
import { ListenerCounter } from './counters.ts';
import type { ProxyContext } from './proxy-context.ts';
import type { RunningTargetGroup } from './target-group.ts';

/** Connections that wait to be accepted; Linux caps it at net.core.somaxconn. */
const BACKLOG = 4_096;

/**
 * A listener at work. Its address, port and sharing are for life; its name and where it forwards to change under its
 * connections, so that a client's connection outlives every configuration.
 */
export class RunningListener {
  readonly address: string;
  readonly port: number;
  readonly #isShared: boolean;
  /** The Host of an HTTP/1.0 request that has none. */
  readonly host: string;
  readonly counter = new ListenerCounter();
  name = '';
  readonly #server: Server;
  readonly #context: ProxyContext;
  readonly #clients = new Set<ClientConnection>();
  #groups: readonly RunningTargetGroup[] = [];
  #weights: readonly number[] = [];
  #credits: number[] = [];

  constructor(endpoint: Pick<Listener, 'address' | 'port' | 'isShared'>, context: ProxyContext) {
    this.address = endpoint.address;
    this.port = endpoint.port;
    this.#isShared = endpoint.isShared ?? false;
    this.host = `${endpoint.address}:${endpoint.port}`;
    this.#context = context;
    this.#server = createTcpServer({ allowHalfOpen: true, noDelay: true }, socket => {
      this.#clients.add(new ClientConnection(socket, this, context));
      this.counter.newConnections += 1;
      this.counter.activeConnections += 1;
    });
  }

  /** Starts listening; rejects with LISTENER_UNAVAILABLE. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', error => reject(listenerUnavailable(this.host, error)));
      const { address: host, port } = this;
      this.#server.listen({ host, port, backlog: BACKLOG, reusePort: this.#isShared }, () => {
        this.#server.removeAllListeners('error');
        // Accepting fails for a while where the process is out of file descriptors; the listener goes on.
        this.#server.on('error', () => undefined);
        resolve();
      });
    });
  }

  forward(settings: Listener, groupOf: (name: string) => RunningTargetGroup): void {
    this.name = settings.name;
    const positive = settings.forward.filter(({ weight }) => weight > 0);
    const groups = positive.map(({ targetGroup }) => groupOf(targetGroup));
    const weights = positive.map(({ weight }) => weight);
    const isUnchanged =
      groups.length === this.#groups.length &&
      groups.every(
        (group, index) => group === this.#groups[index] && weights[index] === this.#weights[index],
      );
    if (isUnchanged) return;
    this.#groups = groups;
    this.#weights = weights;
    this.#credits = [];
  }

  /** The target group of the next request; `undefined` where no weight is positive. */
  pickGroup(): RunningTargetGroup | undefined {
    if (this.#groups.length <= 1) return this.#groups[0];
    return this.#groups[takeWeightedTurn(this.#credits, this.#weights)];
  }

  forget(client: ClientConnection): void {
    if (this.#clients.delete(client)) this.counter.activeConnections -= 1;
  }

  sweep(): void {
    for (const client of this.#clients) client.sweep(this.#context.coarseNowMs);
  }

  /** Takes no more connections, and ends each one as soon as nothing is in flight on it; resolves when all have ended. */
  close(): Promise<void> {
    return new Promise(resolve => {
      this.#server.close(() => resolve());
      for (const client of this.#clients) client.closeWhenIdle();
    });
  }

  cut(): void {
    for (const client of this.#clients) client.cut();
  }
}

function listenerUnavailable(host: string, cause: Error): TandemError {
  const code = systemErrorCode(cause);
  const what =
    code === 'EADDRINUSE'
      ? 'another program listens there; stop it or choose another port'
      : code === 'EACCES'
        ? 'this user may not use that port; choose one above 1023'
        : code === 'ENOTSUP'
          ? 'this system does not let several processes share a port; set local.balancerProcesses to 1'
          : `${cause.message}; choose an address of this machine`;
  return new TandemError('LISTENER_UNAVAILABLE', `The load balancer cannot listen on ${host}: ${what}.`, {
    data: { listener: host, systemCode: code },
    cause,
  });
}
