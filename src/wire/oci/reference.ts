import { TandemError } from '../../core/error.ts';
import { isDigest } from './digest.ts';

/** `127.0.1.1:8000/storefront:4f2a…@sha256:…`, taken apart. */
export interface ImageReference {
  /** Host and optional port; absent for a short name as `node:22`. */
  registry?: string;
  repository: string;
  tag?: string;
  digest?: string;
}

/** Distribution-spec 1.1, "Pulling manifests": `<name>` and `<reference>` as a tag. */
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const LONGEST_NAME = 255;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const REGISTRY = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::\d{1,5})?$/;

export function isRepositoryName(text: string): boolean {
  return text.length <= LONGEST_NAME && NAME.test(text);
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** A full Git commit id (SHA-1 or SHA-256): such a tag names one image for ever. */
export function isCommitTag(tag: string): boolean {
  return COMMIT.test(tag);
}

/**
 * Reads an image reference as Docker does: what stands before the first slash is a registry where it has a dot
 * or a colon, or is `localhost`. Throws IMAGE_REFERENCE_INVALID. Nothing is filled in: neither `docker.io` nor `latest`.
 */
export function parseImageReference(text: string): ImageReference {
  const refuse = (found: string): never => {
    throw new TandemError(
      'IMAGE_REFERENCE_INVALID',
      `"${text}" is not an image reference: ${found}. Write it as [host[:port]/]name[:tag][@sha256:…].`,
      { data: { reference: text } },
    );
  };
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  let rest = at < 0 ? text : text.slice(0, at);
  if (digest !== undefined && !isDigest(digest)) refuse(`"${digest}" is not a digest`);

  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  const hasRegistry = first === 'localhost' || /[.:]/.test(first);
  if (hasRegistry) {
    if (!REGISTRY.test(first)) refuse(`"${first}" is not a host`);
    rest = rest.slice(slash + 1);
  }
  const colon = rest.lastIndexOf(':');
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const repository = colon < 0 ? rest : rest.slice(0, colon);
  if (tag !== undefined && !isTag(tag)) refuse(`"${tag}" is not a tag`);
  if (!isRepositoryName(repository)) refuse(`"${repository}" is not a repository name`);
  return {
    ...(hasRegistry ? { registry: first } : {}),
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The inverse of `parseImageReference`. */
export function formatImageReference(reference: ImageReference): string {
  const registry = reference.registry === undefined ? '' : `${reference.registry}/`;
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${registry}${reference.repository}${tag}${digest}`;
}
