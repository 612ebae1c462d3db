import { join } from 'node:path';
import { mkdtempSync, readTextIfExists, rmSync, tmpdir, writeFileDurably } from '../../platform/files.ts';
import { processIdentity } from '../../platform/process.ts';
import type { BalancerConfig } from './contract.ts';

/** A Unix socket's path has 104 bytes on macOS and the BSDs, 108 on Linux, the closing zero included. */
const LONGEST_SOCKET_PATH = 100;

/** How a balancer process ends that finds another one at work in its folder. */
export const EXIT_LOCKED = 75;

/** Who the balancer process is and where it takes orders; written by the process once it does. */
export interface ProcessRecord {
  /** See `processIdentity`. */
  identity: string;
  socketPath: string;
}

/** The files of a balancer process, in its folder. */
export function processFiles(folder: string) {
  return {
    record: join(folder, 'process.json'),
    config: join(folder, 'config.json'),
    log: join(folder, 'balancer.log'),
    /** Locked for as long as the process lives, by the system: so that there are never two. */
    lock: join(folder, 'lock.db'),
    compileCache: join(folder, 'compile-cache'),
  };
}

/** Where the balancer process of this index works: the first in the service's folder, the others in folders of it. */
export function processFolder(folder: string, index: number): string {
  return index === 0 ? folder : join(folder, `process-${index + 1}`);
}

/** How many balancer processes have a configuration to carry; `undefined` where none has. */
export async function readNumberOfProcesses(folder: string): Promise<number | undefined> {
  let number = 0;
  while ((await readConfig(processFolder(folder, number))) !== undefined) number += 1;
  return number === 0 ? undefined : number;
}

/** The record, where it is of a process that runs. */
export async function readLivingRecord(folder: string): Promise<ProcessRecord | undefined> {
  const record = await readJson<ProcessRecord>(processFiles(folder).record);
  if (record === undefined) return undefined;
  return processIdentity(pidOf(record)) === record.identity ? record : undefined;
}

export function pidOf(record: ProcessRecord): number {
  return Number(record.identity.split(':')[0]);
}

export function readConfig(folder: string): Promise<BalancerConfig | undefined> {
  return readJson<BalancerConfig>(processFiles(folder).config);
}

export function writeConfig(folder: string, config: BalancerConfig): void {
  writeFileDurably(processFiles(folder).config, JSON.stringify(config));
}

export function writeRecord(folder: string, record: ProcessRecord): void {
  writeFileDurably(processFiles(folder).record, JSON.stringify(record), 0o600);
}

/**
 * Where to listen for orders: in the service's folder, or where its path is too long for a socket, in a new folder
 * of this user's own under the system's temporary one. Removes what an earlier process left.
 */
export async function newSocketPath(folder: string): Promise<string> {
  const earlier = await readJson<ProcessRecord>(processFiles(folder).record);
  if (earlier !== undefined) removeSocket(folder, earlier.socketPath);
  const path = join(folder, 'admin.sock');
  rmSync(path, { force: true });
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return path;
  return join(mkdtempSync(join(tmpdir(), TEMPORARY_PREFIX)), 'admin.sock');
}

/** Leaves nothing behind: neither the orders to resume from nor the place for new ones. */
export function removeProcessFiles(folder: string, socketPath: string): void {
  const files = processFiles(folder);
  rmSync(files.config, { force: true });
  rmSync(files.record, { force: true });
  removeSocket(folder, socketPath);
}

const TEMPORARY_PREFIX = 'tandem-balancer-';

function removeSocket(folder: string, socketPath: string): void {
  const isOwnFolder = !socketPath.startsWith(folder) && socketPath.includes(TEMPORARY_PREFIX);
  rmSync(isOwnFolder ? join(socketPath, '..') : socketPath, { force: true, recursive: true });
}

/** Such files are replaced as a whole, so one that cannot be read was never ours: it counts as absent. */
async function readJson<Value>(path: string): Promise<Value | undefined> {
  const text = await readTextIfExists(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}
