import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { sep } from 'node:path';
import { isAlive, processIdentity, sendSignal } from './process.ts';

export interface ListedProcess {
  pid: number;
  /** The command line, arguments separated by blanks. */
  title: string;
  /** Its working folder. */
  cwd: string;
}

/**
 * Daemons whose working folder lies in `folder`, whoever their parent is now: that is how processes are found whose
 * record was lost. A process with a terminal (somebody's shell that stands in the folder) is never one of them.
 * Linux only (/proc); elsewhere the answer is empty and callers go by their records.
 */
export function daemonsUnder(folder: string): ListedProcess[] {
  if (process.platform !== 'linux') return [];
  const found: ListedProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const cwd = readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, '');
      if (cwd !== folder && !cwd.startsWith(folder + sep)) continue;
      if (processIdentity(pid) === undefined || hasTerminal(pid)) continue;
      found.push({ pid, title: commandLine(pid), cwd });
    } catch {
      // It ended while we looked, or belongs to another user: not ours.
    }
  }
  return found;
}

/** Field 7 of /proc/<pid>/stat: the controlling terminal, 0 for none. */
function hasTerminal(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4] !== '0';
}

function commandLine(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
}

const EXIT_CHECK_MS = 25;

/**
 * Resolves true when the process is gone, false after `timeoutMs`. The system tells only parents of an exit, so a
 * process that is not our child has to be looked at.
 */
export async function waitForExit(identity: string, timeoutMs: number): Promise<boolean> {
  const pid = Number(identity.split(':')[0]);
  const end = performance.now() + timeoutMs;
  while (isAlive(pid) && processIdentity(pid) === identity) {
    if (performance.now() > end) return false;
    await new Promise(resolve => setTimeout(resolve, EXIT_CHECK_MS));
  }
  return true;
}

/**
 * Kills what `list` finds until it finds nothing any more, at most for `limitMs`: whoever was killed stays until the
 * kernel is done with it, holding its folder and its ports.
 */
export async function endDaemons(list: () => readonly ListedProcess[], limitMs: number): Promise<void> {
  const end = performance.now() + limitMs;
  for (let left = list(); left.length > 0 && performance.now() < end; left = list()) {
    for (const { pid } of left) sendSignal(pid, 'SIGKILL');
    await new Promise(resolve => setTimeout(resolve, EXIT_CHECK_MS));
  }
}
