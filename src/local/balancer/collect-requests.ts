import { delay } from '../../platform/clock.ts';
import type { ServiceContext } from '../context.ts';
import type { LoggedRequest } from '../telemetry/contract.ts';
import type { AdminClient } from './admin-client.ts';

const RETRY_MS = 1_000;

/**
 * Moves what a balancer process logs into the region's log store, batch by batch, until the line to the process has ended. A
 * batch that cannot be stored (a full disk) is asked for again; meanwhile the process counts what it has no room for.
 */
export async function collectRequests(
  client: AdminClient,
  { logs, clock, folder: source }: Pick<ServiceContext, 'logs' | 'clock' | 'folder'>,
): Promise<void> {
  let stored = logs.lastBatch(source);
  for (;;) {
    const batch = await client.nextRequests(stored);
    if (batch === undefined) return;
    try {
      const { number } = batch;
      logs.appendRequests({ source, number, requests: requestsIn(batch.lines) });
      stored = number;
    } catch {
      await delay(clock, RETRY_MS);
    }
  }
}

/** See `RequestBatch`. */
function requestsIn(lines: string): LoggedRequest[] {
  return lines
    .split('\n')
    .slice(0, -1)
    .map(line => {
      const streamStart = line.indexOf(' ') + 1;
      const messageStart = line.indexOf(' ', streamStart) + 1;
      return {
        at: Number(line.slice(0, streamStart)),
        stream: line.slice(streamStart, messageStart - 1),
        message: line.slice(messageStart),
      };
    });
}
