import { basename, dirname, join, relative } from 'node:path';
import {
  copyFile,
  mkdir,
  pathExists,
  readdir,
  readFile,
  readTextIfExists,
  writeFile,
} from '../platform/files.ts';
import { CONFIG_FILE_NAME } from './config-file-name.ts';
import { detectStack } from './templates/detect-stack.ts';
import { buildspecTemplate, configTemplate, DOCKERIGNORE, type StackTemplate } from './templates/files.ts';

const EXAMPLE_NAME = 'storefront';
const NOT_COPIED: ReadonlySet<string> = new Set(['node_modules', '.tandem', '.git']);
/** Files in which the example's name stands for the application's. */
const NAMED_IN: ReadonlySet<string> = new Set([CONFIG_FILE_NAME, 'package.json', 'package-lock.json']);

/** Copies the example application under a name of its own. Files that are there already stay; gives those written. */
export async function copyExample(packageFolder: string, folder: string, name: string): Promise<string[]> {
  const written: string[] = [];
  const copyFolder = async (from: string, to: string): Promise<void> => {
    await mkdir(to, { recursive: true });
    for (const entry of await readdir(from, { withFileTypes: true })) {
      if (NOT_COPIED.has(entry.name)) continue;
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      if (entry.isDirectory()) await copyFolder(source, target);
      else if (!(await pathExists(target))) {
        await copyNamed(source, target, name);
        written.push(relative(folder, target));
      }
    }
  };
  await copyFolder(join(packageFolder, 'examples', EXAMPLE_NAME), folder);
  // A published package cannot carry a .gitignore: npm leaves it out.
  if (await writeIfMissing(join(folder, '.gitignore'), 'node_modules/\n')) written.push('.gitignore');
  return written.sort();
}

async function copyNamed(source: string, target: string, name: string): Promise<void> {
  if (NAMED_IN.has(basename(source))) {
    const text = await readFile(source, 'utf8');
    await writeFile(target, text.replaceAll(new RegExp(`\\b${EXAMPLE_NAME}\\b`, 'g'), name));
  } else {
    await copyFile(source, target);
  }
}

export interface Adoption {
  written: string[];
  /** What was there already, and was left as it is. */
  kept: string[];
  /** What the application is written in, as far as its files tell. */
  stack: StackTemplate | undefined;
}

/** Adds to an application's folder what Tandem needs and is missing; nothing that is there is changed. */
export async function adoptApplication(folder: string, name: string): Promise<Adoption> {
  const stack = await detectStack(folder);
  const files = {
    [CONFIG_FILE_NAME]: configTemplate(name, stack?.healthCheckPath),
    'buildspec.yml': buildspecTemplate(stack?.testCommands ?? []),
    ...(stack && { Dockerfile: stack.dockerfile, '.dockerignore': DOCKERIGNORE }),
  };
  const adoption: Adoption = { written: [], kept: [], stack };
  for (const [file, text] of Object.entries(files)) {
    const isNew = await writeIfMissing(join(folder, file), text);
    (isNew ? adoption.written : adoption.kept).push(file);
  }
  // Where there is none to write, one may still be there.
  if (!stack && (await pathExists(join(folder, 'Dockerfile')))) adoption.kept.push('Dockerfile');
  return adoption;
}

async function writeIfMissing(path: string, text: string): Promise<boolean> {
  if ((await readTextIfExists(path)) !== undefined) return false;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { flag: 'wx' });
  return true;
}

/** What a new repository may hold and still count as empty. */
const BESIDE_NOTHING =
  /^(\.git|\.gitignore|\.gitattributes|\.editorconfig|\.DS_Store|README(\.\w+)?|LICEN[CS]E(\.\w+)?)$/i;

export async function isAsGoodAsEmpty(folder: string): Promise<boolean> {
  return (await readdir(folder)).every(entry => BESIDE_NOTHING.test(entry));
}

/** A valid application name made of a folder's: `My Shop 2.0` gives `my-shop-2-0`. */
export function applicationName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 31)
    .replace(/-+$/, '');
  return name.length >= 2 ? name : 'application';
}
