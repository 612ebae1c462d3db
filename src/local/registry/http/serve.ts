import { unreachable } from '../../../core/assert.ts';
import { errorMessage } from '../../../core/error.ts';
import type { IncomingMessage, ServerResponse } from '../../../platform/network.ts';
import { RegistryError } from '../../../wire/oci/registry-error.ts';
import { parseRegistryPath, type RegistryPath } from '../../../wire/oci/registry-path.ts';
import { deleteBlob, getBlob } from './blob-requests.ts';
import { sendError, sendJson, toRegistryError, type Exchange, type RegistryParts } from './exchange.ts';
import { listReferrers, listRepositories, listTags } from './listing-requests.ts';
import { deleteManifest, getManifest, putManifest } from './manifest-requests.ts';
import { appendChunk, cancelUpload, finishUpload, startUpload, uploadStatus } from './upload-requests.ts';

type Handler = () => void | Promise<void>;

/**
 * Answers one request; never rejects. What the registry cannot explain itself is an event, besides the answer 500.
 * Credentials are taken and ignored: whoever reaches the endpoint may push, as with `docker login` to anything.
 */
export async function serveRegistry(
  parts: RegistryParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/', search = ''] = (request.url ?? '/').split('?', 2);
  const exchange: Exchange = {
    request,
    response,
    method: request.method ?? 'GET',
    query: new URLSearchParams(search),
  };
  try {
    const target = parseRegistryPath(path);
    if (!target) throw new RegistryError('UNKNOWN_ENDPOINT', `The registry has nothing at ${path}.`);
    const handlers = handlersOf(parts, exchange, target);
    const handler = handlers[exchange.method];
    if (!handler) {
      const allow = Object.keys(handlers).join(', ');
      throw new RegistryError('UNSUPPORTED', `${exchange.method} is not possible here; ${allow} is.`, {
        headers: { allow },
      });
    }
    await handler();
  } catch (thrown) {
    const isAbandoned = request.socket.destroyed;
    const error = toRegistryError(thrown);
    sendError(exchange, error);
    if (error !== thrown && !isAbandoned) reportFailure(parts, exchange, thrown);
  }
}

function handlersOf(parts: RegistryParts, exchange: Exchange, target: RegistryPath): Record<string, Handler> {
  switch (target.kind) {
    case 'ping':
      return readable(() => sendJson(exchange, {}));
    case 'catalog':
      return readable(() => listRepositories(parts, exchange));
    case 'tags':
      return readable(() => listTags(parts, exchange, target.repository));
    case 'referrers':
      return readable(() => listReferrers(parts, exchange, target.repository, target.digest));
    case 'manifest': {
      const { repository, reference } = target;
      return {
        ...readable(() => getManifest(parts, exchange, repository, reference)),
        PUT: () => putManifest(parts, exchange, repository, reference),
        DELETE: () => deleteManifest(parts, exchange, repository, reference),
      };
    }
    case 'blob': {
      const { repository, digest } = target;
      return {
        ...readable(() => getBlob(parts, exchange, repository, digest)),
        DELETE: () => deleteBlob(parts, exchange, repository, digest),
      };
    }
    case 'uploads':
      return { POST: () => startUpload(parts, exchange, target.repository) };
    case 'upload': {
      const { repository, id } = target;
      return {
        GET: () => uploadStatus(parts, exchange, repository, id),
        PATCH: () => appendChunk(parts, exchange, repository, id),
        PUT: () => finishUpload(parts, exchange, repository, id),
        DELETE: () => cancelUpload(parts, exchange, repository, id),
      };
    }
    default:
      return unreachable(target);
  }
}

function readable(handler: Handler): Record<string, Handler> {
  return { GET: handler, HEAD: handler };
}

function reportFailure(parts: RegistryParts, exchange: Exchange, thrown: unknown): void {
  try {
    parts.events.append({
      source: 'registry',
      type: 'RegistryRequestFailed',
      severity: 'error',
      message: `${exchange.method} ${exchange.request.url} failed: ${errorMessage(thrown)}`,
      data: {},
    });
  } catch {
    // A full disk takes no event either; the client was told.
  }
}
