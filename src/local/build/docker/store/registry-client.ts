import { pipeline } from 'node:stream/promises';
import { TandemError, errorMessage } from '../../../../core/error.ts';
import { createReadStream } from '../../../../platform/files.ts';
import { sha256Stream } from '../../../../platform/hash.ts';
import {
  createHttpAgent,
  httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from '../../../../platform/network.ts';
import { MANIFEST_MEDIA_TYPES } from '../../../../wire/oci/media-types.ts';

export interface Credentials {
  username: string;
  password: string;
}

export interface RegistryManifest {
  bytes: Uint8Array;
  mediaType: string;
}

const LARGEST_MANIFEST = 4_194_304;
/** No answer and no progress for this long: the registry hangs. */
const IDLE_LIMIT_MS = 60_000;

/**
 * A client of one OCI registry (distribution-spec 1.1) over HTTP, as far as push and pull need. Bodies are
 * streamed. Throws REGISTRY_REQUEST_FAILED, whose message carries the registry's own words.
 */
export class RegistryClient {
  readonly #host: string;
  readonly #authorization: OutgoingHttpHeaders;
  readonly #agent = createHttpAgent({ keepAlive: true, maxSockets: 4 });
  readonly #signal: AbortSignal;

  constructor(host: string, credentials: Credentials | undefined, signal: AbortSignal) {
    this.#host = host;
    this.#signal = signal;
    const basic =
      credentials && Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
    this.#authorization = basic === undefined ? {} : { authorization: `Basic ${basic}` };
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Asks `/v2/`: whether a registry answers there and takes the credentials. */
  async check(): Promise<void> {
    await this.#expect('GET', '/v2/', [200]);
  }

  async hasBlob(repository: string, digest: string): Promise<boolean> {
    const { statusCode } = await this.#expect('HEAD', `/v2/${repository}/blobs/${digest}`, [200, 404]);
    return statusCode === 200;
  }

  /** One monolithic upload; the registry checks the digest, and so does this while it reads. */
  async uploadBlob(repository: string, blob: { digest: string; size: number; path: string }): Promise<void> {
    const session = await this.#expect('POST', `/v2/${repository}/blobs/uploads/`, [202]);
    const location = new URL(session.headers.location ?? '', `http://${this.#host}/`);
    location.searchParams.set('digest', blob.digest);
    const hash = sha256Stream();
    await this.#expect('PUT', `${location.pathname}${location.search}`, [201], {
      headers: { 'content-type': 'application/octet-stream', 'content-length': blob.size },
      send: request =>
        pipeline(
          createReadStream(blob.path),
          async function* (chunks: AsyncIterable<Uint8Array>) {
            for await (const chunk of chunks) {
              hash.update(chunk);
              yield chunk;
            }
          },
          request,
        ),
    });
    const found = `sha256:${hash.digest('hex')}`;
    if (found !== blob.digest)
      throw this.#failed(
        'PUT',
        location.pathname,
        `the blob ${blob.digest} is damaged on this machine: it reads as ${found}`,
      );
  }

  /** Resolves to the digest under which the registry keeps it. */
  async putManifest(repository: string, reference: string, manifest: RegistryManifest): Promise<string> {
    const path = `/v2/${repository}/manifests/${reference}`;
    const response = await this.#expect('PUT', path, [201], {
      headers: { 'content-type': manifest.mediaType, 'content-length': manifest.bytes.length },
      send: async request => void request.end(manifest.bytes),
    });
    return String(response.headers['docker-content-digest'] ?? '');
  }

  /** `undefined` where there is none. */
  async manifest(repository: string, reference: string): Promise<RegistryManifest | undefined> {
    const path = `/v2/${repository}/manifests/${reference}`;
    const response = await this.#expect('GET', path, [200, 404], {
      headers: { accept: MANIFEST_MEDIA_TYPES.join(', ') },
    });
    if (response.statusCode === 404) return undefined;
    return { bytes: response.body, mediaType: response.headers['content-type'] ?? '' };
  }

  async tags(repository: string): Promise<string[]> {
    const response = await this.#expect('GET', `/v2/${repository}/tags/list`, [200, 404]);
    if (response.statusCode === 404) return [];
    return (JSON.parse(response.body.toString()) as { tags?: string[] | null }).tags ?? [];
  }

  /** Hands the blob's bytes on as they arrive; the caller checks them. */
  async download(
    repository: string,
    digest: string,
    receive: (body: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<void> {
    const path = `/v2/${repository}/blobs/${digest}`;
    const response = await this.#send('GET', path, {});
    if (response.statusCode !== 200) {
      throw this.#refused('GET', path, response.statusCode ?? 0, await readBody(response));
    }
    await receive(response as AsyncIterable<Uint8Array>);
  }

  async #expect(
    method: string,
    path: string,
    wanted: readonly number[],
    options: RequestOptions = {},
  ): Promise<{ statusCode: number; headers: IncomingMessage['headers']; body: Buffer }> {
    const response = await this.#send(method, path, options);
    const body = await readBody(response);
    const statusCode = response.statusCode ?? 0;
    if (!wanted.includes(statusCode)) throw this.#refused(method, path, statusCode, body);
    return { statusCode, headers: response.headers, body };
  }

  #send(method: string, path: string, options: RequestOptions): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        request.destroy();
        reject(this.#failed(method, path, errorMessage(error), error));
      };
      const request = httpRequest(`http://${this.#host}${path}`, {
        method,
        agent: this.#agent,
        headers: { ...this.#authorization, 'user-agent': 'tandem-docker', ...options.headers },
        signal: this.#signal,
        timeout: IDLE_LIMIT_MS,
      });
      request.on('timeout', () => fail(new Error(`no answer for ${IDLE_LIMIT_MS / 1_000} s`)));
      request.on('error', fail);
      request.on('response', resolve);
      if (options.send === undefined) request.end();
      // A registry that refuses early closes the connection while we send: its answer tells more than our error.
      else options.send(request).catch(() => undefined);
    });
  }

  #refused(method: string, path: string, statusCode: number, body: Buffer): TandemError {
    let words = body.toString('utf8', 0, 300).trim();
    try {
      const { errors = [] } = JSON.parse(body.toString()) as {
        errors?: { code?: string; message?: string }[];
      };
      words = errors.map(({ code, message }) => `${code}: ${message}`).join('; ') || words;
    } catch {
      // Not the specification's error document.
    }
    const hint = statusCode === 401 ? ' (log in first: docker login)' : '';
    return this.#failed(method, path, `it answered ${statusCode}${words && ` ${words}`}${hint}`);
  }

  #failed(method: string, path: string, why: string, cause?: unknown): TandemError {
    return new TandemError(
      'REGISTRY_REQUEST_FAILED',
      `${method} http://${this.#host}${path}: ${why}. Check that the region runs: tandem status`,
      { kind: 'system', cause },
    );
  }
}

interface RequestOptions {
  headers?: OutgoingHttpHeaders;
  send?: (request: ClientRequest) => Promise<unknown>;
}

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LARGEST_MANIFEST)
      throw new TandemError(
        'REGISTRY_REQUEST_FAILED',
        'The registry sent an answer of more than 4 MiB where a manifest was asked for.',
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
