import { join } from 'node:path';
import { systemErrorCode } from '../../../../core/error.ts';
import { lstatSync, readlinkSync } from '../../../../platform/files.ts';

const MOST_LINKS = 64;

/**
 * Where `path` leads when the folder that `linkTarget` knows is taken for `/`: symbolic links are followed, and none
 * leads out (an absolute one starts again at the root, `..` at the root stays there). The result, relative to the
 * root, holds no link. With `keepLast`, a link in the last place is not followed. `undefined` where links go round in
 * a circle. `linkTarget` is given a path without links and tells where a link there points; `undefined`: no link.
 */
export function resolveLinks(
  path: string,
  keepLast: boolean,
  linkTarget: (path: string) => string | undefined,
): string | undefined {
  const pending = path.split('/');
  const resolved: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const part = pending.shift()!;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      resolved.pop();
      continue;
    }
    const isLast = pending.every(rest => rest === '' || rest === '.');
    const target = keepLast && isLast ? undefined : linkTarget([...resolved, part].join('/'));
    if (target === undefined) {
      resolved.push(part);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return undefined;
    if (target.startsWith('/')) resolved.length = 0;
    pending.unshift(...target.split('/'));
  }
  return resolved.join('/');
}

/** `resolveLinks` in the folder `root` on disk; what does not exist is taken as written. */
export function resolveWithin(root: string, path: string, keepLast = false): string | undefined {
  return resolveLinks(path, keepLast, place => linkTargetOnDisk(join(root, place)));
}

function linkTargetOnDisk(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}
