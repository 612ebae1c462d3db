import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Release } from '../../../model/release.ts';
import { mkdir, pathExists, readFile, writeFile } from '../../../platform/files.ts';
import { sha256 } from '../../../platform/hash.ts';
import type { ContainerConfig } from '../../../wire/oci/image-config.ts';
import { parseManifest, type ImageManifest } from '../../../wire/oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../wire/oci/media-types.ts';
import type { Registry } from '../../registry/contract.ts';

/** Images as files in a folder, served as the registry would. */
export class ImageFolder implements Pick<Registry, 'manifest' | 'blobPath'> {
  readonly #folder: string;
  #releases = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** An image of one layer whose `/app/server.cjs` is `script`, run by `node`; and a release of it. */
  async release(script: string, config: ContainerConfig = {}): Promise<Release> {
    this.#releases += 1;
    const commit = String(this.#releases).repeat(40).slice(0, 40);
    return { commit, digest: await this.#image(script, config), builtIn: 'us-east-1', builtAt: 0 };
  }

  async manifest(_repository: string, reference: string) {
    const path = await this.blobPath(reference);
    if (path === undefined) return undefined;
    return { digest: reference, mediaType: OCI_MANIFEST, bytes: await readFile(path) };
  }

  async blobPath(digest: string): Promise<string | undefined> {
    const path = join(this.#folder, digest.replace(':', '-'));
    return (await pathExists(path)) ? path : undefined;
  }

  /** The same image as bytes, to be pushed. */
  async contents(digest: string) {
    const load = async (descriptor: { digest: string; mediaType: string }) => ({
      digest: descriptor.digest,
      mediaType: descriptor.mediaType,
      bytes: await readFile((await this.blobPath(descriptor.digest))!),
    });
    const manifest = await load({ digest, mediaType: OCI_MANIFEST });
    const { config, layers } = parseManifest(manifest.bytes) as ImageManifest;
    return { manifest, config: await load(config), layers: await Promise.all(layers.map(load)) };
  }

  async #image(script: string, config: ContainerConfig): Promise<string> {
    const archive = pack();
    const collected = buffer(archive);
    archive.entry({ name: 'app', type: 'directory' });
    archive.entry({ name: 'app/server.cjs' }, script);
    archive.finalize();
    const tar = await collected;
    const layer = await this.#store(gzipSync(tar), OCI_LAYER_GZIP);
    const document = {
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['node', '/app/server.cjs'], WorkingDir: '/app', ...config },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(tar)}`] },
    };
    const stored = await this.#store(Buffer.from(JSON.stringify(document)), OCI_CONFIG);
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: stored, layers: [layer] };
    return (await this.#store(Buffer.from(JSON.stringify(manifest)), OCI_MANIFEST)).digest;
  }

  async #store(bytes: Buffer, mediaType: string) {
    const digest = `sha256:${sha256(bytes)}`;
    await mkdir(this.#folder, { recursive: true });
    await writeFile(join(this.#folder, digest.replace(':', '-')), bytes);
    return { digest, mediaType, size: bytes.length };
  }
}
