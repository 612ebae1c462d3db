import { dirname, join } from 'node:path';
import { TandemError } from '../core/error.ts';
import {
  chmodSync,
  fchmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  type Stats,
} from 'node:fs';

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** As many as Linux follows in one path. */
const LONGEST_SYMLINK_CHAIN = 40;
const LONGEST_NAME_BYTES = 255;
/** Set-user-id and set-group-id are dropped: files belong to whoever unpacks, not to who the image meant. */
const KEPT_MODE = 0o1777;

/**
 * A folder that layers are laid onto, one `LayerFolder` a layer (image-spec 1.1 layer.md, "Applying Changesets").
 * Paths are resolved as if the folder were `/`: a symbolic link within it leads to another place within it, and one
 * that climbs above it is refused. Nothing is ever written through a link: what stands at a path is replaced.
 * System calls are synchronous: each takes microseconds, and waiting for a thread ten times a file takes longer than
 * everything else.
 */
export class LayerFolder {
  readonly #root: string;
  /** What this layer brought, and the folders above: whiteouts take away only what lower layers brought. */
  readonly #brought = new Set<string>();
  readonly #resolved = new Map<string, string>();

  constructor(folder: string) {
    this.#root = realpathSync(folder);
  }

  /** Takes away what the whiteout named `name` hides; false where it is no whiteout. */
  applyWhiteout(name: string): boolean {
    const { folder, base } = splitName(name);
    if (!base.startsWith(WHITEOUT)) return false;
    const parent = this.#resolveFolder(folder);
    if (base === OPAQUE) this.#removeLowerChildren(parent);
    else if (!base.startsWith(`${WHITEOUT}${WHITEOUT}`)) {
      const hidden = base.slice(WHITEOUT.length);
      checkComponent(name, hidden);
      this.#removeLower(join(parent, hidden));
    }
    return true;
  }

  addFolder(name: string, mode: number): void {
    const { folder, base } = splitName(name);
    if (base === '') return;
    const path = join(this.#resolveFolder(folder), base);
    if (!statOf(path)?.isDirectory()) {
      this.#replace(path);
      mkdirSync(path);
    }
    // The owner needs all three for the layers above, and to remove the folder one day.
    chmodSync(path, (mode & KEPT_MODE) | 0o700);
    this.#noteBrought(path);
  }

  /** Makes an empty file in place of whatever is there; the caller writes and closes the descriptor. */
  createFile(name: string, mode: number): number {
    const path = this.#place(name);
    this.#replace(path);
    const file = openSync(path, 'wx', 0o600);
    this.#noteBrought(path);
    fchmodSync(file, mode & KEPT_MODE);
    return file;
  }

  /** The target may be anything: it counts only when it is followed, and then within this folder. */
  addSymlink(name: string, target: string): void {
    const path = this.#place(name);
    this.#replace(path);
    symlinkSync(target, path);
    this.#noteBrought(path);
  }

  /** A second name for a file that is in the folder already. */
  addHardLink(name: string, targetName: string): void {
    const path = this.#place(name);
    const target = this.#place(targetName);
    if (target === path && statOf(path)) return;
    this.#replace(path);
    const found = statOf(target);
    if (!found || found.isDirectory()) {
      throw refused(`the hard link ${quote(name)} names ${quote(targetName)}, which is no file of the image`);
    }
    linkSync(target, path);
    this.#noteBrought(path);
  }

  #place(name: string): string {
    const { folder, base } = splitName(name);
    if (base === '') throw refused(`${quote(name)} would replace the root folder`);
    return join(this.#resolveFolder(folder), base);
  }

  /** The real folder that a path within the image leads to; missing folders are made. */
  #resolveFolder(components: readonly string[]): string {
    const key = components.join('/');
    const known = this.#resolved.get(key);
    if (known !== undefined) return known;
    const pending = [...components].reverse();
    let current = this.#root;
    let followed = 0;
    for (let component = pending.pop(); component !== undefined; component = pending.pop()) {
      if (component === '' || component === '.') continue;
      if (component === '..') {
        if (current === this.#root) throw refused(`a symbolic link in ${quote(key)} leads out of the image`);
        current = dirname(current);
        continue;
      }
      const next = join(current, component);
      const found = statOf(next);
      if (found?.isSymbolicLink()) {
        followed += 1;
        if (followed > LONGEST_SYMLINK_CHAIN)
          throw refused(`the symbolic links in ${quote(key)} have no end`);
        const target = readlinkSync(next);
        if (target.startsWith('/')) current = this.#root;
        pending.push(...target.split('/').reverse());
        continue;
      }
      if (found && !found.isDirectory()) throw refused(`${quote(key)} leads through a file`);
      if (!found) mkdirSync(next, 0o755);
      current = next;
    }
    this.#resolved.set(key, current);
    return current;
  }

  #replace(path: string): void {
    const found = statOf(path);
    if (!found) return;
    if (found.isDirectory() || found.isSymbolicLink()) this.#resolved.clear();
    rmSync(path, { recursive: true, force: true });
  }

  #removeLower(path: string): void {
    if (!this.#brought.has(path)) {
      this.#replace(path);
      return;
    }
    if (statOf(path)?.isDirectory()) this.#removeLowerChildren(path);
  }

  #removeLowerChildren(folder: string): void {
    for (const name of readdirSync(folder)) this.#removeLower(join(folder, name));
  }

  #noteBrought(path: string): void {
    for (let at = path; at !== this.#root && !this.#brought.has(at); at = dirname(at)) this.#brought.add(at);
  }
}

export function refused(found: string, cause?: unknown): TandemError {
  return new TandemError(
    'LAYER_REFUSED',
    `The image layer is refused: ${found}. Build the image again from a source you trust.`,
    { cause },
  );
}

function splitName(name: string): { folder: string[]; base: string } {
  if (name.startsWith('/')) throw refused(`${quote(name)} is an absolute path`);
  const components = name.split('/').filter(component => component !== '' && component !== '.');
  for (const component of components) checkComponent(name, component);
  return { folder: components.slice(0, -1), base: components.at(-1) ?? '' };
}

function checkComponent(name: string, component: string): void {
  if (component === '..') throw refused(`${quote(name)} climbs out of its folder`);
  const isName = component !== '' && component !== '.' && !component.includes('\0');
  if (!isName || Buffer.byteLength(component) > LONGEST_NAME_BYTES) {
    throw refused(`${quote(name)} is not a file name`);
  }
}

function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
