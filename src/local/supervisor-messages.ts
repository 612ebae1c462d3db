import type { ErrorKind } from '../core/error.ts';
import { TandemError } from '../core/error.ts';

/** What a region process tells its supervisor, and the supervisor the command that started it, over IPC. */
export type ProcessMessage =
  | { type: 'progress'; region?: string; message: string }
  | { type: 'ready'; region?: string }
  | { type: 'failed'; region?: string; error: SentError };

export interface SentError {
  code: string;
  message: string;
  kind: ErrorKind;
  data: Record<string, unknown>;
}

export function toSentError(error: unknown): SentError {
  if (error instanceof TandemError) {
    return { code: error.code, message: error.message, kind: error.kind, data: error.data };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'INTERNAL', message, kind: 'system', data: {} };
}

export function fromSentError(sent: SentError): TandemError {
  return new TandemError(sent.code, sent.message, { kind: sent.kind, data: sent.data });
}
