import { appendFileSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../platform/clock.ts';
import { OutputTail } from './output-tail.ts';

let folder: string;
let output: string;
let seen: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tail-'));
  output = join(folder, 'output.log');
  seen = [];
  writeFileSync(output, '');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('hands on whole lines only, and the rest at the end', () => {
  tailOnce('one\r\ntwo\n\npar');
  expect(seen).toEqual(['one', 'two', '', 'par']);
});

test('goes on where an earlier tail came to', async () => {
  const first = tail();
  appendFileSync(output, 'one\ntwo\nthr');
  await handedOn(first, 2);
  first.close();
  appendFileSync(output, 'ee\nfour\n');
  tail().finish();
  expect(seen).toEqual(['one', 'two', 'three', 'four']);
});

test('cuts an endless line between characters', () => {
  const endless = 'ä'.repeat(300_000);
  tailOnce(`${endless}\nnext\n`);
  expect(seen.slice(0, -1).join('')).toBe(endless);
  expect(seen.at(-1)).toBe('next');
  expect(seen.length).toBeGreaterThan(2);
});

test('empties the file when much was handed on, and goes on in it', async () => {
  const running = tail();
  appendFileSync(output, `${'x'.repeat(99)}\n`.repeat(11_000));
  await handedOn(running, 11_000);
  await until(running, () => statSync(output).size === 0);
  appendFileSync(output, 'after\n');
  running.finish();
  expect(seen).toHaveLength(11_001);
  expect(seen.at(-1)).toBe('after');
});

test('starts over in a file that somebody else emptied', () => {
  tailOnce('one\ntwo\n');
  truncateSync(output, 0);
  appendFileSync(output, '3\n');
  tail().finish();
  expect(seen).toEqual(['one', 'two', '3']);
});

test('hands on again what could not be stored', async () => {
  let isFull = true;
  const running = tail(lines => {
    if (isFull) throw new Error('disk full');
    seen.push(...lines);
  });
  appendFileSync(output, 'kept\n');
  running.wake();
  await new Promise(resolve => systemClock.after(40, () => resolve(undefined)));
  isFull = false;
  running.finish();
  expect(seen).toEqual(['kept']);
});

function tail(onLines = (lines: readonly string[]) => void seen.push(...lines)): OutputTail {
  return new OutputTail(systemClock, { output, outputPosition: join(folder, 'output.position') }, onLines);
}

function tailOnce(text: string): void {
  appendFileSync(output, text);
  tail().finish();
}

function handedOn(running: OutputTail, count: number): Promise<void> {
  return until(running, () => seen.length >= count);
}

/** The tail is woken as its watcher would, until the condition holds. */
async function until(running: OutputTail, condition: () => boolean): Promise<void> {
  while (!condition()) {
    running.wake();
    await new Promise(resolve => systemClock.after(5, () => resolve(undefined)));
  }
}
