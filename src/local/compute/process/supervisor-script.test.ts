import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SUPERVISOR_SCRIPT } from './supervisor-script.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-supervisor-script-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a task's supervisor", () => {
  test('writes down who it and the task are, and how the task ended', async () => {
    const child = supervise('echo "$$" >"$0"; exit 7', join(folder, 'pid'));
    await once(child, 'exit');
    expect(processIds()).toEqual([child.pid, Number(readFileSync(join(folder, 'pid'), 'utf8'))]);
    expect(readFileSync(join(folder, 'exit'), 'utf8')).toBe('7\n');
  });

  test('that is killed at once never leaves somebody else written down in its place', async () => {
    for (let round = 0; round < 60; round += 1) {
      rmSync(join(folder, 'processes'), { force: true });
      const child = supervise('exit 0');
      const end = performance.now() + round / 15;
      while (performance.now() < end);
      child.kill('SIGKILL');
      // The inner shell holds the pipe: when it closes, it has written down what it will.
      await once(child, 'close');
      // One write: all of it, or a file that is only open.
      const isWritten = existsSync(join(folder, 'processes')) && processIds().length > 0;
      if (isWritten) expect(processIds()).toEqual([child.pid, expect.any(Number)]);
    }
  });
});

function supervise(command: string, ...argv: string[]) {
  const script = ['-c', SUPERVISOR_SCRIPT, 'tandem-task', folder, '/bin/sh', '-c', command, ...argv];
  const child = spawn('/bin/sh', script, { stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.resume();
  return child;
}

function processIds(): number[] {
  const text = readFileSync(join(folder, 'processes'), 'utf8');
  if (text === '') return [];
  expect(text).toMatch(/^\d[^\n]*\n\d[^\n]*\n$/);
  return text
    .trim()
    .split('\n')
    .map(line => Number.parseInt(line, 10));
}
