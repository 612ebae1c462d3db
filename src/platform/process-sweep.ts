import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { processIdentity, sendSignal } from './process.ts';

/** What tells one job's processes from all others on the machine. */
export interface ProcessMark {
  /** `NAME=value`, unguessable, in the environment that every process of the job inherits. */
  variable: string;
  /** Identities of processes that led a session of their own (`detached: true`). */
  leaders: readonly string[];
}

interface Seen {
  pid: number;
  parent: number;
  group: number;
  session: number;
  isMarked: boolean;
}

const FIRST_LOOK_MS = 1;
const LONGEST_LOOK_MS = 50;
const GIVE_UP_AFTER_MS = 10_000;

/**
 * Ends (SIGKILL) every process of a job, wherever it went: those with its mark in their environment, those in the
 * sessions and groups of its leaders, and the descendants of either. Looks again until none is left, since one that
 * is just being started shows up late. Resolves with the pids that would not go within ten seconds (a process
 * waiting in the kernel). A process that left the session, was handed to init and emptied its environment is not found.
 */
export async function endMarkedProcesses(mark: ProcessMark): Promise<number[]> {
  const end = performance.now() + GIVE_UP_AFTER_MS;
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_LOOK_MS)) {
    const found = markedProcesses(mark);
    if (found.length === 0) return [];
    if (performance.now() > end) return found;
    for (const pid of found) sendSignal(pid, 'SIGKILL');
    // Nobody but its parent is told of a process's end, so it has to be looked for.
    await new Promise(resolve => setTimeout(resolve, pauseMs));
  }
}

function markedProcesses(mark: ProcessMark): number[] {
  const sessions = new Set(mark.leaders.filter(isNotReused).map(identity => Number(identity.split(':')[0])));
  const all = process.platform === 'linux' ? listByProc(mark.variable) : listByPs(mark.variable);
  const found = new Set<number>();
  for (const seen of all) {
    if (seen.isMarked || sessions.has(seen.session) || sessions.has(seen.group)) found.add(seen.pid);
  }
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const seen of all) if (found.has(seen.parent)) found.add(seen.pid);
  }
  found.delete(process.pid);
  return [...found];
}

/**
 * A session's number stays taken while any member lives; where another process has it now, the session is over.
 * Init leads no job, whatever a record says: its session may be that of half the machine.
 */
function isNotReused(identity: string): boolean {
  const pid = Number(identity.split(':')[0]);
  if (pid <= 1) return false;
  const now = processIdentity(pid);
  return now === undefined || now === identity;
}

function listByProc(variable: string): Seen[] {
  const listed: Seen[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [state, parent, group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z' || state === 'X') continue;
      const isMarked = environmentOf(pid).split('\0').includes(variable);
      listed.push({ pid, parent: Number(parent), group: Number(group), session: Number(session), isMarked });
    } catch {
      // It ended while we looked.
    }
  }
  return listed;
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return ''; // Another user's.
  }
}

/** BSD and macOS: `-E` appends the environment to the command. */
function listByPs(variable: string): Seen[] {
  const { stdout } = spawnSync('ps', ['-A', '-E', '-ww', '-o', 'pid=,ppid=,pgid=,stat=,command='], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return (stdout ?? '').split('\n').flatMap(line => {
    const [, pid, parent, group, state, rest] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || state?.startsWith('Z')) return [];
    const isMarked = rest!.split(' ').includes(variable);
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), session: 0, isMarked }];
  });
}
