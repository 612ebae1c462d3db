import { join } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Cloud } from '../../model/cloud.ts';
import { doctor } from '../../doctor.ts';
import { runCommandLine } from '../command-line.ts';
import type { AwsOperations } from '../aws-operations.ts';
import type { CommandPorts } from '../context.ts';
import { systemGit } from '../git.ts';
import type { LocalLifecycle } from '../../model/local-lifecycle.ts';
import { NOW } from './fixtures.ts';

export interface CommandRun {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Shows always the same time of day, and waits a hundredth of what it is asked to. */
const hurriedClock: Clock = {
  now: () => NOW,
  monotonicMs: () => systemClock.monotonicMs() * 100,
  after: (delayMs, callback, options) => systemClock.after(delayMs / 100, callback, options),
  every: (periodMs, callback, options) => systemClock.every(periodMs / 100, callback, options),
};

const unexpected = () => Promise.reject(new Error('not expected'));

export const unexpectedAws: AwsOperations = {
  identify: unexpected,
  stacks: unexpected,
  ensureStateBucket: unexpected,
  readStateLock: unexpected,
  removeStateLock: unexpected,
  prepareForDeletion: unexpected,
  deleteByproducts: unexpected,
  removeStateBucket: unexpected,
  takeInventory: unexpected,
  cloud: unexpected,
  observeRegion: unexpected,
  foreignReplication: unexpected,
  quotaUse: unexpected,
  nameClashes: unexpected,
  keepDeployed: unexpected,
  openWorkFolder: unexpected,
};

export interface RunOptions extends Partial<Omit<CommandPorts, 'local' | 'stdout' | 'stderr'>> {
  cloud?: Cloud;
  local?: Partial<LocalLifecycle>;
  isTerminal?: boolean;
  /** Answers to what is asked, in order. */
  answers?: string[];
  /** Sees everything written, as it is written. */
  onWrite?: (text: string, all: string) => void;
}

/** Runs one command line in-process, against doubles where the test does not say otherwise. */
export async function runCli(argv: readonly string[], options: RunOptions = {}): Promise<CommandRun> {
  const { cloud, local, isTerminal = false, answers = [], onWrite, ...ports } = options;
  const run = { stdout: '', stderr: '' };
  const output = (name: 'stdout' | 'stderr') => ({
    isTerminal,
    write(text: string) {
      run[name] += text;
      onWrite?.(text, run.stdout + run.stderr);
    },
  });
  const exitCode = await runCommandLine(argv, {
    stdout: output('stdout'),
    stderr: output('stderr'),
    inputIsTerminal: isTerminal,
    ask: async question => {
      run.stderr += question;
      return answers.shift() ?? '';
    },
    onInterrupt: () => () => undefined,
    workingFolder: '/nowhere',
    environment: {},
    user: 'ada',
    clock: hurriedClock,
    git: systemGit,
    packageFolder: join(import.meta.dirname, '..', '..', '..'),
    synthesize: unexpected,
    cost: { report: unexpected, change: unexpected },
    aws: unexpectedAws,
    drawDiagram: unexpected,
    doctor,
    local: {
      attach: async () => cloud,
      up: unexpected,
      down: unexpected,
      destroy: unexpected,
      inventory: unexpected,
      ...local,
    },
    ...ports,
  });
  return { exitCode, ...run };
}

/** The text as lines, without the one after the last line end. */
export function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}
