import { readdirSync, readFileSync } from 'node:fs';
import { runCommand } from './process.ts';

const KIBIBYTE = 1024;

/**
 * Memory that each process and its descendants hold and the kernel could not simply drop, by process id: on Linux
 * anonymous and shared memory (program text is the machine's, not the process's, and a container's limit does not
 * feel it either); elsewhere the resident size that `ps` tells. A process that is gone counts 0.
 */
export async function memoryBytesOfTrees(roots: readonly number[]): Promise<Map<number, number>> {
  if (process.platform === 'linux') return new Map(roots.map(root => [root, linuxTreeBytes(root)]));
  const { stdout } = await runCommand('ps', ['-axo', 'pid=,ppid=,rss=']);
  const rows = stdout.split('\n').map(line => line.trim().split(/\s+/).map(Number));
  const treeBytes = (pid: number): number =>
    rows.reduce((sum, [id, parent, resident = 0]) => {
      if (id === pid) return sum + resident * KIBIBYTE;
      return parent === pid ? sum + treeBytes(id ?? 0) : sum;
    }, 0);
  return new Map(roots.map(root => [root, treeBytes(root)]));
}

function linuxTreeBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return linuxChildren(pid).reduce(
      (sum, child) => sum + linuxTreeBytes(child),
      (field(status, 'RssAnon') + field(status, 'RssShmem')) * KIBIBYTE,
    );
  } catch {
    return 0; // It ended while we looked.
  }
}

/** Each thread has its own list of the children that it forked. */
function linuxChildren(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap(thread => {
    const list = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
    return list.split(' ').filter(Boolean).map(Number);
  });
}

function field(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
}
