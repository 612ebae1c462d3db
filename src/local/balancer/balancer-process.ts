import { assert } from '../../core/assert.ts';
import { errorMessage } from '../../core/error.ts';
import { systemClock } from '../../platform/clock.ts';
import { openDatabase } from '../../platform/database.ts';
import { flushCompileCache } from '../../platform/modules.ts';
import {
  commandArguments,
  exitProcess,
  leaveParent,
  onSignal,
  ownPid,
  processIdentity,
  sendToParent,
} from '../../platform/process.ts';
import { systemRandom } from '../../platform/random.ts';
import { AdminServer } from './admin-server.ts';
import { checkConfig } from './balancer-config.ts';
import { BoundedLog } from './bounded-log.ts';
import type { BalancerConfig } from './contract.ts';
import { DataPlane } from './data-plane.ts';
import {
  EXIT_LOCKED,
  newSocketPath,
  processFiles,
  readConfig,
  removeProcessFiles,
  writeConfig,
  writeRecord,
} from './process-files.ts';

const RESUME_RETRY_MS = 200;
/** How long requests in flight may take when the system ends the process. */
const TERMINATION_GRACE_MS = 10_000;
/** How long the region's process, if there is one, may take to store what it has not got of the request log. */
const LAST_REQUESTS_MS = 1_000;

/**
 * The region's load balancer: `balancer-process.ts <folder>`. It takes up the configuration it had, takes orders on
 * its admin socket, and lives until it is told to shut down, whatever becomes of the region process.
 */
async function main(folder: string): Promise<void> {
  const clock = systemClock;
  const log = new BoundedLog(processFiles(folder).log, clock);
  if (!takeLock(processFiles(folder).lock)) exitProcess(EXIT_LOCKED);
  const dataPlane = new DataPlane(clock, systemRandom, () => admin.tell());
  const socketPath = await newSocketPath(folder);
  let lastApply: Promise<void> = Promise.resolve();

  /** One after the other, in the order they came. */
  function apply(config: BalancerConfig, commit: () => void): Promise<void> {
    lastApply = lastApply.catch(() => undefined).then(() => dataPlane.apply(config, commit));
    return lastApply;
  }

  async function end(graceMs: number, isForGood: boolean): Promise<void> {
    log.write(`shutting down within ${graceMs} ms`);
    await dataPlane.close(graceMs);
    await dataPlane.requestLog.drain(LAST_REQUESTS_MS);
    if (isForGood) removeProcessFiles(folder, socketPath);
    log.write('shut down');
    exitProcess(0);
  }

  const admin = new AdminServer(
    {
      async apply(config) {
        checkConfig(config);
        await apply(config, () => writeConfig(folder, config));
        log.write(`configuration in force: ${describe(config)}`);
      },
      view: () => ({ state: dataPlane.state(), counters: dataPlane.counters() }),
      nextRequests: stored => dataPlane.requestLog.next(stored),
      shutDown: graceMs => void end(graceMs, true),
    },
    clock,
  );

  /** What stands in the way (another program on a port) may go; meanwhile orders are taken. */
  async function resume(config: BalancerConfig): Promise<void> {
    try {
      await apply(config, () => undefined);
      log.write(`configuration taken up again: ${describe(config)}`);
    } catch (error) {
      log.write(`configuration not taken up: ${errorMessage(error)}`);
      clock.after(RESUME_RETRY_MS, () => void retryResume());
    }
  }

  async function retryResume(): Promise<void> {
    const config = await readConfig(folder);
    if (config !== undefined) await resume(config);
  }

  log.write(`started as process ${ownPid}`);
  onSignal('SIGTERM', () => void end(TERMINATION_GRACE_MS, false));
  const config = await readConfig(folder);
  if (config !== undefined) await resume(config);
  await admin.listen(socketPath);
  const identity = processIdentity(ownPid);
  assert(identity !== undefined, 'a running process has an identity');
  writeRecord(folder, { identity, socketPath });
  sendToParent({ type: 'ready' });
  leaveParent();
  // So that the next start, which may be after a kill, is twice as fast.
  flushCompileCache();
}

/** The system gives the lock back when the process ends, however it ends. */
function takeLock(path: string): boolean {
  try {
    const database = openDatabase(path);
    database.exec('PRAGMA busy_timeout = 0');
    database.exec('BEGIN IMMEDIATE');
    locks.push(database);
    return true;
  } catch {
    return false;
  }
}

/** Held here, so that the lock's connection is never collected. */
const locks: unknown[] = [];

function describe(config: BalancerConfig): string {
  const listeners = config.listeners.map(({ name, address, port }) => `${name} on ${address}:${port}`);
  const groups = config.targetGroups.map(({ name, targets }) => `${name} with ${targets.length} targets`);
  return `${listeners.join(', ')}; ${groups.join(', ')}`;
}

const folder = commandArguments[0];
assert(folder !== undefined, 'balancer-process.ts <folder>');
await main(folder);
