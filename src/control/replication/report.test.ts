import { describe, expect, test } from 'vitest';
import { NEW_PEER, OUTAGE_TOLD_AFTER_MS, reportRound, type RoundOutcome } from './report.ts';

const split = (ref: string, there = 'b') => ({ ref, here: 'a', there });

describe('what is told of a peer', () => {
  test('an outage that lasts, once', () => {
    expect(
      tell([
        [0, { kind: 'failed' }],
        [1_000, { kind: 'failed' }],
        [OUTAGE_TOLD_AFTER_MS, { kind: 'failed' }],
        [60_000, { kind: 'failed' }],
      ]),
    ).toEqual(['outage']);
  });

  test('the next outage again', () => {
    expect(
      tell([
        [0, { kind: 'failed' }],
        [9_000, { kind: 'failed' }],
        [10_000, { kind: 'completed', splits: [] }],
        [11_000, { kind: 'failed' }],
        [20_000, { kind: 'failed' }],
      ]),
    ).toEqual(['outage', 'outage']);
  });

  test('nothing of a moment without an answer', () => {
    expect(
      tell([
        [0, { kind: 'failed' }],
        [10_000, { kind: 'completed', splits: [] }],
        [20_000, { kind: 'failed' }],
      ]),
    ).toEqual([]);
  });

  test('each split when it appears and when it is gone, also across an outage', () => {
    expect(
      tell([
        [0, { kind: 'completed', splits: [split('main')] }],
        [1, { kind: 'completed', splits: [split('main', 'c'), split('next')] }],
        [2, { kind: 'failed' }],
        [3, { kind: 'completed', splits: [split('next')] }],
        [4, { kind: 'completed', splits: [] }],
      ]),
    ).toEqual(['split main', 'split next', 'mended main', 'mended next']);
  });
});

function tell(rounds: readonly (readonly [number, RoundOutcome])[]): string[] {
  let condition = NEW_PEER;
  return rounds.flatMap(([now, outcome]) => {
    const report = reportRound(condition, outcome, now);
    condition = report.condition;
    return report.notices.map(notice => {
      if (notice.kind === 'outage') return 'outage';
      return `${notice.kind} ${notice.kind === 'split' ? notice.split.ref : notice.ref}`;
    });
  });
}
