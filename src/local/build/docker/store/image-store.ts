import { join } from 'node:path';
import { TandemError, systemErrorCode } from '../../../../core/error.ts';
import {
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from '../../../../platform/files.ts';
import { sha256 } from '../../../../platform/hash.ts';
import { newToken } from '../../../../platform/random.ts';
import type { ImageConfig } from '../../../../wire/oci/image-config.ts';
import type { Descriptor, ImageManifest } from '../../../../wire/oci/manifest.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../../../../wire/oci/media-types.ts';
import {
  formatImageReference,
  parseImageReference,
  type ImageReference,
} from '../../../../wire/oci/reference.ts';
import type { Layer } from '../layers/entry.ts';

export interface LocalImage {
  manifestDigest: string;
  manifest: ImageManifest;
  manifestBytes: Uint8Array;
  config: ImageConfig;
}

/**
 * The images of one build: blobs by digest and one file per name, all in the build's own folder, as on CodeBuild
 * each build has an engine of its own. Every file appears by a rename, so that docker commands may run side by side
 * and end at any moment.
 */
export class ImageStore {
  readonly blobFolder: string;
  readonly #referenceFolder: string;

  constructor(folder: string) {
    this.blobFolder = join(folder, 'blobs');
    this.#referenceFolder = join(folder, 'references');
    mkdirSync(join(this.blobFolder, 'sha256'), { recursive: true });
    mkdirSync(this.#referenceFolder, { recursive: true });
  }

  blobPath(digest: string): string {
    return join(this.blobFolder, ...digest.split(':'));
  }

  hasBlob(digest: string): boolean {
    return lstatSync(this.blobPath(digest), { throwIfNoEntry: false }) !== undefined;
  }

  putBlob(bytes: Uint8Array): string {
    const digest = `sha256:${sha256(bytes)}`;
    this.#writeAside(this.blobPath(digest), bytes);
    return digest;
  }

  /** Makes a file elsewhere a blob of this store; false where it is gone meanwhile. */
  adopt(path: string, digest: string): boolean {
    try {
      linkSync(path, this.blobPath(digest));
      return true;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'EEXIST') return true;
      if (code === 'ENOENT') return false;
      // Another file system, or one without links.
      const temporary = join(this.blobFolder, `copy-${newToken(8)}.tmp`);
      copyFileSync(path, temporary);
      renameSync(temporary, this.blobPath(digest));
      return true;
    }
  }

  putImage(config: ImageConfig, layers: readonly Layer[], annotations: Record<string, string>): LocalImage {
    const configBytes = Buffer.from(JSON.stringify(config));
    const manifest = {
      schemaVersion: 2 as const,
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, digest: this.putBlob(configBytes), size: configBytes.length },
      layers: layers.map(({ digest, size, mediaType }): Descriptor => ({ mediaType, digest, size })),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    };
    const manifestBytes = Buffer.from(JSON.stringify(manifest));
    const manifestDigest = this.putBlob(manifestBytes);
    return { manifestDigest, manifest: { ...manifest, kind: 'manifest' }, manifestBytes, config };
  }

  tag(image: Pick<LocalImage, 'manifestDigest'>, reference: string): void {
    const name = completeReference(reference);
    this.#writeAside(this.#referencePath(name), JSON.stringify({ name, digest: image.manifestDigest }));
  }

  untag(reference: string): boolean {
    try {
      unlinkSync(this.#referencePath(completeReference(reference)));
      return true;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Sorted by name. */
  references(): { name: string; digest: string }[] {
    return readdirSync(this.#referenceFolder)
      .filter(file => file.endsWith('.json'))
      .map(
        file =>
          JSON.parse(readFileSync(join(this.#referenceFolder, file), 'utf8')) as {
            name: string;
            digest: string;
          },
      )
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** By name, image id (config digest, full or its start) or manifest digest; `undefined` where there is none. */
  find(text: string): LocalImage | undefined {
    const known = this.references();
    const byId = /^(?:sha256:)?[0-9a-f]{6,64}$/.test(text)
      ? known.find(({ digest }) => this.#isCalled(digest, text))
      : undefined;
    return this.#read(byId?.digest ?? this.#findByName(text, known));
  }

  /** Like `find`; throws IMAGE_UNKNOWN. */
  image(text: string): LocalImage {
    const found = this.find(text);
    if (found !== undefined) return found;
    const names = this.references().map(({ name }) => name);
    throw new TandemError(
      'IMAGE_UNKNOWN',
      `No such image: ${text}. ${names.length === 0 ? 'Nothing was built or pulled in this build yet.' : `There are: ${names.join(', ')}.`}`,
    );
  }

  #findByName(text: string, known: { name: string; digest: string }[]): string | undefined {
    let name: string;
    try {
      name = completeReference(text);
    } catch {
      return undefined;
    }
    const { registry, repository, digest } = parseImageReference(name);
    if (digest === undefined) return known.find(entry => entry.name === name)?.digest;
    return known.find(entry => {
      const other = parseImageReference(entry.name);
      return entry.digest === digest && other.repository === repository && other.registry === registry;
    })?.digest;
  }

  #isCalled(manifestDigest: string, text: string): boolean {
    const hex = text.replace(/^sha256:/, '');
    const image = this.#read(manifestDigest);
    return [manifestDigest, image?.manifest.config.digest].some(digest =>
      digest?.startsWith(`sha256:${hex}`),
    );
  }

  #read(manifestDigest: string | undefined): LocalImage | undefined {
    if (manifestDigest === undefined) return undefined;
    const manifestBytes = readFileSync(this.blobPath(manifestDigest));
    // Written by this store, or checked when it was pulled.
    const manifest = {
      ...(JSON.parse(manifestBytes.toString()) as ImageManifest),
      kind: 'manifest' as const,
    };
    const config = JSON.parse(readFileSync(this.blobPath(manifest.config.digest), 'utf8')) as ImageConfig;
    return { manifestDigest, manifest, manifestBytes, config };
  }

  #referencePath(name: string): string {
    return join(this.#referenceFolder, `${encodeURIComponent(name)}.json`);
  }

  #writeAside(path: string, data: string | Uint8Array): void {
    const temporary = join(this.blobFolder, `write-${newToken(8)}.tmp`);
    writeFileSync(temporary, data);
    renameSync(temporary, path);
  }
}

/** With `:latest` where neither tag nor digest is given. Throws IMAGE_REFERENCE_INVALID. */
export function completeReference(text: string): string {
  const reference = parseImageReference(text);
  const complete: ImageReference =
    reference.tag === undefined && reference.digest === undefined
      ? { ...reference, tag: 'latest' }
      : reference;
  return formatImageReference(complete);
}
