import { join } from 'node:path';
import { TandemError, systemErrorCode } from '../../../../core/error.ts';
import {
  lstatSync,
  FileRefusedError,
  readTextWithinSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from '../../../../platform/files.ts';
import { parseIgnoreFile, type IgnoreRules } from './ignore.ts';
import { resolveWithin } from './scoped-path.ts';
import type { FileSource, SourceItem } from './file-source.ts';

/** The folder given to `docker build`, less what `.dockerignore` names. Files in it belong to root, as Docker sends them. */
export class BuildContext implements FileSource {
  readonly title = 'the build context';
  readonly #root: string;
  readonly #ignore: IgnoreRules;

  /** `dockerfile` is its path: `<Dockerfile>.dockerignore` beside it takes the place of `.dockerignore`. */
  constructor(folder: string, dockerfile: string | undefined) {
    try {
      this.#root = realpathSync(folder);
      if (!lstatSync(this.#root).isDirectory()) throw new Error('it is not a folder');
    } catch (error) {
      throw new TandemError(
        'BUILD_CONTEXT_INVALID',
        `The build context "${folder}" cannot be read. Give docker build the path of a folder, as in: docker build -t name .`,
        { cause: error },
      );
    }
    const own = dockerfile === undefined ? undefined : readIfExists(`${dockerfile}.dockerignore`);
    this.#ignore = parseIgnoreFile(own ?? readIfExists(join(this.#root, '.dockerignore')) ?? '');
  }

  item(path: string): SourceItem | undefined {
    if (path !== '' && this.#ignore.isIgnored(path) && !this.#holdsTakenBack(path)) return undefined;
    const place = join(this.#root, path);
    const found = statOf(place);
    if (found === undefined) return undefined;
    const owned = { path, mode: found.mode & 0o7777, uid: 0, gid: 0 };
    if (found.isDirectory()) return { ...owned, type: 'folder' };
    if (found.isSymbolicLink()) return { ...owned, type: 'link', mode: 0o777, target: readlinkSync(place) };
    // Sockets, pipes and devices are no content; Docker's client leaves them out too.
    if (!found.isFile()) return undefined;
    return { ...owned, type: 'file', content: { path: place, size: found.size } };
  }

  list(folder: string): string[] {
    try {
      return readdirSync(join(this.#root, folder)).sort();
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return [];
      throw error;
    }
  }

  resolve(path: string, keepLast = false): string | undefined {
    return resolveWithin(this.#root, path, keepLast);
  }

  /** An ignored folder is still walked where a `!` line brings back something below it. */
  #holdsTakenBack(folder: string): boolean {
    if (!this.#ignore.mayTakeBackBelow(folder)) return false;
    const isFolder = lstatSync(join(this.#root, folder), { throwIfNoEntry: false })?.isDirectory() ?? false;
    return isFolder && this.list(folder).some(name => this.item(`${folder}/${name}`) !== undefined);
  }
}

/** `undefined` also for what lies below a file, and for names that no file can have. */
function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemErrorCode(error) === 'ENOTDIR' || systemErrorCode(error) === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

const LARGEST_IGNORE_FILE_BYTES = 1_048_576;

function readIfExists(path: string): string | undefined {
  try {
    return readTextWithinSync(path, LARGEST_IGNORE_FILE_BYTES);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    if (error instanceof FileRefusedError)
      throw new TandemError(
        'BUILD_CONTEXT_INVALID',
        `${path} ${error.message}. Write patterns, not lists of files.`,
      );
    throw error;
  }
}
