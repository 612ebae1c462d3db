import { isAbsolute, join, posix } from 'node:path';
import { cp, mkdir, readdir, readTextIfExists, rename, rm, stat, writeFile } from '../../platform/files.ts';
import { sha256 } from '../../platform/hash.ts';
import { newToken } from '../../platform/random.ts';
import { copyFiles } from './artifacts.ts';
import type { CacheSettings } from './buildspec/schema.ts';
import type { Expand } from './expressions.ts';
import { findFiles } from './file-patterns.ts';
import type { BuildFolders } from './workspace.ts';

/** Kept caches; the one that was saved longest ago goes first. */
const MOST_CACHES = 10;

/** The key of a cache that the buildspec gives none: replaced by every build that saves it. */
const UNNAMED_KEY = '';

/** HOME of CodeBuild's images, which buildspecs name in full: it stands for this build's HOME. */
const CODEBUILD_HOME = '/root/';

/** A build's cache between its restoring and its saving. */
export interface CacheUse {
  settings: CacheSettings;
  key: string;
  /** The very key was restored: a named cache is never changed once it is there. */
  isExact: boolean;
}

/**
 * Files kept from build to build (AWS: "Amazon S3 caching"), a folder a key, holding `key`, `source/` and `home/`. A cache is
 * complete under a temporary name before it gets its own, so a crash leaves none in part.
 */
export class BuildCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Brings back the cache of this key, or the newest of which a fallback key is the beginning. Files of the source win. */
  async restore(
    settings: CacheSettings,
    folders: BuildFolders,
    expand: Expand,
    note: (text: string) => void,
  ): Promise<CacheUse> {
    const key = settings.key === undefined ? UNNAMED_KEY : expand(settings.key);
    if (settings.action === 'save') return { settings, key, isExact: false };
    const found = await this.#find(key, settings['fallback-keys'].map(expand));
    if (found === undefined) {
      note(key === UNNAMED_KEY ? 'No cache yet' : `No cache with key ${key}`);
      return { settings, key, isExact: false };
    }
    for (const [part, target] of parts(folders)) {
      await cp(join(found.folder, part), target, {
        recursive: true,
        force: false,
        verbatimSymlinks: true,
      });
    }
    note(`Restored the cache${found.key === UNNAMED_KEY ? '' : ` with key ${found.key}`}`);
    return { settings, key, isExact: found.key === key };
  }

  /** Keeps the files of a build that succeeded. */
  async save(
    use: CacheUse,
    folders: BuildFolders,
    expand: Expand,
    note: (text: string) => void,
  ): Promise<void> {
    const { settings, key } = use;
    if (settings.action === 'restore' || (use.isExact && key !== UNNAMED_KEY)) return;
    const temporary = join(this.#folder, `.${newToken(8)}`);
    let count = 0;
    for (const pattern of settings.paths.map(expand)) {
      const place = placeOf(pattern, folders);
      if (place === undefined) {
        note(`Not cached, for it lies outside of the source folder and HOME: ${pattern}`);
        continue;
      }
      const files = await findFiles(place.root, [place.pattern], { keepLinks: true });
      await copyFiles(place.root, files, join(temporary, place.part));
      count += files.length;
    }
    if (count === 0) return note('Nothing to cache');
    for (const [part] of parts(folders)) await mkdir(join(temporary, part), { recursive: true });
    await writeFile(join(temporary, 'key'), key);
    await this.#publish(temporary, key);
    note(`Saved ${count} file(s) to the cache${key === UNNAMED_KEY ? '' : ` with key ${key}`}`);
    await this.#evict();
  }

  async #publish(temporary: string, key: string): Promise<void> {
    const folder = join(this.#folder, sha256(key));
    await rm(folder, { recursive: true, force: true });
    // Where another build saved the same key at this moment, its files are as good.
    await rename(temporary, folder).catch(() => rm(temporary, { recursive: true, force: true }));
  }

  async #find(
    key: string,
    fallbackKeys: readonly string[],
  ): Promise<{ key: string; folder: string } | undefined> {
    const caches = await this.#newestFirst();
    const exact = caches.find(cache => cache.key === key);
    if (exact !== undefined) return exact;
    for (const prefix of fallbackKeys) {
      const near = caches.find(cache => cache.key.startsWith(prefix));
      if (near !== undefined) return near;
    }
    return undefined;
  }

  async #newestFirst(): Promise<{ key: string; folder: string; savedAt: number }[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const caches = await Promise.all(
      names.map(async name => {
        const folder = join(this.#folder, name);
        const key = name.startsWith('.') ? undefined : await readTextIfExists(join(folder, 'key'));
        return key === undefined
          ? undefined
          : { key, folder, savedAt: (await stat(join(folder, 'key'))).mtimeMs };
      }),
    );
    return caches.filter(cache => cache !== undefined).sort((left, right) => right.savedAt - left.savedAt);
  }

  async #evict(): Promise<void> {
    for (const { folder } of (await this.#newestFirst()).slice(MOST_CACHES)) {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** Texts of the cache's settings that may hold expressions. */
export function cacheTexts(cache: CacheSettings | undefined): string[] {
  return cache === undefined ? [] : [cache.key ?? '', ...cache['fallback-keys'], ...cache.paths];
}

type Part = 'source' | 'home';

function parts(folders: BuildFolders): [Part, string][] {
  return [
    ['source', folders.source],
    ['home', folders.home],
  ];
}

function placeOf(
  pattern: string,
  folders: BuildFolders,
): { part: Part; root: string; pattern: string } | undefined {
  const absolute = pattern.startsWith('~/') ? join(folders.home, pattern.slice(2)) : pattern;
  if (absolute.startsWith(CODEBUILD_HOME)) {
    return { part: 'home', root: folders.home, pattern: absolute.slice(CODEBUILD_HOME.length) };
  }
  if (!isAbsolute(absolute)) {
    return posix.normalize(absolute).startsWith('..')
      ? undefined
      : { part: 'source', root: folders.source, pattern: absolute };
  }
  for (const [part, root] of parts(folders)) {
    if (absolute.startsWith(`${root}/`)) return { part, root, pattern: absolute.slice(root.length + 1) };
  }
  return undefined;
}
