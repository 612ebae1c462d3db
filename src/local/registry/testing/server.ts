import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Instant } from '../../../core/instant.ts';
import type { ConfigInput } from '../../../model/config/schema.ts';
import { systemClock, type Clock } from '../../../platform/clock.ts';
import { openDatabase } from '../../../platform/database.ts';
import { mkdirSync, mkdtemp, rm, tmpdir } from '../../../platform/files.ts';
import {
  createHttpServer,
  httpRequest,
  listen,
  type HttpServer,
  type IncomingMessage,
} from '../../../platform/network.ts';
import type { ServiceContext } from '../../context.ts';
import { testContext } from '../../testing/context.ts';
import type { Registry } from '../contract.ts';
import { REGISTRY_LIMITS, type RegistryLimits } from '../limits.ts';
import { createRegistry } from '../registry.ts';
import type { Content, TestImage } from './image.ts';

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** A region's registry behind a real HTTP server, on a folder of its own that outlives restarts. */
export class RegistryServer {
  readonly folder: string;
  readonly context: ServiceContext;
  readonly registry: Registry;
  readonly #server: HttpServer;
  #port = 0;

  private constructor(folder: string, context: ServiceContext, registry: Registry) {
    this.folder = folder;
    this.context = context;
    this.registry = registry;
    this.#server = createHttpServer((request, response) => {
      if (registry.handle(request, response)) return;
      response.writeHead(418);
      response.end('not the registry’s');
    });
  }

  static async start(
    options: {
      folder?: string;
      clock?: Clock;
      limits?: Partial<RegistryLimits>;
      config?: Partial<ConfigInput>;
    } = {},
  ): Promise<RegistryServer> {
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tandem-registry-')));
    mkdirSync(join(folder, 'us-east-1'), { recursive: true });
    const context = testContext(folder, {
      database: openDatabase(join(folder, 'us-east-1', 'region.db'), { durability: 'normal' }),
      clock: options.clock ?? systemClock,
      ...(options.config ? { config: options.config } : {}),
    });
    const registry = createRegistry(context, { ...REGISTRY_LIMITS, ...options.limits });
    const server = new RegistryServer(folder, context, registry);
    await registry.start();
    server.#port = await listen(server.#server, { address: '127.0.0.1', port: 0 });
    return server;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get endpoint(): string {
    return `http://${this.host}`;
  }

  /** Stops, keeping the folder: `start({ folder })` goes on with it. */
  async stop(): Promise<void> {
    await this.registry.stop();
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
    this.context.database.close();
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  send(
    method: string,
    path: string,
    options: { headers?: Record<string, string | number>; body?: Uint8Array | string } = {},
  ): Promise<Answer> {
    return sendTo(this.endpoint, path, method, options);
  }

  async pushBlob(repository: string, content: Content): Promise<void> {
    const answer = await this.send('POST', `/v2/${repository}/blobs/uploads/?digest=${content.digest}`, {
      body: content.bytes,
    });
    if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.body.toString()}`);
  }

  putManifest(repository: string, reference: string, content: Content): Promise<Answer> {
    return this.send('PUT', `/v2/${repository}/manifests/${reference}`, {
      headers: { 'content-type': content.mediaType },
      body: content.bytes,
    });
  }

  /** Blobs, then the manifest under each reference (a tag, or its digest). */
  async push(repository: string, image: TestImage, ...references: string[]): Promise<void> {
    for (const blob of [image.config, ...image.layers]) await this.pushBlob(repository, blob);
    for (const reference of references.length > 0 ? references : [image.manifest.digest]) {
      const answer = await this.putManifest(repository, reference, image.manifest);
      if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.body.toString()}`);
    }
  }
}

export function sendTo(
  endpoint: string,
  path: string,
  method: string,
  options: { headers?: Record<string, string | number>; body?: Uint8Array | string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(endpoint);
    const isChunked = options.headers?.['transfer-encoding'] !== undefined;
    const length =
      options.body === undefined || isChunked ? {} : { 'content-length': Buffer.byteLength(options.body) };
    const headers = { ...length, ...options.headers };
    const request = httpRequest({ hostname, port, path, method, headers, agent: false });
    request.on('error', reject);
    request.on('response', response => {
      buffer(response).then(
        body => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        reject,
      );
    });
    request.end(options.body);
  });
}

/** Error codes of an answer. */
export function codesOf(answer: Answer): string[] {
  const { errors } = JSON.parse(answer.body.toString()) as { errors: { code: string; message: string }[] };
  return errors.map(error => error.code);
}

export interface MovableClock extends Clock {
  advance(ms: number): void;
  /** Calls back every periodic timer now. */
  tick(): void;
}

/** The system's clock, moved forward by hand; its periodic timers go off by hand. */
export function movableClock(): MovableClock {
  let ahead = 0;
  const periodic = new Set<() => void>();
  return {
    ...systemClock,
    now: (): Instant => systemClock.now() + ahead,
    every(_periodMs, callback) {
      periodic.add(callback);
      return { cancel: () => periodic.delete(callback) };
    },
    advance(ms) {
      ahead += ms;
    },
    tick() {
      for (const callback of periodic) callback();
    },
  };
}
