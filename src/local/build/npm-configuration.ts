import { join } from 'node:path';
import { readTextIfExists, writeFile } from '../../platform/files.ts';

/** Where packages come from and how to get there; of a scope as well. */
const PASSED_ON = /^\s*(?:registry|@[^:=]+:registry|cafile|ca|proxy|https-proxy|noproxy|strict-ssl)\s*=/;

/**
 * `npm ci` in a build finds the same registries as the user's does, by a `.npmrc` in the build's HOME. Credentials
 * are left out: as on CodeBuild, a repository that needs a token reads it from a variable in its own `.npmrc`
 * (`//npm.example.com/:_authToken=${NPM_TOKEN}`), set as `build.environment.NPM_TOKEN`.
 */
export async function writeNpmConfiguration(
  machineHome: string | undefined,
  buildHome: string,
): Promise<void> {
  if (machineHome === undefined) return;
  const own = await readTextIfExists(join(machineHome, '.npmrc')).catch(() => undefined);
  const kept = registryLines(own ?? '');
  if (kept !== '') await writeFile(join(buildHome, '.npmrc'), kept);
}

function registryLines(npmrc: string): string {
  return npmrc
    .split('\n')
    .filter(line => PASSED_ON.test(line))
    .map(line => `${line}\n`)
    .join('');
}
