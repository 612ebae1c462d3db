import { isAbsolute, join, posix, relative, resolve, sep } from 'node:path';
import { TandemError } from '../../core/error.ts';
import { lstat, readdir, stat } from '../../platform/files.ts';

/** A file that a pattern found. */
export interface FoundFile {
  /** Below the folder that was searched, with `/`. */
  path: string;
  /** A link that is to be kept as a link (only with `keepLinks`). */
  isLink: boolean;
}

export interface SearchOptions {
  exclude?: readonly string[];
  /** Links are told as links instead of the files they lead to. */
  keepLinks?: boolean;
}

/**
 * The files below `root` that CodeBuild's location patterns name, sorted: `*` and `?` within one name, `**` over any
 * folders, `[a-z]`, `{a,b}`. The plain name of a folder stands for all in it. Links to folders are not entered.
 */
export async function findFiles(
  root: string,
  patterns: readonly string[],
  options: SearchOptions = {},
): Promise<FoundFile[]> {
  const excluded = (options.exclude ?? []).map(pattern => compilePattern(pattern));
  const found = new Map<string, FoundFile>();
  for (const pattern of patterns.map(normalise)) {
    const fixed = fixedPart(pattern);
    const matcher = compilePattern(pattern);
    const isPlain = fixed === pattern;
    for await (const file of walk(root, fixed, options.keepLinks ?? false)) {
      if ((isPlain || matcher.test(file.path)) && !excluded.some(expression => expression.test(file.path))) {
        found.set(file.path, file);
      }
    }
  }
  return [...found.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** A regular expression for whole paths. */
export function compilePattern(pattern: string): RegExp {
  const source = normalise(pattern).replaceAll(
    /\*\*\/|\*\*|\*|\?|\[!?[^\]/]+\]|\{[^{}]*\}|[^*?[{]+|./g,
    token => {
      if (token === '**/') return '(?:[^/]+/)*';
      if (token === '**') return '.*';
      if (token === '*') return '[^/]*';
      if (token === '?') return '[^/]';
      if (token.length > 2 && token.startsWith('[')) return characterClass(token);
      if (token.length > 1 && token.startsWith('{')) return alternatives(token);
      return escape(token);
    },
  );
  return new RegExp(`^${source}$`, 's');
}

/** `folder` below `root`; `root` for an empty text. Throws PATH_OUTSIDE_SOURCE where it leads out. */
export function folderInside(root: string, folder: string): string {
  const path = resolve(root, folder);
  const below = relative(root, path);
  if (below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below)) return path;
  throw new TandemError(
    'PATH_OUTSIDE_SOURCE',
    `${folder} lies outside of the source folder: a build's files are taken from CODEBUILD_SRC_DIR only`,
  );
}

function normalise(pattern: string): string {
  const normal = posix.normalize(pattern).replace(/\/$/, '');
  if (normal !== '..' && !normal.startsWith('../') && !normal.startsWith('/')) return normal;
  throw new TandemError(
    'PATH_OUTSIDE_SOURCE',
    `${pattern} leads out of the folder it is searched in: a build's files are taken from CODEBUILD_SRC_DIR only`,
  );
}

/** The folders before the first name with a wildcard. */
function fixedPart(pattern: string): string {
  const names = pattern.split('/');
  const first = names.findIndex(name => /[*?[{]/.test(name));
  return first < 0 ? pattern : names.slice(0, first).join('/');
}

async function* walk(root: string, path: string, keepLinks: boolean): AsyncGenerator<FoundFile> {
  const absolute = join(root, path);
  const own = await lstat(absolute).catch(() => undefined);
  if (own === undefined) return;
  if (own.isSymbolicLink()) {
    if (keepLinks) yield { path, isLink: true };
    else if ((await stat(absolute).catch(() => undefined))?.isFile()) yield { path, isLink: false };
  } else if (own.isFile()) {
    yield { path, isLink: false };
  } else if (own.isDirectory()) {
    for (const name of await readdir(absolute)) {
      yield* walk(root, path === '' || path === '.' ? name : `${path}/${name}`, keepLinks);
    }
  }
}

function characterClass(token: string): string {
  const isNegated = token[1] === '!';
  const members = token.slice(isNegated ? 2 : 1, -1).replaceAll(/[\\\]^]/g, '\\$&');
  return `${isNegated ? '(?!/)' : ''}[${isNegated ? '^' : ''}${members}]`;
}

function alternatives(token: string): string {
  const sources = token
    .slice(1, -1)
    .split(',')
    .map(choice => compilePattern(choice || '.').source.slice(1, -1));
  return `(?:${sources.join('|')})`;
}

function escape(text: string): string {
  return text.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
}
