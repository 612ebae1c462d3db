import type { Digest } from '../../../model/names.ts';
import { parseManifest, type Descriptor } from '../../../wire/oci/manifest.ts';
import { OCI_INDEX } from '../../../wire/oci/media-types.ts';
import { RegistryError } from '../../../wire/oci/registry-error.ts';
import type { Page, StoredReferrer } from '../metadata.ts';
import { requireDigest } from './blob-requests.ts';
import { sendJson, type Exchange, type RegistryParts } from './exchange.ts';

/** A page of referrers ends about here; an index that is longer than a manifest may be could not be read. */
const REFERRERS_PAGE_BYTES = 1024 * 1024;

/** Distribution-spec 1.1, "Listing tags". */
export function listTags(parts: RegistryParts, exchange: Exchange, repository: string): void {
  if (!parts.metadata.hasRepository(repository)) {
    throw new RegistryError(
      'NAME_UNKNOWN',
      `There is no repository "${repository}": nothing was pushed to it.`,
    );
  }
  const { entries, headers } = readPage(exchange, `/v2/${repository}/tags/list`, page =>
    parts.metadata.tags(repository, page),
  );
  sendJson(exchange, { name: repository, tags: entries }, headers);
}

/** Not in the OCI specification; Docker's registry has it and tools use it. */
export function listRepositories(parts: RegistryParts, exchange: Exchange): void {
  const { entries, headers } = readPage(exchange, '/v2/_catalog', page => parts.metadata.repositories(page));
  sendJson(exchange, { repositories: entries }, headers);
}

/** "Listing referrers": what was pushed about a manifest, as an index; empty where there is nothing. */
export function listReferrers(
  parts: RegistryParts,
  exchange: Exchange,
  repository: string,
  subject: Digest,
): void {
  requireDigest(subject);
  const artifactType = exchange.query.get('artifactType') ?? undefined;
  const last = exchange.query.get('last') ?? '';
  const manifests: Descriptor[] = [];
  let next: string | undefined;
  let pageBytes = 0;
  for (const referrer of parts.metadata.referrers(repository, subject, { artifactType, last })) {
    const descriptor = describe(referrer);
    pageBytes += JSON.stringify(descriptor).length;
    if (manifests.length > 0 && pageBytes > REFERRERS_PAGE_BYTES) {
      next = manifests.at(-1)!.digest;
      break;
    }
    manifests.push(descriptor);
  }
  sendJson(
    exchange,
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests },
    {
      'content-type': OCI_INDEX,
      ...(artifactType === undefined ? {} : { 'oci-filters-applied': 'artifactType' }),
      ...(next === undefined
        ? {}
        : nextLink(`/v2/${repository}/referrers/${subject}`, {
            ...(artifactType === undefined ? {} : { artifactType }),
            last: next,
          })),
    },
  );
}

function describe(referrer: StoredReferrer): Descriptor {
  const { annotations } = parseManifest(referrer.bytes, referrer.mediaType);
  return {
    mediaType: referrer.mediaType,
    digest: referrer.digest,
    size: referrer.bytes.length,
    ...(referrer.artifactType === undefined ? {} : { artifactType: referrer.artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** `n` entries after `last`, and a Link to the next page where there is one. Without `n`, all. */
function readPage(exchange: Exchange, path: string, read: (page: Page) => string[]) {
  const last = exchange.query.get('last') ?? '';
  const count = exchange.query.get('n');
  if (count === null) return { entries: read({ last, limit: Number.MAX_SAFE_INTEGER }), headers: {} };
  if (!/^\d{1,9}$/.test(count)) {
    throw new RegistryError('PAGINATION_NUMBER_INVALID', `n=${count} is not a number of entries.`);
  }
  const limit = Number(count);
  const found = read({ last, limit: limit + 1 });
  const entries = found.slice(0, limit);
  const hasMore = limit > 0 && found.length > limit;
  return { entries, headers: hasMore ? nextLink(path, { n: count, last: entries.at(-1)! }) : {} };
}

function nextLink(path: string, query: Record<string, string>): { link: string } {
  return { link: `<${path}?${new URLSearchParams(query).toString()}>; rel="next"` };
}
