import { startSupervisor } from './local/supervisor.ts';
import { systemClock } from './platform/clock.ts';
import {
  exitProcess,
  onParentGone,
  onSignal,
  sendToParent,
  setProcessTitle,
  writeErrorIfPossible,
} from './platform/process.ts';

/**
 * `internal supervisor <data folder> <mode>`. SIGTERM ends the cloud as `tandem down` does, SIGINT at once. In mode
 * `foreground` it also ends when the command that started it is gone: somebody closed the terminal.
 */
export async function runSupervisorProcess(dataDir: string, mode: string, entry: string): Promise<void> {
  setProcessTitle(`tandem supervisor ${dataDir}`);
  const supervisor = await startSupervisor({
    dataDir,
    clock: systemClock,
    entry,
    report: sendToParent,
    log: writeErrorIfPossible,
  });
  const shutDown = (force: boolean) => {
    supervisor.shutDown({ force }).then(
      () => exitProcess(0),
      (error: unknown) => {
        writeErrorIfPossible(`${String(error)}\n`);
        exitProcess(1);
      },
    );
  };
  onSignal('SIGTERM', () => shutDown(false));
  onSignal('SIGINT', () => shutDown(true));
  if (mode === 'foreground') onParentGone(() => shutDown(false));
}
