import { isRepositoryName } from './reference.ts';
import { RegistryError } from './registry-error.ts';

/** What a request path of distribution-spec 1.1 ("Endpoints") names. Digests, tags and ids are not checked yet. */
export type RegistryPath =
  | { kind: 'ping' }
  | { kind: 'catalog' }
  | { kind: 'tags'; repository: string }
  | { kind: 'manifest'; repository: string; reference: string }
  | { kind: 'blob'; repository: string; digest: string }
  | { kind: 'uploads'; repository: string }
  | { kind: 'upload'; repository: string; id: string }
  | { kind: 'referrers'; repository: string; digest: string };

const IN_REPOSITORY =
  /^\/v2\/(?<repository>.+)\/(?:(?<tags>tags\/list)|manifests\/(?<reference>[^/]+)|(?<uploads>blobs\/uploads\/?)|blobs\/uploads\/(?<id>[^/]+)|blobs\/(?<digest>[^/]+)|referrers\/(?<subject>[^/]+))$/;

/**
 * Reads a path without its query. `undefined` where there is no such endpoint. Throws NAME_INVALID for a name that
 * no repository can have, which is what keeps `..` and the like away from everything behind.
 */
export function parseRegistryPath(path: string): RegistryPath | undefined {
  if (path === '/v2' || path === '/v2/') return { kind: 'ping' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const groups = IN_REPOSITORY.exec(path)?.groups;
  if (groups === undefined) return undefined;
  const repository = decode(groups['repository']!);
  if (!isRepositoryName(repository)) {
    throw new RegistryError(
      'NAME_INVALID',
      `"${repository}" is not a repository name: lower-case letters, digits, and between them "." "_" "-" or "/", at most 255 characters.`,
    );
  }
  if (groups['tags'] !== undefined) return { kind: 'tags', repository };
  if (groups['uploads'] !== undefined) return { kind: 'uploads', repository };
  if (groups['id'] !== undefined) return { kind: 'upload', repository, id: decode(groups['id']) };
  if (groups['digest'] !== undefined) return { kind: 'blob', repository, digest: decode(groups['digest']) };
  if (groups['subject'] !== undefined) {
    return { kind: 'referrers', repository, digest: decode(groups['subject']) };
  }
  return { kind: 'manifest', repository, reference: decode(groups['reference']!) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new RegistryError('NAME_INVALID', `"${text}" has a broken percent-encoding.`, { cause: error });
  }
}
