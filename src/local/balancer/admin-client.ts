import { TandemError } from '../../core/error.ts';
import { httpRequest, type ClientRequest, type IncomingMessage } from '../../platform/network.ts';
import {
  BATCH_NUMBER_FIELD,
  type AdminError,
  type RequestsRequest,
  type Snapshot,
} from './admin-messages.ts';
import type { BalancerConfig } from './contract.ts';

/** An order takes milliseconds; a process that needs this long hangs. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Gives orders to a balancer process. Rejects with a `TandemError` for a refusal, with the system's error else. */
export class AdminClient {
  readonly #socketPath: string;
  #stream: ClientRequest | undefined;
  #requests: ClientRequest | undefined;
  #isClosed = false;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  apply(config: BalancerConfig): Promise<Snapshot> {
    return this.#ask('PUT', '/config', config) as Promise<Snapshot>;
  }

  state(): Promise<Snapshot> {
    return this.#ask('GET', '/state') as Promise<Snapshot>;
  }

  async shutDown(graceMs: number): Promise<void> {
    await this.#ask('POST', '/shutdown', { graceMs });
  }

  /** Calls back with every snapshot, the first at once; resolves when the process is gone or `close` was called. */
  follow(onSnapshot: (snapshot: Snapshot) => void): Promise<void> {
    return new Promise(resolve => {
      const request = httpRequest({ socketPath: this.#socketPath, path: '/stream', agent: false });
      this.#stream = request;
      request.on('error', () => undefined);
      request.on('close', () => resolve());
      request.on('response', response => {
        response.on('error', () => undefined);
        readLines(response, line => onSnapshot(JSON.parse(line) as Snapshot));
      });
      request.end();
    });
  }

  /**
   * The batch of the request log after the one that was stored, however long it takes to come; `undefined` when the process is
   * gone or `close` was called, and from a process of a version that logs no requests.
   */
  nextRequests(stored: number): Promise<{ number: number; lines: string } | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    return new Promise(resolve => {
      const request = httpRequest({
        socketPath: this.#socketPath,
        method: 'POST',
        path: '/requests',
        agent: false,
      });
      this.#requests = request;
      request.on('error', () => undefined);
      request.on('close', () => resolve(undefined));
      request.on('response', response => {
        const number = Number(response.headers[BATCH_NUMBER_FIELD] ?? 0);
        readAll(response).then(
          lines => resolve(response.statusCode === 200 ? { number, lines } : undefined),
          () => undefined,
        );
      });
      request.end(JSON.stringify({ stored } satisfies RequestsRequest));
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.destroy();
    this.#requests?.destroy();
  }

  #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        socketPath: this.#socketPath,
        method,
        path,
        agent: false,
        timeout: ANSWER_TIMEOUT_MS,
      });
      request.on('timeout', () => request.destroy(new Error('the load balancer process does not answer')));
      request.on('error', reject);
      request.on('response', response => {
        readAll(response).then(text => resolve(toResult(response.statusCode ?? 0, text)), reject);
      });
      request.end(body === undefined ? undefined : JSON.stringify(body));
    }).then(result => {
      if (result instanceof TandemError) throw result;
      return result;
    });
  }
}

function toResult(status: number, text: string): unknown {
  if (status < 300) return JSON.parse(text) as unknown;
  const { code, message, data } = JSON.parse(text) as AdminError;
  return new TandemError(code, message, { data });
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function readLines(response: IncomingMessage, onLine: (line: string) => void): void {
  let rest = '';
  response.setEncoding('utf8');
  response.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
  });
}
