import { fileURLToPath } from 'node:url';
import { systemClock } from '../platform/clock.ts';
import { environment } from '../platform/process.ts';
import {
  askLine,
  inputIsTerminal,
  onInterrupt,
  systemOutput,
  userName,
  workingFolder,
} from '../platform/terminal.ts';
import type { CommandPorts } from './context.ts';
import { systemGit } from './git.ts';

/** The ports of a real terminal on this machine. */
export function systemPorts(
  clouds: Pick<CommandPorts, 'local' | 'synthesize' | 'cost' | 'drawDiagram' | 'doctor' | 'aws'>,
): CommandPorts {
  return {
    stdout: systemOutput('stdout'),
    stderr: systemOutput('stderr'),
    inputIsTerminal,
    ask: askLine,
    onInterrupt,
    workingFolder: workingFolder(),
    environment,
    user: userName(),
    clock: systemClock,
    git: systemGit,
    ...clouds,
    packageFolder: fileURLToPath(new URL('../..', import.meta.url)),
  };
}
