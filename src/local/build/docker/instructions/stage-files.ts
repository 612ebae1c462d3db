import { join } from 'node:path';
import { lstatSync } from '../../../../platform/files.ts';
import type { FileSource, SourceItem } from '../context/file-source.ts';
import type { FileTree } from '../layers/tree.ts';

/** A finished stage as a source of COPY --from: names and owners as its layers tell, bytes from where it is unpacked. */
export class StageFiles implements FileSource {
  readonly title: string;
  readonly #tree: FileTree;
  readonly #root: string;

  constructor(title: string, tree: FileTree, root: string) {
    this.title = title;
    this.#tree = tree;
    this.#root = root;
  }

  item(path: string): SourceItem | undefined {
    const entry = this.#tree.get(path);
    if (entry?.type !== 'file') return entry === undefined ? undefined : { ...entry, path };
    const place = join(this.#root, path);
    return { ...entry, path, content: { path: place, size: lstatSync(place).size } };
  }

  list(folder: string): string[] {
    return this.#tree.list(folder);
  }

  resolve(path: string, keepLast = false): string | undefined {
    return this.#tree.resolve(path, keepLast);
  }
}
