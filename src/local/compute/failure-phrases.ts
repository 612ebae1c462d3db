import type { TaskFailure } from '../../control/deployment/observed.ts';
import type { TaskExit } from './task-runtime.ts';

const LONGEST_QUOTE = 200;

/** What a task's end means in words, with what it said last. `lines` are its newest, oldest first. */
export function describeExit(exit: TaskExit, memoryMb: number, lines: readonly string[]): TaskFailure {
  if (exit.outOfMemory) {
    const reason = 'OutOfMemoryError: Container killed due to memory usage';
    return { reason, phrase: `killed for using more than ${memoryMb} MB of memory` };
  }
  const reason = 'Essential container in task exited';
  if (exit.exitCode === undefined) {
    return { reason, phrase: 'ended with an exit code that nobody saw: its supervisor was killed' };
  }
  const said = tellingLine(lines);
  return { reason, phrase: `exited with code ${exit.exitCode}${said === undefined ? '' : `: ${said}`}` };
}

/**
 * The line that says why a program ended: the last that names an error (programs print traces and hints after it),
 * else the last one that says anything.
 */
export function tellingLine(lines: readonly string[]): string | undefined {
  const said = lines.map(line => line.trim()).filter(line => line !== '');
  const names = said.findLast(line => /^(?:[\w.$]+(?:Error|Exception)\b|panic:|fatal\b|error\b)/i.test(line));
  const line = names ?? said.findLast(candidate => !/^Node\.js v\d|^at |^[{}[\]^~]+$/.test(candidate));
  return line !== undefined && line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE)}…` : line;
}
