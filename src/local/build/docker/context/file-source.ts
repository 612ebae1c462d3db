import { globToRegExp } from './ignore.ts';

export interface SourceItem {
  /** Relative to the source's root; `''` for the root itself. */
  path: string;
  type: 'file' | 'folder' | 'link';
  mode: number;
  uid: number;
  gid: number;
  /** Of a link, as written. */
  target?: string;
  /** Where a file's bytes are; set for files. */
  content?: { path: string; size: number };
}

/** Where COPY and ADD take files from: the build context, or an earlier stage. */
export interface FileSource {
  /** As messages name it: `the build context`, `stage build`. */
  title: string;
  /** What is at `path`, links not followed; `undefined` where nothing is, or it is ignored. */
  item(path: string): SourceItem | undefined;
  /** Sorted names in a folder. */
  list(folder: string): string[];
  /** Follows links without ever leaving the source; `undefined` where they go round in a circle. */
  resolve(path: string, keepLast?: boolean): string | undefined;
}

const WILDCARD = /[*?[]/;

export function hasWildcard(pattern: string): boolean {
  return WILDCARD.test(pattern);
}

/** Paths that match, sorted: Go's filepath.Match, one path component at a time, each folder on the way followed. */
export function matchPaths(source: FileSource, pattern: string): string[] {
  let found = [''];
  for (const part of pattern.split('/').filter(part => part !== '' && part !== '.')) {
    found = found.flatMap(folder => {
      const join = (name: string) => (folder === '' ? name : `${folder}/${name}`);
      if (!hasWildcard(part)) return [join(part.replace(/\\(.)/g, '$1'))];
      const expression = globToRegExp(part, false);
      return source
        .list(source.resolve(folder) ?? folder)
        .filter(name => expression.test(name))
        .map(join);
    });
  }
  return found.filter(path => {
    const resolved = source.resolve(path);
    return resolved !== undefined && source.item(resolved) !== undefined;
  });
}

/** The item and all below it, folders before what they hold, links as links. */
export function* walk(source: FileSource, path: string): Generator<SourceItem> {
  const item = source.item(path);
  if (item === undefined) return;
  yield item;
  if (item.type !== 'folder') return;
  for (const name of source.list(path)) yield* walk(source, path === '' ? name : `${path}/${name}`);
}
