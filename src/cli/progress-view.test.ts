/* oxlint-disable no-control-regex -- this is about what a terminal is told */
import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import type { Clock } from '../platform/clock.ts';
import { ProgressView } from './progress-view.ts';

const plain = picocolors.createColors(false);

test('in a pipe each change of a row is one line, and no change is none', () => {
  const { view, written } = viewOn({ isTerminal: false });
  view.set('us-east-1', { text: 'building', since: 0 });
  view.set('us-east-1', { text: 'building', since: 0 });
  view.set('us-west-2', { text: 'waiting' });
  view.note('a remark');
  view.set('us-east-1', { text: 'done' });
  view.end({ keep: false });
  expect(written()).toBe('us-east-1  building\nus-west-2  waiting\na remark\nus-east-1  done\n');
});

test('on a terminal the rows are redrawn in place, with the time that they take', () => {
  const { view, screen, tick } = viewOn({ isTerminal: true });
  view.set('us-east-1', { text: 'building', since: 0 });
  view.set('global', { text: 'waiting' });
  tick(5_300);
  expect(screen()).toEqual(['us-east-1  building  5.0 s', 'global     waiting']);
  view.set('us-east-1', { text: 'done' });
  expect(screen()).toEqual(['us-east-1  done', 'global     waiting']);
});

test('on a terminal a remark stays above the rows', () => {
  const { view, screen } = viewOn({ isTerminal: true });
  view.set('us-east-1', { text: 'building' });
  view.note('a remark');
  expect(screen()).toEqual(['a remark', 'us-east-1  building']);
});

test('at the end the rows stay, or make room', () => {
  const kept = viewOn({ isTerminal: true });
  kept.view.set('us-east-1', { text: 'done' });
  kept.view.end({ keep: true });
  expect(kept.screen()).toEqual(['us-east-1  done']);
  const removed = viewOn({ isTerminal: true });
  removed.view.set('us-east-1', { text: 'done' });
  removed.view.end({ keep: false });
  expect(removed.screen()).toEqual([]);
});

test('line wrapping is switched on again with every write, whatever happens next', () => {
  const { view, written } = viewOn({ isTerminal: true });
  view.set('us-east-1', { text: 'a very long row' });
  view.set('us-east-1', { text: 'another' });
  const switches = written().match(/\u001b\[\?7[hl]/g);
  expect(switches).toEqual(['\u001b[?7l', '\u001b[?7h', '\u001b[?7l', '\u001b[?7h']);
});

/** A view on an output that is written down; `screen` is what a terminal would show of it. */
function viewOn({ isTerminal }: { isTerminal: boolean }) {
  let text = '';
  let nowMs = 0;
  const ticks: (() => void)[] = [];
  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    after: () => ({ cancel: () => undefined }),
    every: (_periodMs, callback) => {
      ticks.push(callback);
      return { cancel: () => undefined };
    },
  };
  const output = { isTerminal, write: (more: string) => void (text += more) };
  return {
    view: new ProgressView(output, plain, clock),
    written: () => text,
    screen: () => render(text),
    tick(toMs: number) {
      nowMs = toMs;
      for (const tick of ticks) tick();
    },
  };
}

/** Plays the few control sequences that the view uses. */
function render(text: string): string[] {
  const lines: string[] = [''];
  let cursor = 0;
  for (const [, up, clear, newline, character] of text
    .replaceAll(/\u001b\[\?7[hl]/g, '')
    .matchAll(/\u001b\[(\d+)A\r|(\u001b\[J)|(\n)|(.)/g)) {
    if (up !== undefined) cursor = Math.max(0, cursor - Number(up));
    else if (clear !== undefined) lines.splice(cursor, lines.length, '');
    else if (newline !== undefined) {
      cursor += 1;
      lines[cursor] ??= '';
    } else lines[cursor] += character!;
  }
  return lines.slice(0, -1);
}
