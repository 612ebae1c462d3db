import { parseChunkRange } from '../../../wire/oci/byte-range.ts';
import { isRepositoryName } from '../../../wire/oci/reference.ts';
import { RegistryError } from '../../../wire/oci/registry-error.ts';
import { uploadUnknown, type Upload } from '../uploads.ts';
import { requireDigest } from './blob-requests.ts';
import { bodyOf, sendEmpty, type Exchange, type RegistryParts } from './exchange.ts';

/** POST: mounts a blob from another repository, takes a whole blob at once (`?digest=`), or starts an upload. */
export async function startUpload(
  parts: RegistryParts,
  exchange: Exchange,
  repository: string,
): Promise<void> {
  const mount = exchange.query.get('mount');
  if (mount !== null && mountBlob(parts, repository, mount, exchange.query.get('from'))) {
    sendStored(exchange, repository, mount);
    return;
  }
  const digest = exchange.query.get('digest');
  if (digest !== null) requireDigest(digest);
  const upload = parts.uploads.begin(repository);
  if (digest === null) {
    sendProgress(exchange, 202, upload, 0);
    return;
  }
  try {
    await receive(parts, exchange, upload);
    await parts.uploads.finish(upload, digest);
  } catch (error) {
    // Its sender never learnt where it is, so nobody could go on with it.
    await parts.uploads.cancel(upload);
    throw error;
  }
  sendStored(exchange, repository, digest);
}

/** PATCH: the next chunk, or with no Content-Range a stream of unknown length. */
export async function appendChunk(
  parts: RegistryParts,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<void> {
  const upload = findUpload(parts, repository, id);
  const offset = await receive(parts, exchange, upload);
  sendProgress(exchange, 202, upload, offset);
}

/** PUT: the last chunk, if any, then the blob under its digest. */
export async function finishUpload(
  parts: RegistryParts,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<void> {
  const upload = findUpload(parts, repository, id);
  const digest = exchange.query.get('digest');
  if (digest === null) {
    throw new RegistryError(
      'DIGEST_INVALID',
      'The last request of an upload names the digest: add ?digest=sha256:….',
    );
  }
  requireDigest(digest);
  await receive(parts, exchange, upload);
  await parts.uploads.finish(upload, digest);
  sendStored(exchange, repository, digest);
}

/** GET: how much is here, so that a client goes on from there. */
export async function uploadStatus(
  parts: RegistryParts,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<void> {
  const upload = findUpload(parts, repository, id);
  sendProgress(exchange, 204, upload, await parts.uploads.offset(upload));
}

export async function cancelUpload(
  parts: RegistryParts,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<void> {
  await parts.uploads.cancel(findUpload(parts, repository, id));
  sendEmpty(exchange, 204);
}

function mountBlob(parts: RegistryParts, repository: string, digest: string, from: string | null): boolean {
  requireDigest(digest);
  if (from === null || !isRepositoryName(from) || !parts.blobs.isLinked(from, digest)) return false;
  parts.blobs.link(repository, digest);
  return true;
}

async function receive(parts: RegistryParts, exchange: Exchange, upload: Upload): Promise<number> {
  const { request } = exchange;
  const { uploads, limits } = parts;
  const expectedOffset = chunkStart(exchange);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limits.blobBytes) {
    throw new RegistryError('SIZE_INVALID', `A blob may have at most ${limits.blobBytes} bytes.`);
  }
  request.setTimeout(limits.idleMs, () => request.destroy());
  try {
    return await uploads.append(upload, bodyOf(exchange), {
      maximumBytes: limits.blobBytes,
      cutOff: () => request.destroy(),
      ...(expectedOffset === undefined ? {} : { expectedOffset }),
    });
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'RANGE_INVALID') {
      Object.assign(error.headers, progressHeaders(upload, Number(error.detail['offset'])));
    }
    throw error;
  }
}

function chunkStart({ request }: Exchange): number | undefined {
  const header = request.headers['content-range'];
  if (header === undefined) return undefined;
  const range = parseChunkRange(header);
  if (!range) {
    throw new RegistryError('BLOB_UPLOAD_INVALID', `"${header}" is not a Content-Range as 0-1023.`);
  }
  const length = request.headers['content-length'];
  if (length !== undefined && Number(length) !== range.last - range.first + 1) {
    throw new RegistryError(
      'BLOB_UPLOAD_INVALID',
      `Content-Range ${header} and Content-Length ${length} do not agree.`,
    );
  }
  return range.first;
}

function findUpload(parts: RegistryParts, repository: string, id: string): Upload {
  const upload = parts.uploads.find(repository, id);
  if (!upload) throw uploadUnknown(id);
  return upload;
}

function sendProgress(exchange: Exchange, status: number, upload: Upload, offset: number): void {
  sendEmpty(exchange, status, progressHeaders(upload, offset));
}

/** An empty upload has no last byte; Docker's registry writes `0-0` then, and clients know it. */
function progressHeaders(upload: Upload, offset: number): Record<string, string> {
  return {
    location: `/v2/${upload.repository}/blobs/uploads/${upload.id}`,
    range: `0-${Math.max(0, offset - 1)}`,
    'docker-upload-uuid': upload.id,
  };
}

function sendStored(exchange: Exchange, repository: string, digest: string): void {
  sendEmpty(exchange, 201, {
    location: `/v2/${repository}/blobs/${digest}`,
    'docker-content-digest': digest,
  });
}
