import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideRemediation, NEVER_ACTED, type RemediationState } from './decide.ts';

const limits = fc.record({
  maximumActions: fc.integer({ min: 1, max: 5 }),
  withinMs: fc.integer({ min: 1, max: 1000 }),
});
/** Alarms with pauses between them; a small choice of ids makes repetitions. */
const alarms = fc.array(
  fc.record({ eventId: fc.integer({ min: 0, max: 30 }).map(String), pauseMs: fc.nat(500) }),
  {
    maxLength: 60,
  },
);

describe('remediation', () => {
  test('never does more than the limit in any stretch of its time, and answers no event twice while it remembers', () => {
    fc.assert(
      fc.property(limits, alarms, (limit, events) => {
        const acted: { eventId: string; at: number }[] = [];
        let state: RemediationState = NEVER_ACTED;
        let now = 0;
        for (const { eventId, pauseMs } of events) {
          now += pauseMs;
          const decision = decideRemediation(state, eventId, { limit, now });
          if (decision.kind !== 'act') continue;
          expect(acted.some(action => action.eventId === eventId && action.at > now - limit.withinMs)).toBe(
            false,
          );
          acted.push({ eventId, at: now });
          ({ state } = decision);
        }
        for (const { at } of acted) {
          const within = acted.filter(other => other.at >= at && other.at < at + limit.withinMs);
          expect(within.length).toBeLessThanOrEqual(limit.maximumActions);
        }
      }),
    );
  });

  test('a limited alarm would be answered at the time that is named, and not before', () => {
    fc.assert(
      fc.property(limits, alarms, (limit, events) => {
        let state: RemediationState = NEVER_ACTED;
        let now = 0;
        events.forEach(({ pauseMs }, index) => {
          now += pauseMs;
          const decision = decideRemediation(state, `event-${index}`, { limit, now });
          if (decision.kind === 'act') ({ state } = decision);
          if (decision.kind !== 'limited') return;
          const at = (time: number) => decideRemediation(state, 'another', { limit, now: time }).kind;
          expect(at(decision.until)).toBe('act');
          expect(at(decision.until - 1)).toBe('limited');
        });
      }),
    );
  });

  test('the state does not grow without end', () => {
    fc.assert(
      fc.property(limits, alarms, (limit, events) => {
        let state: RemediationState = NEVER_ACTED;
        let now = 0;
        for (const { eventId, pauseMs } of events) {
          now += pauseMs;
          const decision = decideRemediation(state, eventId, { limit, now });
          if (decision.kind === 'act') ({ state } = decision);
          expect(state.acted.length).toBeLessThanOrEqual(limit.maximumActions);
        }
      }),
    );
  });
});
