import { errorMessage, TandemError } from '../core/error.ts';
import type { Output } from '../platform/terminal.ts';
import type { Paint } from './context.ts';
import { printable } from './text/printable.ts';

export interface ErrorReport {
  code: string;
  message: string;
  data: Record<string, unknown>;
}

/** An error for programs. What is no `TandemError` is a bug of ours or of the machine: code INTERNAL. */
export function errorReport(error: unknown): ErrorReport {
  return error instanceof TandemError
    ? { code: error.code, message: error.message, data: error.data }
    : { code: 'INTERNAL', message: errorMessage(error), data: {} };
}

/** `error[CODE]: message`, in front of it whose error it is where several regions were asked. */
export function printError(stream: Output, paint: Paint, error: unknown, subject?: string): void {
  const { code, message } = errorReport(error);
  const about = subject === undefined ? '' : `${subject}: `;
  stream.write(`${paint.red(`error[${code}]:`)} ${about}${message.split('\n').map(printable).join('\n')}\n`);
  // A bug is only found with its stack.
  if (!(error instanceof TandemError) && error instanceof Error && error.stack)
    stream.write(`${error.stack}\n`);
}
