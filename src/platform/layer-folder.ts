import { dirname, join } from 'node:path';
import { systemErrorCode, TandemError } from '../core/error.ts';
import {
  chmod,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rm,
  symlink,
  type FileHandle,
} from './files.ts';
import type { Stats } from './files.ts';

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
 */
export class LayerFolder {
  readonly #root: string;
  /** What this layer brought, and the folders above: whiteouts take away only what lower layers brought. */
  readonly #brought = new Set<string>();
  readonly #resolved = new Map<string, string>();

  private constructor(root: string) {
    this.#root = root;
  }

  static async open(folder: string): Promise<LayerFolder> {
    return new LayerFolder(await realpath(folder));
  }

  /** Takes away what the whiteout named `name` hides; false where it is no whiteout. */
  async applyWhiteout(name: string): Promise<boolean> {
    const { folder, base } = splitName(name);
    if (!base.startsWith(WHITEOUT)) return false;
    const parent = await this.#resolveFolder(folder);
    if (base === OPAQUE) await this.#removeLowerChildren(parent);
    else if (!base.startsWith(`${WHITEOUT}${WHITEOUT}`)) {
      const hidden = base.slice(WHITEOUT.length);
      checkComponent(name, hidden);
      await this.#removeLower(join(parent, hidden));
    }
    return true;
  }

  async addFolder(name: string, mode: number): Promise<void> {
    const { folder, base } = splitName(name);
    if (base === '') return;
    const path = join(await this.#resolveFolder(folder), base);
    if (!(await statOf(path))?.isDirectory()) {
      await this.#replace(path);
      await mkdir(path);
    }
    // The owner needs all three for the layers above, and to remove the folder one day.
    await chmod(path, (mode & KEPT_MODE) | 0o700);
    this.#noteBrought(path);
  }

  /** Makes an empty file in place of whatever is there; the caller writes and closes it. */
  async createFile(name: string, mode: number): Promise<FileHandle> {
    const path = await this.#place(name);
    await this.#replace(path);
    const handle = await open(path, 'wx', 0o600);
    this.#noteBrought(path);
    await handle.chmod(mode & KEPT_MODE);
    return handle;
  }

  /** The target may be anything: it counts only when it is followed, and then within this folder. */
  async addSymlink(name: string, target: string): Promise<void> {
    const path = await this.#place(name);
    await this.#replace(path);
    await symlink(target, path);
    this.#noteBrought(path);
  }

  /** A second name for a file that is in the folder already. */
  async addHardLink(name: string, targetName: string): Promise<void> {
    const path = await this.#place(name);
    const target = await this.#place(targetName);
    if (target === path && (await statOf(path))) return;
    await this.#replace(path);
    const found = await statOf(target);
    if (!found || found.isDirectory()) {
      throw refused(`the hard link ${quote(name)} names ${quote(targetName)}, which is no file of the image`);
    }
    await link(target, path);
    this.#noteBrought(path);
  }

  async #place(name: string): Promise<string> {
    const { folder, base } = splitName(name);
    if (base === '') throw refused(`${quote(name)} would replace the root folder`);
    return join(await this.#resolveFolder(folder), base);
  }

  /** The real folder that a path within the image leads to; missing folders are made. */
  async #resolveFolder(components: readonly string[]): Promise<string> {
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
      const found = await statOf(next);
      if (found?.isSymbolicLink()) {
        followed += 1;
        if (followed > LONGEST_SYMLINK_CHAIN)
          throw refused(`the symbolic links in ${quote(key)} have no end`);
        const target = await readlink(next);
        if (target.startsWith('/')) current = this.#root;
        pending.push(...target.split('/').reverse());
        continue;
      }
      if (found && !found.isDirectory()) throw refused(`${quote(key)} leads through a file`);
      if (!found) await mkdir(next, 0o755);
      current = next;
    }
    this.#resolved.set(key, current);
    return current;
  }

  async #replace(path: string): Promise<void> {
    const found = await statOf(path);
    if (!found) return;
    if (found.isDirectory() || found.isSymbolicLink()) this.#resolved.clear();
    await rm(path, { recursive: true, force: true });
  }

  async #removeLower(path: string): Promise<void> {
    if (!this.#brought.has(path)) {
      await this.#replace(path);
      return;
    }
    if ((await statOf(path))?.isDirectory()) await this.#removeLowerChildren(path);
  }

  async #removeLowerChildren(folder: string): Promise<void> {
    for (const name of await readdir(folder)) await this.#removeLower(join(folder, name));
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

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
