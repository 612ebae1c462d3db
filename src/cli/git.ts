import { systemErrorCode, TandemError } from '../core/error.ts';
import { environment, spawn, type CommandResult } from '../platform/process.ts';

interface GitOptions {
  folder: string;
  /** Sees what git prints, as it prints it, besides it being collected. */
  onOutput?: (text: string) => void;
}

/** Runs the system's git; resolves whatever its exit code. */
export type Git = (argv: readonly string[], options: GitOptions) => Promise<CommandResult>;

export const systemGit: Git = (argv, { folder, onOutput }) =>
  new Promise((resolve, reject) => {
    const child = spawn('git', argv, {
      cwd: folder,
      // A question for a password would wait for ever behind our own output.
      env: { ...environment, GIT_TERMINAL_PROMPT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const collected = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        collected[name] += text;
        onOutput?.(text);
      });
    }
    child.on('error', error => reject(startFailure(error)));
    child.on('close', code => resolve({ exitCode: code ?? 1, ...collected }));
  });

function startFailure(error: Error): Error {
  if (systemErrorCode(error) !== 'ENOENT') return error;
  return new TandemError(
    'GIT_MISSING',
    'the program git (2.36 or newer) is needed, and there is none on the PATH: https://git-scm.com/downloads',
    { cause: error },
  );
}
