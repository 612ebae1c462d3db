import { join } from 'node:path';
import { systemErrorCode } from '../../../../core/error.ts';
import type { Instant } from '../../../../core/instant.ts';
import { dateOf } from '../../../../platform/clock.ts';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from '../../../../platform/files.ts';
import { sha256File } from '../../../../platform/hash.ts';
import { newToken } from '../../../../platform/random.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { Layer } from './entry.ts';

/** What an instruction made: a layer and the list of its entries, or nothing. */
export interface StepResult {
  layer?: Layer;
  /** The blob that holds the layer's entries as JSON: cheaper to read than the layer. */
  entries?: string;
}

/** More than this is kept only until a build adds a layer; then the least recently used go until 80 % are left. */
const LARGEST_CACHE_BYTES = 5 * 1024 ** 3;

/**
 * Results of instructions by what went into them, shared by all builds. A hit is linked into the build's own store
 * first: whoever prunes at that moment takes a name away, never the bytes. There is no lock; a record is written
 * after the blobs it names, and one whose blobs are gone is a miss.
 */
export class LayerCache {
  readonly #folder: string;
  readonly #store: ImageStore;
  readonly #now: () => Instant;

  constructor(folder: string, store: ImageStore, now: () => Instant) {
    this.#folder = folder;
    this.#store = store;
    this.#now = now;
    mkdirSync(join(folder, 'records'), { recursive: true });
    mkdirSync(join(folder, 'blobs'), { recursive: true });
  }

  find(key: string): StepResult | undefined {
    const path = this.#recordPath(key);
    let record: StepResult;
    try {
      record = JSON.parse(readFileSync(path, 'utf8')) as StepResult;
    } catch {
      return undefined; // Absent, or cut short by a power loss.
    }
    const blobs = blobsOf(record);
    if (!blobs.every(({ digest, size }) => this.#take(digest, size))) return undefined;
    this.#touch(path);
    return record;
  }

  keep(key: string, result: StepResult): void {
    for (const { digest } of blobsOf(result)) {
      try {
        linkSync(this.#store.blobPath(digest), this.#blobPath(digest));
      } catch (error) {
        // Another file system: this build has its layer, later ones build it again.
        if (systemErrorCode(error) !== 'EEXIST') return;
      }
      this.#touch(this.#blobPath(digest));
    }
    // Written in the build's own folder, which is removed after it: a kill leaves nothing in the cache.
    const temporary = join(this.#store.blobFolder, `record-${newToken(8)}.tmp`);
    writeFileSync(temporary, JSON.stringify(result));
    renameSync(temporary, this.#recordPath(key));
    this.#touch(this.#recordPath(key));
  }

  prune(largestBytes = LARGEST_CACHE_BYTES): void {
    const blobs = this.#listed('blobs');
    let total = blobs.reduce((sum, { size }) => sum + size, 0);
    if (total <= largestBytes) return;
    let newestRemoved = 0;
    for (const { path, size, usedAt } of blobs) {
      if (total <= largestBytes * 0.8) break;
      rmSync(path, { force: true });
      total -= size;
      newestRemoved = usedAt;
    }
    for (const { path, usedAt } of this.#listed('records'))
      if (usedAt <= newestRemoved) rmSync(path, { force: true });
  }

  /** Least recently used first. */
  #listed(kind: 'blobs' | 'records'): { path: string; size: number; usedAt: number }[] {
    return readdirSync(join(this.#folder, kind))
      .flatMap(name => {
        const path = join(this.#folder, kind, name);
        const found = lstatSync(path, { throwIfNoEntry: false });
        return found === undefined ? [] : [{ path, size: found.size, usedAt: found.mtimeMs }];
      })
      .sort((left, right) => left.usedAt - right.usedAt);
  }

  #take(digest: string, size: number | undefined): boolean {
    const path = this.#blobPath(digest);
    if (!isWhole(path, digest, size)) return false;
    if (!this.#store.adopt(path, digest)) return false;
    this.#touch(path);
    return true;
  }

  #touch(path: string): void {
    const now = dateOf(this.#now());
    try {
      utimesSync(path, now, now);
    } catch {
      // Pruned meanwhile: this build has its own link.
    }
  }

  #recordPath(key: string): string {
    return join(this.#folder, 'records', `${key}.json`);
  }

  #blobPath(digest: string): string {
    return join(this.#folder, 'blobs', digest.replace(':', '-'));
  }
}

/** Power loss may leave a blob under its name without its bytes. Layers are large: their size tells. */
function isWhole(path: string, digest: string, size: number | undefined): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  return size === undefined ? `sha256:${sha256File(path)}` === digest : found.size === size;
}

function blobsOf(result: StepResult): { digest: string; size?: number }[] {
  return [
    ...(result.layer === undefined ? [] : [{ digest: result.layer.digest, size: result.layer.size }]),
    ...(result.entries === undefined ? [] : [{ digest: result.entries }]),
  ];
}
