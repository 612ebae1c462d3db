import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
  createReadStream,
} from 'node:fs';
import { access, lstat, mkdir as makeFolder, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../core/error.ts';
import { isAlive, operatingSystem, runCommand } from './process.ts';

export {
  chmod,
  copyFile,
  cp,
  lstat,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
export type { FileHandle } from 'node:fs/promises';
export {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs';
export type { FSWatcher, Stats } from 'node:fs';
export { tmpdir } from 'node:os';

/**
 * As Node's own, but it always ends: on a file system that answers ENOENT to every new name, as /proc does, Node's
 * recursive one goes on for ever.
 */
export async function mkdir(
  path: string,
  options: { recursive?: boolean; mode?: number } = {},
): Promise<void> {
  const { recursive = false, ...rest } = options;
  try {
    await makeFolder(path, rest);
  } catch (error) {
    const code = systemErrorCode(error);
    if (!recursive) throw error;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await mkdir(dirname(path), options);
    // Whoever made the parent, it is there now: a second ENOENT is the file system's last word.
    await makeFolder(path, rest).catch(async (again: unknown) => {
      if (systemErrorCode(again) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw again;
    });
  }
}

/** True where something exists at `path` and can be reached. */
export async function pathExists(path: string): Promise<boolean> {
  try {
    await access(path, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}

/** What `readTextWithin` throws for a file that it does not read: `message` says what it is, without its name. */
export class FileRefusedError extends Error {}

/**
 * The text of a regular file of at most so many bytes: whoever wrote it may have made it a link to a device, or endless.
 * Throws FileRefusedError, or the system's error (ENOENT…).
 */
export async function readTextWithin(path: string, largestBytes: number): Promise<string> {
  if (!(await stat(path)).isFile()) throw new FileRefusedError('is not a regular file');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of createReadStream(path, { end: largestBytes })) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  if (bytes > largestBytes) throw new FileRefusedError(`is larger than ${largestBytes} bytes`);
  return Buffer.concat(chunks).toString('utf8');
}

/** The same at once, and of anything that can be read to its end: a pipe's text, too. Throws FileRefusedError beyond the bytes. */
export function readTextWithinSync(path: string, largestBytes: number): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(largestBytes + 1);
    let length = 0;
    let read: number;
    do {
      read = readSync(file, bytes, length, bytes.length - length, null);
      length += read;
    } while (read > 0 && length < bytes.length);
    if (length > largestBytes) throw new FileRefusedError(`is larger than ${largestBytes} bytes`);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}

/** The file's text, or `undefined` where there is no such file. */
export async function readTextIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Replaces `path` so that a crash or power loss leaves the old content or the new, never a mixture: written
 * beside it, synced, renamed, and the folder synced. What a killed process left half-written there is removed.
 */
export function writeFileDurably(path: string, data: string | Uint8Array, mode = 0o644): void {
  removeStaleTemporaries(path);
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w', mode);
  try {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    let written = 0;
    while (written < bytes.length) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Folders in which this process has looked; whoever is killed later is replaced by a process that looks again. */
const sweptFolders = new Set<string>();

function removeStaleTemporaries(path: string): void {
  const folder = dirname(path);
  if (sweptFolders.has(folder)) return;
  sweptFolders.add(folder);
  for (const name of readdirSync(folder)) {
    const pid = /\.(\d+)\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { force: true });
  }
}

/** Makes renames and new names within `folder` survive power loss (POSIX: a folder's entries need their own fsync). */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Resolves once everything that was written to the file system of `folder` would survive power loss: for folders of
 * many files, where a sync each would take long. Rejects where the system has no program for it, or it fails.
 */
export async function syncFileSystem(folder: string, signal: AbortSignal): Promise<void> {
  const argv = operatingSystem === 'linux' ? ['-f', folder] : [];
  const { exitCode, stderr } = await runCommand('sync', argv, { signal });
  if (exitCode !== 0) throw new Error(stderr.trim());
}

/** Beyond it a log starts afresh. */
const LARGEST_LOG_BYTES = 1_048_576;

/**
 * Moves what a full log holds to `<path>.1`, in place of what was there, and empties it: whoever has it open for
 * appending writes on at its new end. Never throws: a log must not stop what it tells of.
 */
export function keepLogSmall(path: string): void {
  try {
    if (statSync(path).size <= LARGEST_LOG_BYTES) return;
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
  } catch {
    // It grows until there is room for the copy.
  }
}

/** Bytes of all files below `folder`, links not followed; 0 where there is no folder. What vanishes meanwhile is not counted. */
export async function folderSize(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter(entry => entry.isFile())
      .map(entry =>
        lstat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((total, size) => total + size, 0);
}
