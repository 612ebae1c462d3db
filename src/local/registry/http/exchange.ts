import { pipeline } from 'node:stream/promises';
import type { EventLog } from '../../telemetry/contract.ts';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from '../../../platform/network.ts';
import { formatRegistryError, RegistryError } from '../../../wire/oci/registry-error.ts';
import type { BlobStore, OpenBlob } from '../blob-store.ts';
import type { RegistryLimits } from '../limits.ts';
import type { ManifestStore } from '../manifest-store.ts';
import type { Metadata } from '../metadata.ts';
import { isStorageFull } from '../storage-full.ts';
import type { Uploads } from '../uploads.ts';

/** What the request handlers work on. */
export interface RegistryParts {
  blobs: BlobStore;
  uploads: Uploads;
  manifests: ManifestStore;
  metadata: Metadata;
  limits: RegistryLimits;
  events: EventLog;
}

/** One request and its answer. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  method: string;
  query: URLSearchParams;
}

/** Docker's clients look for it on every answer. */
const EVERY_ANSWER = { 'docker-distribution-api-version': 'registry/2.0' };
const READ_BYTES = 1024 * 1024;

export function sendEmpty(exchange: Exchange, status: number, headers: OutgoingHttpHeaders = {}): void {
  const length = status === 204 || status === 304 ? {} : { 'content-length': 0 };
  exchange.response.writeHead(status, { ...EVERY_ANSWER, ...length, ...headers });
  exchange.response.end();
}

/** Also answers HEAD: Node then sends the headers alone. */
export function sendBytes(
  exchange: Exchange,
  status: number,
  bytes: string | Uint8Array,
  headers: OutgoingHttpHeaders,
): void {
  exchange.response.writeHead(status, {
    ...EVERY_ANSWER,
    'content-length': Buffer.byteLength(bytes),
    ...headers,
  });
  exchange.response.end(bytes);
}

export function sendJson(exchange: Exchange, body: unknown, headers: OutgoingHttpHeaders = {}): void {
  sendBytes(exchange, 200, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
}

/** Sends bytes `first` to `last` of a blob, as fast as the client takes them, and closes it. */
export async function sendBlob(
  exchange: Exchange,
  status: number,
  blob: OpenBlob,
  range: { first: number; last: number },
  headers: OutgoingHttpHeaders,
): Promise<void> {
  const length = range.last - range.first + 1;
  exchange.response.writeHead(status, { ...EVERY_ANSWER, ...headers, 'content-length': length });
  if (length === 0) {
    await blob.handle.close();
    exchange.response.end();
    return;
  }
  const body = blob.handle.createReadStream({
    start: range.first,
    end: range.last,
    highWaterMark: READ_BYTES,
  });
  await pipeline(body, exchange.response);
}

/** Answers what went wrong; a client that is gone gets nothing, one in the middle of a body is cut off. */
export function sendError(exchange: Exchange, error: RegistryError): void {
  const { request, response } = exchange;
  if (response.headersSent || request.socket.destroyed) {
    response.destroy();
    return;
  }
  sendBytes(exchange, error.status, formatRegistryError(error), {
    'content-type': 'application/json',
    ...error.headers,
  });
  // What the client still sends is read and dropped, so that it gets as far as reading the answer.
  request.resume();
}

/** The whole body, where it has at most `maximumBytes`. */
export async function readBody(exchange: Exchange, maximumBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bodyOf(exchange)) {
    length += chunk.length;
    if (length > maximumBytes) {
      throw new RegistryError('SIZE_INVALID', `A manifest may have at most ${maximumBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The body's chunks. Stopping early leaves the connection open, so that an answer can still be sent. */
export function bodyOf(exchange: Exchange): AsyncIterable<Uint8Array> {
  return exchange.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
}

/** What to tell the client about whatever was thrown. */
export function toRegistryError(thrown: unknown): RegistryError {
  if (thrown instanceof RegistryError) return thrown;
  return isStorageFull(thrown)
    ? new RegistryError(
        'STORAGE_FULL',
        "The disk of this region's registry is full. Free space on it and push again; what has arrived is kept, and a client that resumes goes on from there.",
        { cause: thrown },
      )
    : new RegistryError('UNKNOWN', "The registry failed; the region's events say more.", { cause: thrown });
}
