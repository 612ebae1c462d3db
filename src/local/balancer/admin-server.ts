import { errorMessage, TandemError } from '../../core/error.ts';
import type { Clock } from '../../platform/clock.ts';
import { chmodSync } from '../../platform/files.ts';
import { createHttpServer, type IncomingMessage, type ServerResponse } from '../../platform/network.ts';
import {
  BATCH_NUMBER_FIELD,
  type AdminError,
  type RequestsRequest,
  type ShutdownRequest,
  type Snapshot,
  type View,
} from './admin-messages.ts';
import type { BalancerConfig } from './contract.ts';
import type { RequestBatch } from './request-log.ts';

/** Counters and outstanding requests are told this often while they change… */
const TELL_MS = 250;
/** …and every so many times in any case: silence says that the process hangs. */
const TELLS_PER_HEARTBEAT = 4;
/** A follower that reads nothing is told nothing more until it does; the latest is all that it needs. */
const MOST_UNREAD_BYTES = 1_048_576;

/** The orders that the region process gives. */
export interface AdminOrders {
  apply(config: BalancerConfig): Promise<void>;
  view(): View;
  /** The next batch of the request log after the one that was stored, once there is one. */
  nextRequests(stored: number): Promise<RequestBatch>;
  shutDown(graceMs: number): void;
}

/** Takes orders over HTTP on a Unix socket that only this user may open, and tells followers what changes. */
export class AdminServer {
  readonly #orders: AdminOrders;
  readonly #followers = new Set<ServerResponse>();
  #lastTold = '';
  #ticks = 0;
  #sequence = 0;
  readonly #server = createHttpServer((request, response) => {
    this.#handle(request, response).catch((error: unknown) => answerError(response, error));
  });

  constructor(orders: AdminOrders, clock: Clock) {
    this.#orders = orders;
    clock.every(TELL_MS, () => this.#tick());
  }

  listen(socketPath: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socketPath, () => {
        chmodSync(socketPath, 0o600);
        resolve();
      });
    });
  }

  /** Tells all followers how things are now. */
  tell(): void {
    if (this.#followers.size === 0) return;
    const view = this.#orders.view();
    this.#lastTold = JSON.stringify(view);
    const line = `${JSON.stringify(this.#numbered(view))}\n`;
    for (const follower of this.#followers) {
      if (follower.writableLength < MOST_UNREAD_BYTES) follower.write(line);
    }
  }

  #tick(): void {
    if (this.#followers.size === 0) return;
    this.#ticks += 1;
    const isHeartbeat = this.#ticks % TELLS_PER_HEARTBEAT === 0;
    if (isHeartbeat || JSON.stringify(this.#orders.view()) !== this.#lastTold) this.tell();
  }

  #numbered(view: View): Snapshot {
    this.#sequence += 1;
    return { sequence: this.#sequence, ...view };
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (`${request.method} ${request.url}`) {
      case 'PUT /config':
        await this.#orders.apply((await readJson(request)) as BalancerConfig);
        answer(response, 200, this.#numbered(this.#orders.view()));
        return;
      case 'GET /state':
        answer(response, 200, this.#numbered(this.#orders.view()));
        return;
      case 'GET /stream':
        this.#follow(response);
        return;
      case 'POST /requests': {
        const { stored } = (await readJson(request)) as RequestsRequest;
        const { number, lines } = await this.#orders.nextRequests(stored);
        response.writeHead(200, { 'Content-Type': 'text/plain', [BATCH_NUMBER_FIELD]: number });
        response.end(lines);
        return;
      }
      case 'POST /shutdown': {
        const { graceMs } = (await readJson(request)) as ShutdownRequest;
        answer(response, 202, {});
        this.#orders.shutDown(graceMs);
        return;
      }
      default:
        answer(response, 404, {});
    }
  }

  #follow(response: ServerResponse): void {
    response.on('error', () => undefined);
    response.on('close', () => this.#followers.delete(response));
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    response.write(`${JSON.stringify(this.#numbered(this.#orders.view()))}\n`);
    this.#followers.add(response);
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

function answerError(response: ServerResponse, error: unknown): void {
  const sent: AdminError =
    error instanceof TandemError
      ? { code: error.code, message: error.message, data: error.data }
      : { code: 'BALANCER_FAILED', message: `The load balancer failed: ${errorMessage(error)}.`, data: {} };
  answer(response, 409, sent);
}
