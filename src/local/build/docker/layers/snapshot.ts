import { join } from 'node:path';
import { lstatSync, readdirSync, type Stats } from '../../../../platform/files.ts';

/** What a folder held at one moment: enough to tell afterwards what changed. */
export type Snapshot = ReadonlyMap<string, Stats>;

/** Every path below `root`, links not followed. Whatever changes a file changes its ctime, which nobody can set back. */
export function takeSnapshot(root: string): Snapshot {
  const found = new Map<string, Stats>();
  const visit = (folder: string) => {
    for (const name of readdirSync(join(root, folder))) {
      const path = folder === '' ? name : `${folder}/${name}`;
      const stats = lstatSync(join(root, path));
      found.set(path, stats);
      if (stats.isDirectory()) visit(path);
    }
  };
  visit('');
  return found;
}

/** Paths of `after` that are new or changed. A folder counts as changed by its own mode or owner, not by what it holds. */
export function changedPaths(before: Snapshot, after: Snapshot): string[] {
  return [...after]
    .filter(([path, stats]) => {
      const earlier = before.get(path);
      return earlier === undefined || !isSame(earlier, stats);
    })
    .map(([path]) => path);
}

/** Paths that are gone; what lay below a folder that is gone is not named again. */
export function removedPaths(before: Snapshot, after: Snapshot): string[] {
  return [...before.keys()].filter(path => {
    if (after.has(path)) return false;
    const slash = path.lastIndexOf('/');
    return slash < 0 || after.get(path.slice(0, slash))?.isDirectory() === true;
  });
}

function isSame(left: Stats, right: Stats): boolean {
  const isSameKind = left.mode === right.mode && left.uid === right.uid && left.gid === right.gid;
  if (!isSameKind || left.isDirectory()) return isSameKind;
  return left.ino === right.ino && left.size === right.size && left.ctimeMs === right.ctimeMs;
}
