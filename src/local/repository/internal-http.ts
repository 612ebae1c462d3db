import { errorMessage } from '../../core/error.ts';
import type { VersionAdoption } from '../../control/replication/decide.ts';
import type { RegionName } from '../../model/names.ts';
import type { IncomingMessage, ServerResponse } from '../../platform/network.ts';
import { decodeAdoptions, digestRefStates, encodeRefStates } from './peer-messages.ts';
import type { RefStore } from './ref-store.ts';
import type { Sender } from './sender.ts';
import { sendText } from './send-text.ts';

const LARGEST_MESSAGE_BYTES = 64 * 1024 * 1024;

export interface InternalHttpParts {
  store: RefStore;
  /** The asker told the digest of its own refs' states. */
  onAsked(region: RegionName, digest: string): void;
  onAdopted(region: RegionName, adoptions: readonly VersionAdoption[]): void;
}

/**
 * Serves `/internal/repository/…` for other regions:
 * - `GET refs`: every ref's value and version; 304 where the asker has the very same.
 * - `POST versions`: versions to take over, each where the ref has the value that is named.
 */
export function serveInternal(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  parts: InternalHttpParts & { sender: Sender },
): void {
  const { sender, store } = parts;
  if (sender.kind !== 'region') {
    sendText(response, 403, 'This address is for the other regions of this cloud.');
  } else if (path === 'refs' && request.method === 'GET') {
    const encoded = encodeRefStates(store.refs);
    const digest = digestRefStates(encoded);
    const asked = request.headers['if-none-match'];
    if (asked !== undefined) parts.onAsked(sender.region, asked);
    const isKnown = asked === digest;
    response.writeHead(isKnown ? 304 : 200, { etag: digest, 'content-type': 'application/json' });
    response.end(isKnown ? undefined : encoded);
  } else if (path === 'versions' && request.method === 'POST') {
    readBody(request)
      .then(text => {
        const adoptions = decodeAdoptions(text);
        store.adopt(adoptions);
        parts.onAdopted(sender.region, adoptions);
        response.writeHead(204).end();
      })
      .catch((error: unknown) => sendText(response, 400, errorMessage(error)));
  } else {
    sendText(response, 404, 'Nothing is served here.');
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_MESSAGE_BYTES) throw new Error('the message is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
