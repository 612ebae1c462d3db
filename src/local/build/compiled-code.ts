import { join } from 'node:path';
import { folderSize, mkdir, pathExists, rm, symlinkSync } from '../../platform/files.ts';

/*
 * Node.js programs that ask for it (npm does, at every start) keep their compiled code in `node-compile-cache` of TMPDIR.
 * A build's TMPDIR is its own and new, so that the first npm of each build took twice as long as on the machine around
 * it: that one folder is kept from build to build. Nothing is read from it but what fits the very file that is loaded.
 */

const NAME = 'node-compile-cache';
const LARGEST_BYTES = 128 * 1_024 * 1_024;

export async function keepCompiledCode(temporaryFolder: string, cacheFolder: string): Promise<void> {
  const kept = join(cacheFolder, NAME);
  await mkdir(kept, { recursive: true });
  symlinkSync(kept, join(temporaryFolder, NAME));
}

/** Code of programs that have changed since is never removed one by one; all of it is soon there again. */
export async function limitCompiledCode(cacheFolder: string): Promise<void> {
  const kept = join(cacheFolder, NAME);
  if (!(await pathExists(kept)) || (await folderSize(kept)) <= LARGEST_BYTES) return;
  await rm(kept, { recursive: true, force: true });
}
