import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { emulateReplication, emulateServices, rememberPeer, rememberRef } from './emulated-application.ts';

/* The region that doctor looks at: an application in two environments, and what replicates it, all of it well. */

export const HERE = 'eu-west-1';
export const THERE = 'eu-central-1';
export const NOW = Date.now();
const clients = { region: HERE };

export const makeServices = () => emulateServices(HERE);
export const makeReplication = () => emulateReplication(HERE, THERE);
export const ref = (name: string, changedAt: number) => rememberRef(HERE, name, changedAt);

export function peer(roundStartedAt: number, splitRefs: string[] = []): Promise<void> {
  return rememberPeer(HERE, THERE, roundStartedAt, splitRefs);
}

export async function write(logGroupName: string, logStreamName: string, lines: string[]) {
  const logs = new CloudWatchLogsClient(clients);
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  const logEvents = lines.map(message => ({ message, timestamp: NOW }));
  await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
}
