import { DynamoDBClient, paginateQuery, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { MINUTE_MS } from '../../../core/duration.ts';
import { formatInstant, type Instant } from '../../../core/instant.ts';
import type { ReplicationObservation } from '../../../model/diagnosis.ts';
import type { RegionName } from '../../../model/names.ts';
import { tailCommand } from './log-tail.ts';
import type { Looking } from './looking.ts';

export interface ReplicationPlace {
  repository: string;
  /** Of the function, of the table where it keeps what it knows of refs and peers, and of its queue but for `.fifo`. */
  functionName: string;
  peers: readonly RegionName[];
}

/** A round is begun every five minutes: after three of them it is not chance any more. */
const SILENT_TOO_LONG_MS = 15 * MINUTE_MS;

/** What the replication function wrote down of its own rounds, and what waits for it in its queues. */
export async function observeReplication(
  looking: Looking,
  { repository, functionName, peers }: ReplicationPlace,
  now: Instant,
): Promise<ReplicationObservation[]> {
  const [memory, waiting, dead] = await Promise.all([
    readMemory(looking, functionName, repository),
    depth(looking, `${functionName}.fifo`),
    depth(looking, `${functionName}-dead.fifo`),
  ]);
  if (memory === undefined) return [];
  const queued = [
    ...(waiting === undefined || waiting === 0 ? [] : [`${waiting} messages wait in ${functionName}.fifo`]),
    ...(dead === undefined || dead === 0 ? [] : [`${dead} were given up, in ${functionName}-dead.fifo`]),
  ];
  const { region } = looking.settings;
  return peers.map(peer => ({
    ...statusOf(memory, { peer, queued, now }),
    commands: {
      events: tailCommand(region, `/aws/lambda/${functionName}`),
      peer: `tandem doctor --target aws --region ${peer}`,
      merge: `clone the repository of ${region}, fetch that of ${peer}, and push a merge of both, or one of them, to either`,
    },
  }));
}

interface Memory {
  /** When each ref changed. */
  changes: Instant[];
  peers: Map<string, { roundStartedAt: Instant; splitRefs: string[] }>;
}

/** As `src/aws/lambda/replication/ref-table.ts` writes it. */
async function readMemory(
  looking: Looking,
  TableName: string,
  repository: string,
): Promise<Memory | undefined> {
  const items = await looking.ask(
    { what: 'replication', permission: 'dynamodb:Query', client: new DynamoDBClient(looking.settings) },
    async client => {
      const found: Record<string, AttributeValue>[] = [];
      const query = {
        TableName,
        KeyConditionExpression: 'repository = :repository',
        ExpressionAttributeValues: { ':repository': { S: repository } },
      };
      for await (const { Items = [] } of paginateQuery({ client }, query)) found.push(...Items);
      return found;
    },
  );
  if (items === undefined) return undefined;
  const memory: Memory = { changes: [], peers: new Map() };
  for (const { key, changedAt, roundStartedAt, splitRefs } of items) {
    const name = key?.S ?? '';
    if (name.startsWith('refs/')) memory.changes.push(Number(changedAt?.N ?? 0));
    else if (name.startsWith('#peer ')) {
      memory.peers.set(name.slice('#peer '.length), {
        roundStartedAt: Number(roundStartedAt?.N ?? 0),
        splitRefs: (splitRefs?.L ?? []).map(entry => entry.S ?? ''),
      });
    }
  }
  return memory;
}

async function depth(looking: Looking, QueueName: string): Promise<number | undefined> {
  return looking.ask(
    {
      what: `the queue ${QueueName}`,
      permission: 'sqs:GetQueueUrl, sqs:GetQueueAttributes',
      client: new SQSClient(looking.settings),
    },
    async client => {
      const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName }));
      const AttributeNames = ['ApproximateNumberOfMessages' as const];
      const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
      return Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0);
    },
  );
}

function statusOf(
  memory: Memory,
  { peer, queued, now }: { peer: RegionName; queued: readonly string[]; now: Instant },
): Omit<ReplicationObservation, 'commands'> {
  const { roundStartedAt, splitRefs } = memory.peers.get(peer) ?? { roundStartedAt: 0, splitRefs: [] };
  // What changed before the last round that went through has been seen to.
  const pending = memory.changes.filter(changedAt => changedAt >= roundStartedAt);
  const silentMs = now - roundStartedAt;
  const isSilent = silentMs > SILENT_TOO_LONG_MS;
  const since = roundStartedAt === 0 ? 'ever' : `since ${formatInstant(roundStartedAt)}`;
  const said = [...(isSilent ? [`no round to ${peer} has gone through ${since}`] : []), ...queued].join('; ');
  const state = splitRefs.length > 0 ? 'split' : isSilent || pending.length > 0 ? 'behind' : 'in-sync';
  const waited = pending.map(changedAt => now - changedAt);
  return {
    peer,
    state,
    pendingRefs: pending.length,
    lagMs: Math.max(0, ...waited, ...(isSilent && roundStartedAt > 0 ? [silentMs] : [])),
    splits: splitRefs.map(ref => ({ ref })),
    ...(said !== '' && { message: said }),
  };
}
