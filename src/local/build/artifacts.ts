import { dirname, join, posix } from 'node:path';
import { TandemError } from '../../core/error.ts';
import { copyFile, mkdir, readdir, readlink, rm, symlink } from '../../platform/files.ts';
import type { ArtifactSettings, Buildspec } from './buildspec/schema.ts';
import type { Expand } from './expressions.ts';
import { compilePattern, findFiles, folderInside, type FoundFile } from './file-patterns.ts';

const COPIES_AT_ONCE = 16;

/**
 * What builds leave: a folder a build, in it `primary/`, one folder for each secondary artifact under `secondary/`
 * and the report files under `reports/`. Within an artifact, paths are as in CodeBuild's bucket:
 * `<s3-prefix>/<name>/<file>`.
 */
export class ArtifactStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  folderOf(buildId: string): string {
    return join(this.#folder, buildId);
  }

  /** Copies all artifacts; resolves with the folder of the primary one. Throws ARTIFACTS_NOT_FOUND. */
  async collect(
    buildId: string,
    source: string,
    artifacts: NonNullable<Buildspec['artifacts']>,
    expand: Expand,
    note: (text: string) => void,
  ): Promise<string> {
    const folder = this.folderOf(buildId);
    const { files, 'secondary-artifacts': secondary = {}, ...settings } = artifacts;
    let primary = join(folder, 'primary');
    if (files !== undefined)
      primary = await collectOne(source, primary, { files, ...settings }, expand, note);
    for (const [identifier, artifact] of Object.entries(secondary)) {
      await collectOne(source, join(folder, 'secondary', identifier), artifact, expand, note);
    }
    return primary;
  }

  /** Removes what belongs to builds other than these. */
  async keepOnly(buildIds: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => [])) {
      if (!buildIds.has(name)) await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }
}

/** Texts of an artifact's settings that may hold expressions. */
export function artifactTexts(artifacts: Buildspec['artifacts']): string[] {
  if (artifacts === undefined) return [];
  return [artifacts, ...Object.values(artifacts['secondary-artifacts'] ?? {})].flatMap(artifact => [
    ...(artifact.files ?? []),
    ...artifact['exclude-paths'],
    artifact.name ?? '',
    artifact['base-directory'] ?? '',
    artifact['s3-prefix'] ?? '',
  ]);
}

async function collectOne(
  source: string,
  target: string,
  settings: ArtifactSettings,
  expand: Expand,
  note: (text: string) => void,
): Promise<string> {
  const patterns = settings.files.map(expand);
  const baseDirectory = expand(settings['base-directory'] ?? '.');
  const destination = join(
    target,
    asKey(expand(settings['s3-prefix'] ?? '')),
    asKey(expand(settings.name ?? '')),
  );
  note(`Expanding base directory path: ${baseDirectory}`);
  let copied = 0;
  for (const base of await baseFolders(source, baseDirectory)) {
    const found = await findFiles(base, patterns, {
      exclude: settings['exclude-paths'].map(expand),
      keepLinks: settings['enable-symlinks'],
    });
    await copyFiles(base, found, destination, settings['discard-paths']);
    copied += found.length;
  }
  if (copied === 0) {
    throw new TandemError(
      'ARTIFACTS_NOT_FOUND',
      `no matching artifact paths found for [${patterns.join(', ')}] in ${baseDirectory}: write these files in the build, or mend artifacts.files in the buildspec`,
    );
  }
  note(`Found ${copied} file(s)`);
  return destination;
}

/** `base-directory` may be a pattern of folders at the top (`my-build*`). */
async function baseFolders(source: string, baseDirectory: string): Promise<string[]> {
  if (!/[*?[{]/.test(baseDirectory)) return [folderInside(source, baseDirectory)];
  const pattern = compilePattern(baseDirectory);
  const entries = await readdir(source, { withFileTypes: true });
  return entries
    .filter(entry => entry.isDirectory() && pattern.test(entry.name))
    .map(entry => join(source, entry.name))
    .sort();
}

/** Copies files (links as links, where found so) below `destination`, which is made. */
export async function copyFiles(
  from: string,
  files: readonly FoundFile[],
  destination: string,
  discardPaths = false,
): Promise<void> {
  const copy = async ({ path, isLink }: FoundFile) => {
    const target = join(destination, discardPaths ? posix.basename(path) : path);
    await mkdir(dirname(target), { recursive: true });
    if (!isLink) return copyFile(join(from, path), target);
    await rm(target, { force: true });
    await symlink(await readlink(join(from, path)), target);
  };
  for (let start = 0; start < files.length; start += COPIES_AT_ONCE) {
    await Promise.all(files.slice(start, start + COPIES_AT_ONCE).map(copy));
  }
}

/** A name or prefix as a relative path that stays below where it is put. */
function asKey(text: string): string {
  return posix.normalize(`/${text}`).slice(1);
}
