import { errorMessage, TandemError } from '../core/error.ts';
import { formatInstant } from '../core/instant.ts';
import type { Clock } from '../platform/clock.ts';
import { openLock } from '../platform/database.ts';
import { keepLogSmall, rmSync, writeFileDurably } from '../platform/files.ts';
import { ownPid, processIdentity } from '../platform/process.ts';
import { readCloudRecord, supervisorFiles } from './cloud-record.ts';
import { RegionKeeper } from './region-keeper.ts';
import { toSentError, type ProcessMessage } from './supervisor-messages.ts';

export interface SupervisorOptions {
  dataDir: string;
  clock: Clock;
  entry: string;
  /** To whoever started the supervisor. */
  report(message: ProcessMessage): void;
  /** To the supervisor's log. */
  log(line: string): void;
}

export interface RunningSupervisor {
  /** Ends every region, in parallel, then gives the data folder free. A second call with `force` cuts the first short. */
  shutDown(options: { force: boolean }): Promise<void>;
}

/**
 * Keeps the region processes of one data folder running. It holds no state that a crash could lose: what should run
 * is in cloud.json, what does run is found again. Regions start in parallel; one that fails never holds up another.
 */
export async function startSupervisor(options: SupervisorOptions): Promise<RunningSupervisor> {
  const { dataDir, clock, report } = options;
  const files = supervisorFiles(dataDir);
  const lock = openLock(files.lock);
  if (!lock) {
    throw new TandemError('LOCAL_CLOUD_RUNNING', `The local cloud in ${dataDir} is running already.`, {
      data: { dataDir },
    });
  }
  const record = await readCloudRecord(dataDir);
  if (!record)
    throw new TandemError('DATA_FOLDER_INVALID', `${dataDir} holds no local cloud; \`tandem up\` makes one.`);
  writeFileDurably(files.record, JSON.stringify({ identity: processIdentity(ownPid) }));

  const log = (line: string) => {
    keepLogSmall(files.log);
    options.log(`${formatInstant(clock.now())} ${line}\n`);
  };
  const keepers = record.regions.map(
    ({ region }) => new RegionKeeper({ dataDir, record, region, clock, entry: options.entry, log }),
  );
  const starting = Promise.all(
    keepers.map(async (keeper, index) => {
      const { region } = record.regions[index]!;
      report({ type: 'progress', region, message: 'starting' });
      try {
        await keeper.start();
        report({ type: 'ready', region });
      } catch (error) {
        log(`${region}: ${errorMessage(error)}`);
        report({ type: 'failed', region, error: toSentError(error) });
      }
    }),
  );
  void starting.then(() => report({ type: 'ready' }));

  return {
    async shutDown({ force }) {
      log(force ? 'ending at once' : 'shutting down');
      await Promise.all(keepers.map(keeper => keeper.shutDown({ force })));
      removeRecord(files.record, log);
      lock.release();
    },
  };
}

/** It names a process that is gone soon, so it may as well stay where the disk is read-only. */
function removeRecord(path: string, log: (line: string) => void): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    log(errorMessage(error));
  }
}
