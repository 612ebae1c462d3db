import { errorMessage } from '../../core/error.ts';
import type { Digest } from '../../model/names.ts';
import { createHttpAgent, httpRequest, type Agent, type IncomingMessage } from '../../platform/network.ts';
import { MANIFEST_MEDIA_TYPES } from '../../wire/oci/media-types.ts';

/** Why a peer did not give what was asked; `isFinal` where asking again cannot help. */
export class PeerFailure extends Error {
  override name = 'PeerFailure';
  readonly isFinal: boolean;

  constructor(message: string, options: { isFinal: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.isFinal = options.isFinal;
  }
}

/** Reads manifests and blobs of another region's registry. Verifying is the caller's. */
export class PeerClient {
  readonly #endpoint: string;
  readonly #repository: string;
  readonly #idleMs: number;
  readonly #agent: Agent;

  constructor(endpoint: string, repository: string, idleMs: number, connections: number) {
    this.#endpoint = endpoint;
    this.#repository = repository;
    this.#idleMs = idleMs;
    this.#agent = createHttpAgent({ keepAlive: true, maxSockets: connections });
  }

  close(): void {
    this.#agent.destroy();
  }

  async manifest(
    digest: Digest,
    maximumBytes: number,
    signal: AbortSignal,
  ): Promise<{ bytes: Uint8Array; mediaType: string | undefined }> {
    const accept = MANIFEST_MEDIA_TYPES.join(', ');
    const answer = await this.#get(`manifests/${digest}`, { accept }, signal);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of bodyOf(answer)) {
      length += chunk.length;
      if (length > maximumBytes) throw new PeerFailure('its manifest is too large', { isFinal: true });
      chunks.push(chunk);
    }
    return { bytes: Buffer.concat(chunks), mediaType: answer.headers['content-type']?.split(';')[0] };
  }

  /** The blob's bytes from `offset` on. */
  async blob(digest: Digest, offset: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const answer = await this.#get(
      `blobs/${digest}`,
      offset > 0 ? { range: `bytes=${offset}-` } : {},
      signal,
    );
    if (offset > 0 && answer.statusCode !== 206) {
      answer.destroy();
      throw new PeerFailure('it does not serve ranges', { isFinal: true });
    }
    return bodyOf(answer);
  }

  async #get(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await this.#open(`${this.#endpoint}/v2/${this.#repository}/${path}`, headers, signal);
    const status = answer.statusCode ?? 0;
    if (status === 200 || status === 206) return answer;
    answer.resume();
    throw new PeerFailure(
      status === 404 ? `it has no ${path} in "${this.#repository}"` : `it answered ${path} with ${status}`,
      { isFinal: status < 500 },
    );
  }

  #open(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(url, { agent: this.#agent, headers, signal, timeout: this.#idleMs });
      request.on('timeout', () => request.destroy(new Error(`it sent nothing for ${this.#idleMs} ms`)));
      request.on('error', error => {
        reject(
          new PeerFailure(`it cannot be read: ${errorMessage(error)}`, { isFinal: false, cause: error }),
        );
      });
      request.on('response', resolve);
      request.end();
    });
  }
}

async function* bodyOf(answer: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* answer as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw new PeerFailure(`it broke off: ${errorMessage(error)}`, { isFinal: false, cause: error });
  }
}
