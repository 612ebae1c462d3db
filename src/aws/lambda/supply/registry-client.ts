import { TandemError } from '../../../core/error.ts';
import { fetchHttp } from '../../../platform/http.ts';
import { MANIFEST_MEDIA_TYPES } from '../../../wire/oci/media-types.ts';

export interface FetchedManifest {
  bytes: Uint8Array<ArrayBuffer>;
  mediaType: string;
}

/** Without an account: ask for a token where the registry says so. */
const CHALLENGE = /^Bearer\s+(?<parameters>.+)$/i;

/** One repository of a registry that speaks the OCI distribution protocol (distribution-spec 1.1). */
export class RegistryClient {
  readonly #base: string;
  #authorization: string | undefined;

  /** `endpoint` as `https://public.ecr.aws`. `authorization`: a whole header; without it, whatever the registry gives to anyone. */
  constructor(endpoint: string, repository: string, authorization?: string) {
    this.#base = `${endpoint}/v2/${repository}`;
    this.#authorization = authorization;
  }

  async hasManifest(reference: string): Promise<boolean> {
    return this.#has(`/manifests/${reference}`);
  }

  async hasBlob(digest: string): Promise<boolean> {
    return this.#has(`/blobs/${digest}`);
  }

  async manifest(reference: string): Promise<FetchedManifest> {
    const response = await this.#send(`/manifests/${reference}`);
    const mediaType = response.headers.get('content-type')?.split(';', 1)[0]!.trim() ?? '';
    return { bytes: new Uint8Array(await response.arrayBuffer()), mediaType };
  }

  async blob(digest: string): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.#send(`/blobs/${digest}`);
    if (body === null) throw refused(`${this.#base}/blobs/${digest}`, 'an answer without a body');
    return body;
  }

  /** Streamed, as `docker push` does it; the registry refuses bytes that are not the digest's. */
  async putBlob(digest: string, content: ReadableStream<Uint8Array>): Promise<void> {
    const begun = await this.#send('/blobs/uploads/', { method: 'POST' });
    const written = await this.#send(locationOf(begun), {
      method: 'PATCH',
      headers: { 'content-type': 'application/octet-stream' },
      body: content,
      duplex: 'half',
    });
    const end = new URL(locationOf(written));
    end.searchParams.set('digest', digest);
    await this.#send(end.href, { method: 'PUT' });
  }

  async putManifest(reference: string, { bytes, mediaType }: FetchedManifest): Promise<void> {
    await this.#send(`/manifests/${reference}`, {
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: bytes,
    });
  }

  async #has(path: string): Promise<boolean> {
    const response = await this.#ask(path, { method: 'HEAD' });
    if (response.ok) return true;
    if (response.status === 404) return false;
    throw refused(`${this.#base}${path}`, String(response.status));
  }

  async #send(path: string, options: RequestInit = {}): Promise<Response> {
    const response = await this.#ask(path, options);
    if (response.ok) return response;
    throw refused(
      path.startsWith('/') ? `${this.#base}${path}` : path,
      `${response.status} ${await response.text()}`,
    );
  }

  async #ask(path: string, options: RequestInit): Promise<Response> {
    const response = await this.#fetch(path, options);
    const asked = CHALLENGE.exec(response.headers.get('www-authenticate') ?? '')?.groups?.['parameters'];
    // A body that was streamed cannot be sent again; whoever writes has an authorization from the beginning.
    if (response.status !== 401 || asked === undefined || this.#authorization !== undefined) return response;
    await response.body?.cancel();
    this.#authorization = `Bearer ${await tokenFrom(asked)}`;
    return this.#fetch(path, options);
  }

  #fetch(path: string, options: RequestInit): Promise<Response> {
    const headers = new Headers(options.headers);
    if (path.startsWith('/manifests/') && !headers.has('content-type')) {
      headers.set('accept', MANIFEST_MEDIA_TYPES.join(', '));
    }
    if (this.#authorization !== undefined) headers.set('authorization', this.#authorization);
    return fetchHttp(path.startsWith('/') ? `${this.#base}${path}` : path, { ...options, headers });
  }
}

/** Where an upload goes on; a registry may answer with a path alone. */
function locationOf(response: Response): string {
  const location = response.headers.get('location');
  if (location === null) throw refused(response.url, 'an upload without a location');
  return new URL(location, response.url).href;
}

/** Docker's token protocol: `realm="https://…/token",service="…",scope="…"`. */
async function tokenFrom(parameters: string): Promise<string> {
  const given = new Map([...parameters.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!]));
  const url = new URL(given.get('realm') ?? '');
  for (const key of ['service', 'scope']) {
    const value = given.get(key);
    if (value !== undefined) url.searchParams.set(key, value);
  }
  const response = await fetchHttp(url);
  if (!response.ok) throw refused(url.href, String(response.status));
  const { token, access_token } = (await response.json()) as { token?: string; access_token?: string };
  const found = token ?? access_token;
  if (found === undefined) throw refused(url.href, 'an answer without a token');
  return found;
}

function refused(url: string, answer: string): TandemError {
  return new TandemError('IMAGE_COPY_FAILED', `${url} answered ${answer.trim()}`, {
    kind: 'system',
    data: { url },
  });
}
