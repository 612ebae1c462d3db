import { join } from 'node:path';
import { lstatSync, readlinkSync, rmSync, rmdirSync, type Stats } from '../../../../platform/files.ts';
import { userId } from '../../../../platform/process.ts';
import { unsupported, type Instruction } from '../dockerfile/instruction.ts';
import type { NewLayerEntry } from '../layers/entry.ts';
import { changedPaths, removedPaths, takeSnapshot, type Snapshot } from '../layers/snapshot.ts';
import type { FileTree } from '../layers/tree.ts';
import type { Owner } from './users.ts';

/** Folders that a base image would bring; changing a file of them is changing the base. */
const SYSTEM_FOLDER = /^(?:bin|boot|etc|lib|lib32|lib64|libx32|opt|sbin|usr|var\/lib)\//;

export interface ChangeRequest {
  instruction: Instruction;
  root: string;
  before: Snapshot;
  tree: FileTree;
  /** Who RUN ran as, in the image's eyes: the owner of what it made. */
  owner: Owner;
  /** Top-level folders in which RUN saw this machine's files below the stage's. */
  overlaid: ReadonlySet<string>;
  warn(text: string): void;
}

/**
 * What a RUN changed in the stage, as entries of a layer. A file that this machine had and the stage had not is a
 * changed copy of the machine's own: it never gets into an image.
 */
export function collectChanges(request: ChangeRequest): NewLayerEntry[] {
  if (request.overlaid.size > 0) dropMachineFiles(request);
  const after = takeSnapshot(request.root);
  const changed = changedPaths(request.before, after).sort();
  const firstOfFile = new Map<string, string>();
  const entries = changed.flatMap(path => toEntry(request, path, after.get(path)!, firstOfFile) ?? []);
  const removed = removedPaths(request.before, after).map((path): NewLayerEntry => ({
    path,
    type: 'whiteout',
    mode: 0o600,
    uid: 0,
    gid: 0,
  }));
  return [...entries, ...removed];
}

function dropMachineFiles({ instruction, root, before, overlaid, warn }: ChangeRequest): void {
  const dropped: string[] = [];
  const touched: string[] = [];
  for (const [path, stats] of takeSnapshot(root)) {
    if (before.has(path) && !isOverlayWhiteout(stats)) continue;
    if (!overlaid.has(path.split('/', 1)[0]!)) continue;
    const own = lstatSync(join('/', path), { throwIfNoEntry: false });
    if (own === undefined && !isOverlayWhiteout(stats)) continue;
    // The stage sees a file of this machine no more: there is nothing to take away from the image.
    if (isOverlayWhiteout(stats)) {
      rmSync(join(root, path), { force: true });
      continue;
    }
    if (stats.isDirectory()) {
      touched.push(path);
      continue;
    }
    if (SYSTEM_FOLDER.test(path))
      throw unsupported(
        instruction,
        `it changed /${path}, which belongs to the base image, and this machine stands for the base`,
      );
    rmSync(join(root, path), { force: true });
    dropped.push(path);
  }
  for (const path of touched.reverse()) removeIfEmpty(join(root, path));
  if (dropped.length === 0) return;
  const more = dropped.length > 3 ? ` and ${dropped.length - 3} more` : '';
  const names = dropped.slice(0, 3).map(path => `/${path}`);
  warn(`left out of the image, being changed copies of this machine's own files: ${names.join(', ')}${more}`);
}

/** A folder of this machine's comes to the stage when something in it changes; without that, it goes again. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Something in it is the image's.
  }
}

/** overlayfs marks what was removed from a lower folder with a character device 0:0. */
function isOverlayWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}

function toEntry(
  request: ChangeRequest,
  path: string,
  stats: Stats,
  firstOfFile: Map<string, string>,
): NewLayerEntry | undefined {
  const place = join(request.root, path);
  const common = { path, mode: stats.mode & 0o7777, ...ownerOf(request, path, stats) };
  if (stats.isDirectory()) return { ...common, type: 'folder' };
  if (stats.isSymbolicLink()) return { ...common, mode: 0o777, type: 'link', target: readlinkSync(place) };
  if (!stats.isFile()) return undefined;
  if (stats.nlink > 1) {
    const identity = `${stats.dev}:${stats.ino}`;
    const first = firstOfFile.get(identity);
    if (first !== undefined) return { ...common, type: 'hardlink', target: first };
    firstOfFile.set(identity, path);
  }
  return { ...common, type: 'file', content: { source: { path: place }, size: stats.size } };
}

/**
 * On disk everything belongs to the user that Tandem runs as, whatever the image says; RUN runs as that user, too.
 * So a file that still does keeps its recorded owner, or is USER's where it is new; one that RUN gave away (which
 * only the superuser can) belongs to whom it was given.
 */
function ownerOf({ tree, owner, before }: ChangeRequest, path: string, stats: Stats): Owner {
  if (stats.uid !== userId) return { uid: stats.uid, gid: stats.gid };
  const { uid, gid } = (before.has(path) ? tree.get(path) : undefined) ?? owner;
  return { uid, gid };
}
