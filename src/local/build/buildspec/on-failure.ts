/**
 * What a failed phase does to the build (`phases/<phase>/on-failure` of the buildspec reference). A retry runs the
 * phase's commands again; one that is used up aborts.
 */
export type OnFailure =
  | { kind: 'abort' }
  | { kind: 'continue' }
  | { kind: 'retry'; attempts: number; matching: RegExp | undefined };

const DEFAULT_RETRIES = 3;
const MOST_RETRIES = 100;

export const ON_FAILURE_FORMS =
  'ABORT, CONTINUE, RETRY, RETRY-<count from 0 to 100>, RETRY-<regular expression> or RETRY-<count>-<regular expression>';

/** `undefined` where the text is none of the forms. */
export function parseOnFailure(text: string): OnFailure | undefined {
  if (text === 'ABORT') return { kind: 'abort' };
  if (text === 'CONTINUE') return { kind: 'continue' };
  const retry = /^RETRY(?:-(\d+))?(?:-(.+))?$/s.exec(text);
  if (!retry) return undefined;
  const attempts = retry[1] === undefined ? DEFAULT_RETRIES : Number(retry[1]);
  if (attempts > MOST_RETRIES) return undefined;
  if (retry[2] === undefined) return { kind: 'retry', attempts, matching: undefined };
  try {
    return { kind: 'retry', attempts, matching: new RegExp(retry[2]) };
  } catch {
    return undefined;
  }
}
