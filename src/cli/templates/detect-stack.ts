import { join } from 'node:path';
import { pathExists, readTextIfExists } from '../../platform/files.ts';
import type { StackTemplate } from './files.ts';
import { goStack } from './go.ts';
import { nodeStack } from './node.ts';
import { pythonStack } from './python.ts';
import { staticStack } from './static.ts';

/** What an application is written in, by the file that every application of its kind has. */
export async function detectStack(folder: string): Promise<StackTemplate | undefined> {
  const manifest = await readTextIfExists(join(folder, 'package.json'));
  if (manifest !== undefined) {
    return nodeStack(manifest, { hasLock: await pathExists(join(folder, 'package-lock.json')) });
  }
  if (await pathExists(join(folder, 'go.mod'))) return goStack;
  const requirements = await readTextIfExists(join(folder, 'requirements.txt'));
  if (requirements !== undefined) return pythonStack(requirements, await pythonMain(folder));
  if (await pathExists(join(folder, 'index.html'))) return staticStack;
  return undefined;
}

async function pythonMain(folder: string): Promise<string> {
  for (const candidate of ['main.py', 'app.py', 'server.py']) {
    if (await pathExists(join(folder, candidate))) return candidate;
  }
  return 'main.py';
}
