import { compareVersions, joinVersions, type Version } from './version.ts';
import type { RefState } from './decide.ts';

export type Receipt =
  /** Move the ref and store `version`. */
  | { kind: 'apply'; version: Version }
  /** The value is here already; store `version`. */
  | { kind: 'agree'; version: Version }
  /** This region knows something that the sender does not. */
  | { kind: 'refuse' };

/**
 * What a region does with a value that another region pushes to it. Only what has seen everything that this
 * region has seen may replace its value: that is what makes retries, detours over a third region, lost answers
 * and crashes harmless.
 */
export function decideReceipt(own: RefState, incoming: RefState): Receipt {
  if (own.id === incoming.id) return { kind: 'agree', version: joinVersions(own.version, incoming.version) };
  const isNewer = compareVersions(incoming.version, own.version) === 'after';
  return isNewer ? { kind: 'apply', version: incoming.version } : { kind: 'refuse' };
}
