import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nodePath, runCommand } from './process.ts';

const READER = `
import { readInput } from ${JSON.stringify(new URL('process.ts', import.meta.url).href)};
setImmediate(() => console.log('waits'));
console.log('has read ' + JSON.stringify(await readInput()));
`;

test('standard input that does not wait is read to its end', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-input-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'input');
  expect((await runCommand('mkfifo', [path])).exitCode).toBe(0);
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writing = openSync(path, 'w');
  // By a detour: what a child of Node.js gets as its descriptor 0 always waits.
  const inShell = ['-c', 'exec "$0" "$@" <&3', nodePath, '--input-type=module', '--eval', READER];
  const child = spawn('sh', inShell, { stdio: ['ignore', 'pipe', 'inherit', reading] });
  closeSync(reading);
  let output = '';
  for await (const chunk of child.stdout!) {
    output += String(chunk);
    if (output !== 'waits\n') continue;
    writeSync(writing, 'late, ');
    writeSync(writing, 'and in pieces');
    closeSync(writing);
  }
  expect(output).toBe('waits\nhas read "late, and in pieces"\n');
});
