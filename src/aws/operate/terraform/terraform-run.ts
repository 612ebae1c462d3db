import { errorMessage } from '../../../core/error.ts';
import type { Interruption, StackDiagnostic } from '../../../model/infrastructure.ts';
import type { Clock } from '../../../platform/clock.ts';
import { closeSync, existsSync, openSync, renameSync } from '../../../platform/files.ts';
import { sendSignal, spawn } from '../../../platform/process.ts';
import { followFile } from './follow-file.ts';
import type { TerraformProgram } from './terraform-program.ts';
import { parseEvent, type TerraformEvent } from './terraform-event.ts';

export interface RunOptions {
  program: TerraformProgram;
  folder: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** All that Terraform writes; what was there moves to `<path>.1`. */
  logPath: string;
  clock: Clock;
  interruption?: Interruption;
  onEvent(event: TerraformEvent): void;
}

export interface TerraformRun {
  exitCode: number;
  diagnostics: readonly StackDiagnostic[];
  /** Lines that were no event, the last ones: what a crash leaves. */
  text: readonly string[];
  wasInterrupted: boolean;
}

const KEPT_LINES = 20;

/**
 * Runs one Terraform command to its end.
 *
 * Terraform leads a process group of its own and writes to its log, which is read from there. So a Ctrl-C of the
 * terminal reaches only us, who pass it on once (a second one would make Terraform drop what it does, and with it the
 * record of resources that are being made), and it ends in good order even where this process is killed: with a pipe it
 * would die of writing to nobody.
 */
export async function runTerraform(argv: readonly string[], options: RunOptions): Promise<TerraformRun> {
  const { program, folder, environment, logPath, clock, interruption, onEvent } = options;
  const diagnostics: StackDiagnostic[] = [];
  const text: string[] = [];
  if (existsSync(logPath)) renameSync(logPath, `${logPath}.1`);
  const log = openSync(logPath, 'a', 0o600);
  const follower = followFile(logPath, clock, line => {
    const event = parseEvent(line);
    if (event === undefined) {
      if (!line.startsWith('{') && line.trim() !== '') text.push(line);
      if (text.length > KEPT_LINES) text.shift();
      return;
    }
    if (event.kind === 'diagnostic') diagnostics.push(event.diagnostic);
    onEvent(event);
  });
  const release: (() => void)[] = [];
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      const child = spawn(program.path, argv, {
        cwd: folder,
        env: { ...environment },
        stdio: ['ignore', log, log],
        detached: true,
      });
      closeSync(log);
      child.on('error', reject);
      child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
      if (interruption !== undefined && child.pid !== undefined) {
        release.push(passOn(interruption.stop, child.pid), passOn(interruption.force, child.pid));
      }
    });
    return { exitCode, text, diagnostics, wasInterrupted: interruption?.stop.aborted ?? false };
  } catch (error) {
    const detail = errorMessage(error);
    diagnostics.push({ severity: 'error', summary: `${program.path} cannot be run`, detail });
    return { exitCode: 127, text, diagnostics, wasInterrupted: false };
  } finally {
    for (const undo of release) undo();
    follower.end();
  }
}

/** One SIGINT for one wish. */
function passOn(wish: AbortSignal, pid: number): () => void {
  const send = () => void sendSignal(pid, 'SIGINT');
  if (wish.aborted) send();
  else wish.addEventListener('abort', send, { once: true });
  return () => wish.removeEventListener('abort', send);
}
