/** Who can mend it: the user (input, state they can change) or the system (machine, network, a bug of ours). */
export type ErrorKind = 'user' | 'system';

export interface ErrorDetails {
  kind?: ErrorKind;
  /** Facts for programs; everything a person needs is in the message. */
  data?: Record<string, unknown>;
  cause?: unknown;
}

/**
 * Every expected failure. `code` is stable, SCREAMING_SNAKE_CASE, and listed in docs/errors.md; the message
 * says what happened, to which thing, and what to do about it.
 */
export class TandemError extends Error {
  override name = 'TandemError';
  readonly code: string;
  readonly kind: ErrorKind;
  readonly data: Record<string, unknown>;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.kind = details.kind ?? 'user';
    this.data = details.data ?? {};
  }
}

/** One line for a person, whatever was thrown. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The system's code of a Node.js error (`ENOENT`, `EADDRINUSE`…), if it has one. */
export function systemErrorCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
