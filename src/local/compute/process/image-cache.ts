import { join } from 'node:path';
import { TandemError, errorMessage } from '../../../core/error.ts';
import type { Digest } from '../../../model/names.ts';
import { unpackLayer } from '../../../platform/archive.ts';
import { removeTree } from '../../../platform/file-tree.ts';
import {
  mkdir,
  pathExists,
  readdir,
  readFile,
  rename,
  syncFileSystem,
  writeFile,
} from '../../../platform/files.ts';
import { architecture } from '../../../platform/process.ts';
import { newToken } from '../../../platform/random.ts';
import { parseImageConfig, type ContainerConfig } from '../../../wire/oci/image-config.ts';
import { parseManifest, type ImageManifest } from '../../../wire/oci/manifest.ts';
import type { Registry } from '../../registry/contract.ts';

export interface UnpackedImage {
  /** Its files; to be copied, never changed. */
  root: string;
  config: ContainerConfig;
}

/** Node.js's names of processor architectures, in the words of OCI (which are Go's). */
const OCI_ARCHITECTURES: Record<string, string> = { x64: 'amd64', ia32: '386' };

/** Beside an image's files from the moment on from which they would survive power loss. */
const SYNCED_MARK = 'synced';

/**
 * Images of the region's registry, unpacked once each. An image appears under its digest only when it is complete,
 * so that a crash leaves nothing that looks like one. Power loss may: files that were never written to the disk are
 * empty then. So all is synced once, while tasks start already, and a process that finds an image by another before
 * it takes it as it is only where that was done.
 */
export class ImageCache {
  readonly #folder: string;
  readonly #repository: string;
  readonly #registry: Pick<Registry, 'manifest' | 'blobPath'>;
  readonly #unpacking = new Map<Digest, Promise<void>>();
  readonly #partial = new Set<string>();
  /** Unpacked by this process: what it has written it reads, also before it is on the disk. */
  readonly #ownWork = new Set<Digest>();
  readonly #closing = new AbortController();

  constructor(folder: string, repository: string, registry: Pick<Registry, 'manifest' | 'blobPath'>) {
    this.#folder = folder;
    this.#repository = repository;
    this.#registry = registry;
  }

  /** Unpacks it where that was not done before. Throws TASK_IMAGE_UNAVAILABLE. */
  async unpacked(digest: Digest): Promise<UnpackedImage> {
    const folder = join(this.#folder, folderName(digest));
    if (!(await pathExists(this.#ownWork.has(digest) ? folder : join(folder, SYNCED_MARK)))) {
      const running = this.#unpacking.get(digest) ?? this.#unpack(digest, folder);
      this.#unpacking.set(digest, running);
      await running.finally(() => this.#unpacking.delete(digest));
    }
    const config = parseImageConfig(await readFile(join(folder, 'config.json')));
    return { root: join(folder, 'root'), config: config.config };
  }

  /**
   * Removes every image that is not needed, and what a crash left half unpacked. An image loses its name first: who
   * asks for it meanwhile unpacks it again.
   */
  async prune(isNeeded: (digest: Digest) => boolean): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const entry of await readdir(this.#folder)) {
      if (this.#partial.has(entry) || isNeeded(entry.replace('-', ':'))) continue;
      await this.#remove(entry);
    }
  }

  /** Nothing is written afterwards. */
  close(): void {
    this.#closing.abort();
  }

  async #remove(entry: string): Promise<void> {
    const doomed = this.#newPartial();
    await rename(join(this.#folder, entry), join(this.#folder, doomed));
    await removeTree(join(this.#folder, doomed));
    this.#partial.delete(doomed);
  }

  /** The name of something half made, which `prune` leaves alone. */
  #newPartial(): string {
    const name = `.partial-${newToken(8)}`;
    this.#partial.add(name);
    return name;
  }

  async #unpack(digest: Digest, folder: string): Promise<void> {
    const name = this.#newPartial();
    const partial = join(this.#folder, name);
    const root = join(partial, 'root');
    try {
      await mkdir(root, { recursive: true });
      const manifest = await this.#imageManifest(digest);
      for (const { digest, mediaType } of manifest.layers) {
        await unpackLayer(await this.#blob(digest), mediaType, root);
      }
      const config = await readFile(await this.#blob(manifest.config.digest));
      parseImageConfig(config);
      await writeFile(join(partial, 'config.json'), config);
      if (await pathExists(folder)) await this.#remove(folderName(digest));
      await rename(partial, folder);
      this.#ownWork.add(digest);
      void this.#makeDurable(folder);
    } catch (error) {
      await removeTree(partial);
      if (error instanceof TandemError && error.code === 'TASK_IMAGE_UNAVAILABLE') throw error;
      throw new TandemError(
        'TASK_IMAGE_UNAVAILABLE',
        `The image ${this.#repository}@${digest} can not be unpacked: ${errorMessage(error)}. Build and push it again.`,
        { kind: 'system', cause: error },
      );
    } finally {
      this.#partial.delete(name);
    }
  }

  /** Where this fails, or the process ends before, the next one unpacks the image again. */
  async #makeDurable(folder: string): Promise<void> {
    try {
      await syncFileSystem(folder, this.#closing.signal);
      this.#closing.signal.throwIfAborted();
      await writeFile(join(folder, SYNCED_MARK), '');
    } catch {
      // Nobody waits for it.
    }
  }

  /** Of an index, the image made for this machine's processor; where none is, the first for Linux. */
  async #imageManifest(digest: Digest): Promise<ImageManifest> {
    const stored = await this.#registry.manifest(this.#repository, digest);
    if (!stored) throw this.#unavailable(`${this.#repository}@${digest}`);
    const manifest = parseManifest(stored.bytes, stored.mediaType);
    if (manifest.kind === 'manifest') return manifest;
    const wanted = OCI_ARCHITECTURES[architecture] ?? architecture;
    const linux = manifest.manifests.filter(({ platform }) => platform?.os === 'linux');
    const chosen = linux.find(({ platform }) => platform?.architecture === wanted) ?? linux[0];
    if (!chosen) throw this.#unavailable(`${this.#repository}@${digest} for linux/${wanted}`);
    return this.#imageManifest(chosen.digest);
  }

  async #blob(digest: Digest): Promise<string> {
    const path = await this.#registry.blobPath(digest);
    if (path === undefined) throw this.#unavailable(`The blob ${digest} of ${this.#repository}`);
    return path;
  }

  #unavailable(what: string): TandemError {
    return new TandemError(
      'TASK_IMAGE_UNAVAILABLE',
      `${what} is not in this region's registry. Push it, or deploy a release whose image is there.`,
    );
  }
}

function folderName(digest: Digest): string {
  return digest.replace(':', '-');
}
