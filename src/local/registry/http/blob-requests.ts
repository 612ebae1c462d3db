import { parseRange } from '../../../wire/oci/byte-range.ts';
import { isDigest } from '../../../wire/oci/digest.ts';
import { RegistryError } from '../../../wire/oci/registry-error.ts';
import type { OpenBlob } from '../blob-store.ts';
import { sendBlob, sendEmpty, type Exchange, type RegistryParts } from './exchange.ts';

/** Distribution-spec 1.1, "Pulling blobs": GET and HEAD, with ranges so that a broken download can go on. */
export async function getBlob(
  parts: RegistryParts,
  exchange: Exchange,
  repository: string,
  digest: string,
): Promise<void> {
  const blob = await openBlob(parts, repository, digest);
  const isStreaming = await answerBlob(parts, exchange, repository, digest, blob).catch(
    async (error: unknown) => {
      await blob.handle.close().catch(() => undefined);
      throw error;
    },
  );
  if (!isStreaming) await blob.handle.close();
}

/** True where the blob was sent, and so closed. */
async function answerBlob(
  parts: RegistryParts,
  exchange: Exchange,
  repository: string,
  digest: string,
  blob: OpenBlob,
): Promise<boolean> {
  const { request, response } = exchange;
  const etag = `"${digest}"`;
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'max-age=31536000',
  };
  if (exchange.method === 'HEAD') {
    parts.blobs.touch(repository, digest);
    sendEmpty(exchange, 200, { ...headers, 'content-length': blob.sizeBytes });
    return false;
  }
  if (request.headers['if-none-match'] === etag) {
    sendEmpty(exchange, 304, headers);
    return false;
  }
  const condition = request.headers['if-range'];
  const isRangeWanted = condition === undefined || condition === etag;
  const range = isRangeWanted ? parseRange(request.headers.range, blob.sizeBytes) : undefined;
  if (range === 'unsatisfiable') {
    throw new RegistryError('RANGE_INVALID', `The blob has ${blob.sizeBytes} bytes; the range asks beyond.`, {
      headers: { 'content-range': `bytes */${blob.sizeBytes}` },
    });
  }
  response.setTimeout(parts.limits.idleMs, () => response.destroy());
  if (range) {
    const contentRange = `bytes ${range.first}-${range.last}/${blob.sizeBytes}`;
    await sendBlob(exchange, 206, blob, range, { ...headers, 'content-range': contentRange });
  } else {
    await sendBlob(exchange, 200, blob, { first: 0, last: blob.sizeBytes - 1 }, headers);
  }
  return true;
}

/** "Deleting blobs". An image stays whole: what a manifest names cannot go before the manifest. */
export function deleteBlob(
  parts: RegistryParts,
  exchange: Exchange,
  repository: string,
  digest: string,
): void {
  requireDigest(digest);
  if (!parts.blobs.isLinked(repository, digest)) throw blobUnknown(repository, digest);
  const manifest = parts.metadata.namedBy(repository, digest);
  if (manifest !== undefined) {
    throw new RegistryError('DENIED', `The manifest ${manifest} needs this blob; delete that first.`, {
      detail: { manifest },
    });
  }
  parts.blobs.unlink(repository, [digest]);
  sendEmpty(exchange, 202);
}

export function requireDigest(text: string): void {
  if (isDigest(text)) return;
  throw new RegistryError(
    'DIGEST_INVALID',
    `"${text}" is not a digest as sha256:… (64 hex digits) or sha512:….`,
  );
}

async function openBlob(parts: RegistryParts, repository: string, digest: string): Promise<OpenBlob> {
  requireDigest(digest);
  const blob = parts.blobs.isLinked(repository, digest) ? await parts.blobs.open(digest) : undefined;
  if (!blob) throw blobUnknown(repository, digest);
  return blob;
}

function blobUnknown(repository: string, digest: string): RegistryError {
  return new RegistryError('BLOB_UNKNOWN', `The repository "${repository}" has no blob ${digest}.`, {
    detail: { digest },
  });
}
