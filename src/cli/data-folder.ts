import { join } from 'node:path';
import { mkdir, pathExists, writeFile } from '../platform/files.ts';

/** The data folder lies in the application's repository, and must never be committed: it ignores itself. */
export async function makeDataFolder(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const ignore = join(dataDir, '.gitignore');
  if (!(await pathExists(ignore))) await writeFile(ignore, '*\n');
}
