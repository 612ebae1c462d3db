import { SECOND_MS } from '../../core/duration.ts';
import type { Instant } from '../../core/instant.ts';
import type { RefSplit } from './decide.ts';

/** What people were told last about one peer. */
export interface PeerCondition {
  /** Failed attempts in a row; 0 while the peer answers. */
  failedAttempts: number;
  /** Of the first of them. */
  failingSince?: Instant;
  isOutageTold: boolean;
  splits: readonly RefSplit[];
}

export type RoundOutcome = { kind: 'failed' } | { kind: 'completed'; splits: readonly RefSplit[] };

export type Notice =
  { kind: 'outage' } | { kind: 'split'; split: RefSplit } | { kind: 'mended'; ref: string };

export const NEW_PEER: PeerCondition = { failedAttempts: 0, isOutageTold: false, splits: [] };

/** Regions that start or restart together miss each other for a moment; that is no news. */
export const OUTAGE_TOLD_AFTER_MS = 3 * SECOND_MS;

/**
 * Turns the outcomes of rounds into what is worth telling, once each: an outage that lasts, a split when it
 * appears, a mend when the split is gone. A split whose sides move on without meeting is still the same split.
 */
export function reportRound(
  condition: PeerCondition,
  outcome: RoundOutcome,
  now: Instant,
): { condition: PeerCondition; notices: Notice[] } {
  if (outcome.kind === 'failed') return reportFailure(condition, now);
  const before = new Set(condition.splits.map(split => split.ref));
  const after = new Set(outcome.splits.map(split => split.ref));
  return {
    condition: { ...NEW_PEER, splits: outcome.splits },
    notices: [
      ...outcome.splits
        .filter(split => !before.has(split.ref))
        .map(split => ({ kind: 'split', split }) as const),
      ...[...before].filter(ref => !after.has(ref)).map(ref => ({ kind: 'mended', ref }) as const),
    ],
  };
}

function reportFailure(
  condition: PeerCondition,
  now: Instant,
): { condition: PeerCondition; notices: Notice[] } {
  const failingSince = condition.failingSince ?? now;
  const isNews = !condition.isOutageTold && now - failingSince >= OUTAGE_TOLD_AFTER_MS;
  return {
    condition: {
      ...condition,
      failedAttempts: condition.failedAttempts + 1,
      failingSince,
      isOutageTold: condition.isOutageTold || isNews,
    },
    notices: isNews ? [{ kind: 'outage' }] : [],
  };
}
