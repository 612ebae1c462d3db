import { isDigest } from '../../../wire/oci/digest.ts';
import { isTag } from '../../../wire/oci/reference.ts';
import { RegistryError } from '../../../wire/oci/registry-error.ts';
import type { StoredManifest } from '../contract.ts';
import { requireDigest } from './blob-requests.ts';
import { readBody, sendBytes, sendEmpty, type Exchange, type RegistryParts } from './exchange.ts';

/** Distribution-spec 1.1, "Pulling manifests": GET and HEAD, by tag or digest. */
export function getManifest(
  parts: RegistryParts,
  exchange: Exchange,
  repository: string,
  reference: string,
): void {
  const manifest = findManifest(parts, repository, reference);
  if (!manifest) throw manifestUnknown(parts, repository, reference);
  const etag = `"${manifest.digest}"`;
  const headers = { 'content-type': manifest.mediaType, 'docker-content-digest': manifest.digest, etag };
  if (exchange.request.headers['if-none-match'] === etag) sendEmpty(exchange, 304, headers);
  else sendBytes(exchange, 200, manifest.bytes, headers);
}

/** "Pushing manifests". */
export async function putManifest(
  parts: RegistryParts,
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<void> {
  const target = pushTarget(reference);
  const announced = Number(exchange.request.headers['content-length'] ?? 0);
  if (announced > parts.limits.manifestBytes) {
    throw new RegistryError(
      'SIZE_INVALID',
      `A manifest may have at most ${parts.limits.manifestBytes} bytes.`,
    );
  }
  const { request } = exchange;
  request.setTimeout(parts.limits.idleMs, () => request.destroy());
  const bytes = await readBody(exchange, parts.limits.manifestBytes);
  const mediaType = request.headers['content-type']?.split(';')[0]?.trim();
  const { digest, subject } = parts.manifests.put({ repository, bytes, mediaType, ...target });
  if (target.tag !== undefined) {
    parts.events.append({
      source: 'registry',
      type: 'ImagePushed',
      severity: 'info',
      message: `${repository}:${target.tag} was pushed (${digest})`,
      data: { repository, tag: target.tag, digest },
    });
  }
  sendEmpty(exchange, 201, {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(subject === undefined ? {} : { 'oci-subject': subject }),
  });
}

/** "Deleting manifests" and "Deleting tags": by digest the manifest with all its tags, by tag that tag alone. */
export function deleteManifest(
  parts: RegistryParts,
  exchange: Exchange,
  repository: string,
  reference: string,
): void {
  const { metadata } = parts;
  if (!isDigest(reference)) {
    if (!metadata.deleteTag(repository, reference)) throw manifestUnknown(parts, repository, reference);
  } else {
    if (!metadata.hasManifest(repository, reference)) throw manifestUnknown(parts, repository, reference);
    const index = metadata.namedBy(repository, reference);
    if (index !== undefined) {
      throw new RegistryError('DENIED', `The index ${index} needs this manifest; delete that first.`, {
        detail: { index },
      });
    }
    metadata.deleteManifests(repository, [reference]);
  }
  parts.events.append({
    source: 'registry',
    type: 'ImageDeleted',
    severity: 'info',
    message: `${repository}${isDigest(reference) ? '@' : ':'}${reference} was deleted`,
    data: { repository, reference },
  });
  sendEmpty(exchange, 202);
}

function findManifest(
  parts: RegistryParts,
  repository: string,
  reference: string,
): StoredManifest | undefined {
  const digest = isDigest(reference) ? reference : parts.metadata.taggedDigest(repository, reference);
  return digest === undefined ? undefined : parts.metadata.manifest(repository, digest);
}

function pushTarget(reference: string): { digest?: string; tag?: string } {
  if (reference.includes(':')) {
    requireDigest(reference);
    return { digest: reference };
  }
  if (isTag(reference)) return { tag: reference };
  throw new RegistryError(
    'TAG_INVALID',
    `"${reference}" is not a tag: letters, digits, "_", "." and "-", no "." or "-" first, at most 128 characters.`,
  );
}

function manifestUnknown(parts: RegistryParts, repository: string, reference: string): RegistryError {
  return parts.metadata.hasRepository(repository)
    ? new RegistryError('MANIFEST_UNKNOWN', `The repository "${repository}" has no image ${reference}.`, {
        detail: { reference },
      })
    : new RegistryError('NAME_UNKNOWN', `There is no repository "${repository}": nothing was pushed to it.`);
}
