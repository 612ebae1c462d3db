import { fileURLToPath } from 'node:url';
import { TandemError } from '../../core/error.ts';
import { closeSync, openSync, readTextIfExists } from '../../platform/files.ts';
import { compileCacheForChildren } from '../../platform/modules.ts';
import { environment, nodePath, spawn } from '../../platform/process.ts';
import { rotateIfFull } from './bounded-log.ts';
import { EXIT_LOCKED, processFiles } from './process-files.ts';

/** The entry beside this file, in the same form: source or compiled. */
const entry = fileURLToPath(
  new URL(`./balancer-process${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);
const QUOTED_LINES = 5;

/**
 * Starts a balancer process that is nobody's child for long: of its own session, so that no signal meant for us
 * reaches it, with a file for output, so that nobody's closed terminal ends it. Resolves once it takes orders, or
 * has ended because another one has the folder (`locked`); rejects with BALANCER_START_FAILED.
 */
export function spawnBalancerProcess(folder: string): Promise<'ready' | 'locked'> {
  const { log, compileCache } = processFiles(folder);
  rotateIfFull(log);
  const output = openSync(log, 'a');
  const child = spawn(nodePath, [entry, folder], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
    env: { ...environment, NODE_OPTIONS: '', NODE_COMPILE_CACHE: compileCacheForChildren(compileCache) },
  });
  closeSync(output);
  return new Promise((resolve, reject) => {
    child.on('message', () => {
      child.removeAllListeners();
      if (child.connected) child.disconnect();
      child.unref();
      resolve('ready');
    });
    child.on('error', cause => reject(startFailed(log, cause.message, cause)));
    child.on('exit', (code, signal) => {
      if (code === EXIT_LOCKED) resolve('locked');
      else void describeEnd(log, code, signal).then(end => reject(startFailed(log, end)));
    });
  });
}

async function describeEnd(log: string, code: number | null, signal: string | null): Promise<string> {
  const lines = (await readTextIfExists(log))?.trimEnd().split('\n').slice(-QUOTED_LINES) ?? [];
  return `it ended with ${signal ?? `exit code ${code}`}; its last words: ${lines.join(' | ')}`;
}

function startFailed(log: string, what: string, cause?: unknown): TandemError {
  return new TandemError(
    'BALANCER_START_FAILED',
    `The load balancer's process could not be started: ${what}. It is tried again; its log is ${log}.`,
    { kind: 'system', data: { log }, cause },
  );
}
