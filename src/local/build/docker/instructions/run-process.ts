import { sendSignalToGroup, spawn } from '../../../../platform/process.ts';
import type { BuildSession } from './session.ts';

/**
 * Runs the command as leader of a process group with a guard in it: a reader of descriptor 3, whose other end only
 * this process holds. When that closes (the command has ended, or this process died, even by SIGKILL), the guard
 * kills the group, so that no process of a RUN ever outlives it.
 */
const GUARDED = `
( read -r _; kill -KILL -$$ ) <&3 >/dev/null 2>&1 &
exec 3<&-
exec "$@"
`;

export interface ProcessRequest {
  argv: readonly string[];
  cwd: string;
  environment: Record<string, string>;
  output(text: string): void;
}

/** Resolves to the exit code, 128 + n for signal n, when every process of the group has ended. */
export function runGuarded(session: BuildSession, request: ProcessRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', GUARDED, 'sh', ...request.argv], {
      cwd: request.cwd,
      env: request.environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const end = () => {
      if (child.pid !== undefined) sendSignalToGroup(child.pid, 'SIGKILL');
    };
    session.signal.addEventListener('abort', end, { once: true });
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8');
      stream.on('data', request.output);
    }
    child.stdio[3]?.on('error', () => undefined);
    child.on('error', reject);
    // The guard is still there to name the group by: the leader's number cannot have been given away.
    child.on('exit', end);
    child.on('close', (code, signal) => {
      session.signal.removeEventListener('abort', end);
      resolve(code ?? (signal === 'SIGKILL' ? 137 : 143));
    });
  });
}
