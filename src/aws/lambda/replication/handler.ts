/*
 * The replication function: woken by pushes to the repository of its own region, and every few minutes in any case, with
 * the name of the region to push to. A message says only that there is something to do; what is seen in the
 * repositories decides, so a message that is lost, late or doubled does no harm.
 */
import { CodeCommitClient } from '@aws-sdk/client-codecommit';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { ChangeMessageVisibilityCommand, SQSClient } from '@aws-sdk/client-sqs';
import { backoffDelayMs } from '../../../core/backoff.ts';
import { SECOND_MS } from '../../../core/duration.ts';
import { errorMessage, TandemError } from '../../../core/error.ts';
import { parseInstant, type Instant } from '../../../core/instant.ts';
import type { RegionName } from '../../../model/names.ts';
import { systemClock, type Clock } from '../../../platform/clock.ts';
import { timeLimit } from '../../../platform/http.ts';
import { writeOutput } from '../../../platform/process.ts';
import { systemRandom } from '../../../platform/random.ts';
import type { LambdaContext, SqsBatchResponse, SqsEvent } from '../lambda.ts';
import { setting } from '../settings.ts';
import { relationOf } from './ancestry.ts';
import { basicAuthorization, codecommitCredentials } from './codecommit-credentials.ts';
import type { Replica } from './observe.ts';
import { lagOfFailure, lagOfRound, replicationMetrics, splitNotice, type Direction } from './peer-report.ts';
import { RefTable } from './ref-table.ts';
import { replicate, type RoundResult } from './replicate.ts';

export interface ReplicationSettings {
  region: RegionName;
  /** The same in every region. */
  repository: string;
  /** The table of that name in every region. */
  tableName: string;
  topicArn: string;
  queueUrl: string;
  /** Where a region's repository answers Git. */
  gitUrl(region: RegionName, repository: string): string;
  clock: Clock;
  /** Takes a line of the log. */
  log(line: string): void;
}

/** Refused because something moved meanwhile, a push is decided anew at once. */
const ROUNDS = 3;
const RETRY = { firstMs: 2 * SECOND_MS, maximumMs: 60 * SECOND_MS };
/** Left for writing down how it went. */
const RESERVE_MS = 10 * SECOND_MS;

export function createReplication(settings: ReplicationSettings) {
  const { region, repository, clock, log } = settings;
  const own = { sns: new SNSClient({ region }), sqs: new SQSClient({ region }) };
  const clients = new Map<RegionName, { codecommit: CodeCommitClient; table: RefTable }>();
  const clientsOf = (of: RegionName) => {
    const known = clients.get(of) ?? {
      codecommit: new CodeCommitClient({ region: of }),
      table: new RefTable(new DynamoDBClient({ region: of }), settings.tableName, repository),
    };
    clients.set(of, known);
    return known;
  };

  function replicaOf(of: RegionName, signal: AbortSignal): Replica {
    const { codecommit, table } = clientsOf(of);
    const url = settings.gitUrl(of, repository);
    const authorization = async () => {
      const credentials = await codecommit.config.credentials();
      return basicAuthorization(codecommitCredentials(credentials, { url, region: of, at: clock.now() }));
    };
    return { region: of, table, git: { name: of, url, authorization, signal: () => signal } };
  }

  async function replicateTo(there: RegionName, changedAt: Instant, signal: AbortSignal): Promise<void> {
    const direction: Direction = { repository, here: region, there };
    const { table } = clientsOf(region);
    const startedAt = clock.now();
    const peer = await table.peer(there);
    let result: RoundResult;
    try {
      result = await rounds(there, { changedAt, signal });
    } catch (error) {
      const records = await table.list();
      const lag = lagOfFailure(records.values(), peer, clock.now());
      log(replicationMetrics(direction, { lag, splits: peer.splitRefs.length, now: clock.now() }));
      throw error;
    }
    const now = clock.now();
    log(replicationMetrics(direction, { lag: lagOfRound(result, now), splits: result.splits.length, now }));
    const news = result.splits.filter(({ ref }) => !peer.splitRefs.includes(ref));
    if (news.length > 0) {
      const { subject, message } = splitNotice(direction, news, now);
      await own.sns.send(
        new PublishCommand({ TopicArn: settings.topicArn, Subject: subject, Message: message }),
      );
    }
    await table.putPeer(there, {
      roundStartedAt: result.refused.length === 0 ? startedAt : peer.roundStartedAt,
      splitRefs: result.splits.map(({ ref }) => ref),
    });
    if (result.refused.length > 0) throw refusedError(direction, result);
  }

  async function rounds(
    there: RegionName,
    { changedAt, signal }: { changedAt: Instant; signal: AbortSignal },
  ): Promise<RoundResult> {
    const landed: RoundResult['landed'] = [];
    for (let round = 1; ; round += 1) {
      const result = await replicate({
        here: replicaOf(region, signal),
        there: replicaOf(there, signal),
        relate: (hereId, thereId) =>
          relationOf(
            repository,
            { client: clientsOf(region).codecommit, id: hereId },
            { client: clientsOf(there).codecommit, id: thereId },
          ),
        changedAt,
        now: clock.now(),
      });
      landed.push(...result.landed);
      if (result.refused.length === 0 || round === ROUNDS) return { ...result, landed };
    }
  }

  return async (event: SqsEvent, context: LambdaContext): Promise<SqsBatchResponse> => {
    const signal = timeLimit(Math.max(0, context.getRemainingTimeInMillis() - RESERVE_MS));
    const failed: SqsEvent['Records'][number][] = [];
    for (const [there, messages] of byPeer(event)) {
      try {
        await replicateTo(there, earliest(messages, clock.now()), signal);
      } catch (error) {
        log(JSON.stringify({ level: 'error', peer: there, message: errorMessage(error) }));
        failed.push(...messages);
      }
    }
    // The queue's own time would be as long as the longest run; what failed early is tried again early.
    await Promise.all(
      failed.map(({ receiptHandle, attributes }) => {
        const delayMs = backoffDelayMs(RETRY, Number(attributes['ApproximateReceiveCount']), systemRandom);
        return own.sqs.send(
          new ChangeMessageVisibilityCommand({
            QueueUrl: settings.queueUrl,
            ReceiptHandle: receiptHandle,
            VisibilityTimeout: Math.ceil(delayMs / SECOND_MS),
          }),
        );
      }),
    );
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

function refusedError({ here, there }: Direction, { refused }: RoundResult): TandemError {
  const reasons = refused.map(({ ref, reason }) => `${ref} (${reason})`).join(', ');
  return new TandemError(
    'REPLICATION_REFUSED',
    `The repository in ${there} did not take from ${here}: ${reasons}. It is tried again.`,
    { kind: 'system', data: { refs: refused.map(({ ref }) => ref) } },
  );
}

interface Wake {
  peer: RegionName;
  /** A push, or that it was time to look. */
  reason: 'push' | 'schedule';
  /** When the event was. */
  time: string;
}

function byPeer(event: SqsEvent): Map<RegionName, SqsEvent['Records'][number][]> {
  return Map.groupBy(event.Records, ({ body }) => (JSON.parse(body) as Wake).peer);
}

/** The time of the first push of these; a message that no push sent says nothing about when. */
function earliest(messages: SqsEvent['Records'], now: Instant): Instant {
  const pushes = messages
    .map(({ body }) => JSON.parse(body) as Wake)
    .filter(({ reason }) => reason === 'push')
    .flatMap(({ time }) => parseInstant(time) ?? []);
  return Math.min(now, ...pushes);
}

/** What Lambda calls; made when it first does, so that the module can be read without its settings. */
let replication: ReturnType<typeof createReplication> | undefined;

export function handler(event: SqsEvent, context: LambdaContext): Promise<SqsBatchResponse> {
  replication ??= createReplication({
    region: setting('AWS_REGION'),
    repository: setting('REPOSITORY'),
    tableName: setting('TABLE'),
    topicArn: setting('TOPIC_ARN'),
    queueUrl: setting('QUEUE_URL'),
    gitUrl: (region, repository) => `https://git-codecommit.${region}.amazonaws.com/v1/repos/${repository}`,
    clock: systemClock,
    log: line => writeOutput(`${line}\n`),
  });
  return replication(event, context);
}
