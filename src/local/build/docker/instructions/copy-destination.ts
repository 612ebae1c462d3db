import type { SourceItem } from '../context/file-source.ts';
import type { NewLayerEntry } from '../layers/entry.ts';
import type { FileTree, TreeEntry } from '../layers/tree.ts';
import type { Owner } from './users.ts';

/** One source of a COPY: an item and, for a folder, all below it. Paths are relative to it; its own is `''`. */
export interface CopyFrom {
  name: string;
  isFolder: boolean;
  items: CopyItem[];
}

export type CopyItem = SourceItem & { sha256?: string; bytes?: Uint8Array };

export interface CopyTo {
  /** As written, expanded. */
  destination: string;
  workingFolder: string;
  /** Absent: context files belong to root, those of a stage keep their owners. */
  owner: Owner | undefined;
  mode: number | undefined;
  refuse(problem: string): never;
}

/**
 * Where every copied file goes (Dockerfile reference, COPY): a folder's content into the destination; a file into
 * it where it ends in a slash, is a folder already, or there are several sources; else as it. Folders on the way are
 * made. Existing folders are kept as they are.
 */
export function placeCopies(tree: FileTree, copies: readonly CopyFrom[], to: CopyTo): NewLayerEntry[] {
  return new Placement(tree, to).place(copies);
}

class Placement {
  readonly #tree: FileTree;
  readonly #to: CopyTo;
  readonly #placed = new Map<string, NewLayerEntry>();

  constructor(tree: FileTree, to: CopyTo) {
    this.#tree = tree;
    this.#to = to;
  }

  place(copies: readonly CopyFrom[]): NewLayerEntry[] {
    const { destination, workingFolder } = this.#to;
    const endsAsFolder = /(?:^|\/)\.{0,2}$/.test(destination);
    if (copies.length > 1 && !endsAsFolder)
      this.#to.refuse(
        `with more than one source, the destination must be a folder: write "${destination}/", ending in a slash`,
      );
    const absolute = destination.startsWith('/') ? destination : `${workingFolder}/${destination}`;
    const target = this.#resolve(absolute);
    for (const copy of copies) {
      if (copy.isFolder) this.#placeFolder(copy, target);
      else this.#placeFile(copy, target, endsAsFolder);
    }
    return [...this.#placed.values()];
  }

  #placeFolder(copy: CopyFrom, target: string): void {
    this.#makeFolders(target);
    for (const item of copy.items) {
      const path = [target, item.path].filter(part => part !== '').join('/');
      if (item.path === '') continue;
      const existing = this.#at(path);
      if (item.type === 'folder' && existing?.type === 'folder') continue;
      if (item.type === 'folder' && existing !== undefined)
        this.#to.refuse(`/${path} is a ${existing.type} already: a folder cannot take its place`);
      this.#put(path, item);
    }
  }

  #placeFile(copy: CopyFrom, target: string, endsAsFolder: boolean): void {
    const isInto = endsAsFolder || this.#at(target)?.type === 'folder';
    const path = isInto ? this.#resolve(`${target}/${copy.name}`) : target;
    const slash = path.lastIndexOf('/');
    this.#makeFolders(slash < 0 ? '' : path.slice(0, slash));
    this.#put(path, copy.items[0]!);
  }

  #put(path: string, item: CopyItem): void {
    if (path === '') this.#to.refuse('a file cannot take the place of /');
    if (item.type !== 'folder' && this.#at(path)?.type === 'folder')
      this.#to.refuse(`/${path} is a folder already: a ${item.type} cannot take its place`);
    const { owner = item, mode = item.mode } = this.#to;
    const { bytes, sha256, content } = item;
    const source = bytes === undefined ? content && { path: content.path } : { bytes };
    this.#placed.set(path, {
      path,
      type: item.type,
      mode: item.type === 'link' ? item.mode : mode,
      uid: owner.uid,
      gid: owner.gid,
      ...(item.target === undefined ? {} : { target: item.target }),
      ...(source === undefined
        ? {}
        : {
            content: {
              source,
              size: bytes?.length ?? content!.size,
              ...(sha256 === undefined ? {} : { sha256 }),
            },
          }),
    });
  }

  #makeFolders(path: string): void {
    const parts = path.split('/').filter(part => part !== '');
    for (let length = 1; length <= parts.length; length += 1) {
      const folder = parts.slice(0, length).join('/');
      const existing = this.#at(folder);
      if (existing?.type === 'folder') continue;
      if (existing !== undefined) this.#to.refuse(`/${folder} is a ${existing.type}, not a folder`);
      const { uid, gid } = this.#to.owner ?? { uid: 0, gid: 0 };
      this.#placed.set(folder, { path: folder, type: 'folder', mode: 0o755, uid, gid });
    }
  }

  #at(path: string): Pick<TreeEntry, 'type'> | undefined {
    if (path === '') return { type: 'folder' };
    const placed = this.#placed.get(path);
    return placed === undefined ? this.#tree.get(path) : { type: placed.type as TreeEntry['type'] };
  }

  #resolve(path: string): string {
    return this.#tree.resolve(path) ?? this.#to.refuse(`symbolic links go round in a circle at ${path}`);
  }
}
