import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { isatty } from 'node:tty';
import { systemErrorCode } from '../core/error.ts';

/** One of the process's two output streams, as far as commands need it. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
}

/** A reader that went away (`| head`) ends the process quietly, as programs in a pipe do. */
export function systemOutput(name: 'stdout' | 'stderr'): Output {
  const stream = process[name];
  stream.on('error', error => {
    if (systemErrorCode(error) === 'EPIPE') process.exit();
    throw error;
  });
  return {
    write: text => void stream.write(text),
    isTerminal: isatty(stream.fd),
  };
}

export const inputIsTerminal = isatty(0);

/**
 * Asks on standard error, so that results stay alone on standard output. The end of input and Ctrl-C answer with
 * nothing.
 */
export async function askLine(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>(resolve => lines.once('close', () => resolve('')));
  lines.once('SIGINT', () => lines.close());
  try {
    return await Promise.race([lines.question(question), closed]);
  } finally {
    lines.close();
  }
}

/** Calls back at each Ctrl-C or SIGTERM, which then do nothing else, until the returned function is called. */
export function onInterrupt(listener: () => void): () => void {
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}

export const workingFolder = (): string => process.cwd();

/** The operating-system user, for records of who did what. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a user id that no passwd file names.
    return String(process.getuid?.() ?? 'unknown');
  }
}
