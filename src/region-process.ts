import { getRequestListener } from '@hono/node-server';
import { createRegionApi } from './api/region-api.ts';
import { TandemError } from './core/error.ts';
import { readCloudRecord } from './local/cloud-record.ts';
import { startRegion } from './local/region.ts';
import { systemClock } from './platform/clock.ts';
import { exitProcess, onSignal, sendToParent, setProcessTitle } from './platform/process.ts';

/** `internal region <data folder> <region>`. SIGTERM ends this process only: balancer and tasks go on without it. */
export async function runRegionProcess(dataDir: string, region: string): Promise<void> {
  setProcessTitle(`tandem region ${region}`);
  const record = await readCloudRecord(dataDir);
  if (!record) {
    throw new TandemError('DATA_FOLDER_INVALID', `${dataDir} holds no local cloud; \`tandem up\` makes one.`);
  }
  const running = await startRegion({
    dataDir,
    record,
    region,
    clock: systemClock,
    api: operations => {
      const listener = getRequestListener(createRegionApi({ operations, now: systemClock.now, every }).fetch);
      return (request, response) => void listener(request, response);
    },
  });
  onSignal('SIGTERM', () => void running.detach().finally(() => exitProcess(0)));
  sendToParent({ type: 'ready' });
  await running.closed;
  exitProcess(0);
}

function every(periodMs: number, callback: () => void): () => void {
  const timer = systemClock.every(periodMs, callback, { idle: true });
  return () => timer.cancel();
}
