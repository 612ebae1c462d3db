import { constants } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { runCommand } from './process.ts';

/**
 * Copies a folder with all below it to a path where nothing is yet: links stay links, modes and times are kept, and
 * file systems that can share blocks do. On Linux the system's `cp`, which is several times as fast as Node.js.
 */
export async function copyTree(from: string, to: string): Promise<void> {
  if (process.platform === 'linux') {
    const { exitCode, stderr } = await runCommand('cp', ['-a', '--reflink=auto', '--', from, to]);
    if (exitCode !== 0) throw new Error(`cp ${from} ${to}: ${stderr.trim()}`);
    return;
  }
  await cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    mode: constants.COPYFILE_FICLONE,
  });
}

/** Removes a folder with all below it, read-only folders too (an image may have such); nothing where it is gone. */
export async function removeTree(path: string): Promise<void> {
  const options = { recursive: true, force: true };
  try {
    await rm(path, options);
  } catch {
    await runCommand('chmod', ['-R', 'u+rwX', '--', path]);
    await rm(path, options);
  }
}
