/**
 * Whether an alarm is answered by doing something, and not only by telling people. What helps once may do harm when it is
 * done again and again, so there is a limit: so many actions in any stretch of so much time, whatever the alarms.
 */
import type { Instant } from '../../core/instant.ts';

export interface RemediationLimit {
  maximumActions: number;
  withinMs: number;
}

export interface RemediationState {
  /** What was done within the limit's time, oldest first, by the id of the event that asked for it. */
  acted: readonly { eventId: string; at: Instant }[];
}

export type RemediationDecision =
  /** Store the state, then act. */
  | { kind: 'act'; state: RemediationState }
  /** The same event was answered before. */
  | { kind: 'repeated' }
  /** The limit is reached; from `until` on there would be room. */
  | { kind: 'limited'; until: Instant };

export const NEVER_ACTED: RemediationState = { acted: [] };

export function decideRemediation(
  state: RemediationState,
  eventId: string,
  { limit, now }: { limit: RemediationLimit; now: Instant },
): RemediationDecision {
  if (state.acted.some(action => action.eventId === eventId)) return { kind: 'repeated' };
  // A clock that was put back makes actions of the future: they count.
  const recent = state.acted.filter(({ at }) => at > now - limit.withinMs);
  if (recent.length >= limit.maximumActions) {
    const makesRoom = recent[recent.length - limit.maximumActions]!;
    return { kind: 'limited', until: makesRoom.at + limit.withinMs };
  }
  return { kind: 'act', state: { acted: [...recent, { eventId, at: now }] } };
}
