#!/usr/bin/env node
// Starts Tandem on Node.js 24 or newer. An older one hands over to the Node.js that this package brings along.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_MAJOR = 24;

if (Number(process.versions.node.split('.')[0]) < OLDEST_MAJOR) handOver();
else await start();

async function start() {
  keepCompiledCode();
  // A checkout runs its TypeScript as it is; the published package holds compiled files.
  const source = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const compiled = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const { main } = await import(existsSync(source) ? source : compiled);
  await main(process.argv.slice(2));
}

// Every start after the first is quick then. It is kept beside the packages, or where only an administrator may write
// there, in the user's own cache: compiled code must come from nobody else.
function keepCompiledCode() {
  const { FAILED } = module.constants.compileCacheStatus;
  const besideThePackages = fileURLToPath(new URL('../node_modules/.cache/tandem', import.meta.url));
  if (module.enableCompileCache(besideThePackages).status !== FAILED) return;
  module.enableCompileCache(join(homedir(), '.cache', 'tandem', 'compiled'));
}

function handOver() {
  const newer = bundledNode();
  if (!newer) {
    console.error(
      `Tandem needs Node.js ${OLDEST_MAJOR} or newer; this is ${process.version}. Run \`npm ci\`, or install it.`,
    );
    process.exit(1);
  }
  const child = spawn(newer, process.argv.slice(1), { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both of us; anybody else's signal comes here only.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.on('exit', code => process.exit(code ?? 1));
}

function bundledNode() {
  try {
    return module.createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    return undefined;
  }
}
