import { join } from 'node:path';
import { writeFile } from '../../platform/files.ts';
import { nodePath } from '../../platform/process.ts';
import { quote } from './shell/driver.ts';

/**
 * Puts CodeBuild's `codebuild-hash-files <pattern>…` into a build's PATH: the SHA-256 of the files that the patterns
 * name in CODEBUILD_SRC_DIR, nothing where none does. It is for cache keys, whose commands run before any phase.
 */
export async function installHashFilesCommand(folder: string): Promise<void> {
  await writeFile(
    join(folder, 'codebuild-hash-files'),
    `#!/bin/sh\nexec ${quote(nodePath)} -e ${quote(PROGRAM)} -- "$@"\n`,
    {
      mode: 0o755,
    },
  );
}

const PROGRAM = `
const { createHash } = require('node:crypto');
const { globSync, readFileSync, statSync } = require('node:fs');
const { join } = require('node:path');
const root = process.env.CODEBUILD_SRC_DIR;
const patterns = process.argv.slice(1);
const found = new Set(globSync(patterns, { cwd: root }).sort());
const hash = createHash('sha256');
let count = 0;
for (const path of found) {
  if (!statSync(join(root, path)).isFile()) continue;
  hash.update(createHash('sha256').update(readFileSync(join(root, path))).digest());
  count += 1;
}
if (count > 0) process.stdout.write(hash.digest('hex'));
`;
