import { resolveLinks } from '../context/scoped-path.ts';
import type { LayerEntry } from './entry.ts';

export type TreeEntry = Pick<LayerEntry, 'mode' | 'uid' | 'gid' | 'target'> & {
  type: 'file' | 'folder' | 'link';
};

interface Node {
  entry: TreeEntry;
  children: Map<string, Node>;
}

const FOLDER: TreeEntry = { type: 'folder', mode: 0o755, uid: 0, gid: 0 };

/**
 * The names in an image, with owners and modes but without content: enough to tell where a COPY leads, without
 * unpacking a layer. It is also the only record of owners: on disk, unpacked files
 * belong to whoever builds.
 */
export class FileTree {
  readonly #root: Node = newFolder();

  get(path: string): TreeEntry | undefined {
    return this.#find(path)?.entry;
  }

  /** Names in a folder, sorted; empty for anything else. */
  list(path: string): string[] {
    return [...(this.#find(path)?.children.keys() ?? [])].sort();
  }

  /** Follows links as `resolveWithin` does on disk; what does not exist is taken as written. */
  resolve(path: string, keepLast = false): string | undefined {
    return resolveLinks(path, keepLast, place => {
      const entry = this.get(place);
      return entry?.type === 'link' ? entry.target : undefined;
    });
  }

  apply(entries: readonly LayerEntry[]): void {
    for (const entry of entries) {
      if (entry.type === 'opaque') this.#find(entry.path)?.children.clear();
      else if (entry.type === 'whiteout') this.#remove(entry.path);
      else this.#put(entry.path, this.#asTreeEntry(entry));
    }
  }

  #asTreeEntry(entry: LayerEntry): TreeEntry {
    const { type, mode, uid, gid, target } = entry;
    if (type === 'hardlink') return this.get(target!) ?? { type: 'file', mode, uid, gid };
    return {
      type: type as TreeEntry['type'],
      mode,
      uid,
      gid,
      ...(target === undefined ? {} : { target }),
    };
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    if (path === '') return node;
    for (const name of path.split('/')) {
      node = node.children.get(name);
      if (node === undefined) return undefined;
    }
    return node;
  }

  #put(path: string, entry: TreeEntry): void {
    if (path === '') {
      this.#root.entry = entry;
      return;
    }
    const names = path.split('/');
    const name = names.pop()!;
    let parent = this.#root;
    for (const folder of names) {
      let next = parent.children.get(folder);
      if (next === undefined) parent.children.set(folder, (next = newFolder()));
      parent = next;
    }
    const existing = parent.children.get(name);
    const keepsChildren =
      existing !== undefined && existing.entry.type === 'folder' && entry.type === 'folder';
    parent.children.set(name, { entry, children: keepsChildren ? existing.children : new Map() });
  }

  #remove(path: string): void {
    const slash = path.lastIndexOf('/');
    this.#find(slash < 0 ? '' : path.slice(0, slash))?.children.delete(path.slice(slash + 1));
  }
}

function newFolder(): Node {
  return { entry: FOLDER, children: new Map() };
}
