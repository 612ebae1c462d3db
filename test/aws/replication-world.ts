import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReplication } from '../../src/aws/lambda/replication/handler.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { git, startGitServer, type GitServer } from './git-server.ts';

type Replication = ReturnType<typeof createReplication>;

interface Region {
  name: string;
  replication: Replication;
  queueUrl: string;
  noticesUrl: string;
}

const REPOSITORY = 'acme-storefront';

/** Regions whose functions, tables, queues and topics are real to them, in moto, and whose repositories are Git's own. */
export class ReplicationWorld implements AsyncDisposable {
  readonly server: GitServer;
  /** Lines of the functions' logs. */
  readonly log: Record<string, unknown>[] = [];
  /** Moves the functions' clocks on. */
  aheadMs = 0;
  readonly #folder: string;
  readonly #regions: Region[] = [];
  readonly #trees = new Map<string, string>();
  /** Whether what goes back to a queue waits as long as the function wants. */
  isPatient = false;
  #messages = 0;

  private constructor(folder: string, server: GitServer) {
    this.#folder = folder;
    this.server = server;
  }

  /** Each world has names of its own, so that all share one moto. */
  static async create(regions: readonly string[]): Promise<ReplicationWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-replication-'));
    const server = await startGitServer(folder, regions, REPOSITORY);
    process.env['AWS_ENDPOINT_URL_CODECOMMIT'] = server.apiUrl;
    const world = new ReplicationWorld(folder, server);
    const unique = folder.split('-').at(-1)!;
    for (const region of regions) await world.#add(region, unique);
    return world;
  }

  async #add(region: string, unique: string): Promise<void> {
    const tableName = `replication-${unique}`;
    await new DynamoDBClient({ region }).send(
      new CreateTableCommand({
        TableName: tableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'repository', KeyType: 'HASH' },
          { AttributeName: 'key', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'repository', AttributeType: 'S' },
          { AttributeName: 'key', AttributeType: 'S' },
        ],
      }),
    );
    const sqs = new SQSClient({ region });
    const queue = await sqs.send(
      new CreateQueueCommand({
        QueueName: `wake-${unique}.fifo`,
        Attributes: { FifoQueue: 'true', ContentBasedDeduplication: 'true', VisibilityTimeout: '900' },
      }),
    );
    const notices = await sqs.send(new CreateQueueCommand({ QueueName: `notices-${unique}` }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: notices.QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const sns = new SNSClient({ region });
    const topic = await sns.send(new CreateTopicCommand({ Name: `people-${unique}` }));
    await sns.send(
      new SubscribeCommand({ TopicArn: topic.TopicArn, Protocol: 'sqs', Endpoint: Attributes!['QueueArn'] }),
    );
    this.#regions.push({
      name: region,
      queueUrl: queue.QueueUrl!,
      noticesUrl: notices.QueueUrl!,
      replication: createReplication({
        region,
        repository: REPOSITORY,
        tableName,
        topicArn: topic.TopicArn!,
        queueUrl: queue.QueueUrl!,
        gitUrl: (of, repository) => this.server.url(of, repository),
        clock: { ...systemClock, now: () => systemClock.now() + this.aheadMs },
        log: line => this.log.push(JSON.parse(line) as Record<string, unknown>),
      }),
    });
  }

  /** A commit on a branch of a region's repository, as a push leaves it. Returns its id. */
  commit(
    region: string,
    branch: string,
    { onto, merging }: { onto?: string; merging?: string } = {},
  ): string {
    const folder = this.server.folder(region);
    this.#messages += 1;
    const parent = onto ?? this.refs(region)[`refs/heads/${branch}`];
    const parents = [parent, merging].flatMap(id => (id === undefined ? [] : ['-p', id]));
    const id = git(
      folder,
      'commit-tree',
      this.#tree(folder),
      ...parents,
      '-m',
      `change ${this.#messages} in ${region}`,
    );
    git(folder, 'update-ref', `refs/heads/${branch}`, id);
    return id;
  }

  /** One file is enough: commits differ by what they say. */
  #tree(folder: string): string {
    const known = this.#trees.get(folder);
    if (known !== undefined) return known;
    const path = join(this.#folder, 'file');
    writeFileSync(path, 'content\n');
    git(
      folder,
      'update-index',
      '--add',
      '--cacheinfo',
      `100644,${git(folder, 'hash-object', '-w', path)},file`,
    );
    const tree = git(folder, 'write-tree');
    this.#trees.set(folder, tree);
    return tree;
  }

  refs(region: string): Record<string, string> {
    const lines = git(this.server.folder(region), 'for-each-ref', '--format=%(refname) %(objectname)');
    return Object.fromEntries(
      lines
        .split('\n')
        .filter(line => line !== '')
        .map(line => line.split(' ', 2) as [string, string]),
    );
  }

  /** Wakes a region's function for a peer, with an event as EventBridge would put it into the queue. */
  async wake(region: string, peer: string, pushedAt = systemClock.now() + this.aheadMs): Promise<void> {
    this.#messages += 1;
    await new SQSClient({ region }).send(
      new SendMessageCommand({
        QueueUrl: this.#region(region).queueUrl,
        MessageGroupId: peer,
        MessageBody: JSON.stringify({
          peer,
          time: new Date(pushedAt).toISOString(),
          reason: 'push',
          event: `event-${this.#messages}`,
        }),
      }),
    );
  }

  /** One batch from the queue through the function, as Lambda's event source does it. Returns how many messages went back. */
  async runOnce(region: string): Promise<number> {
    const { queueUrl, replication } = this.#region(region);
    const sqs = new SQSClient({ region });
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 0,
        MessageSystemAttributeNames: ['All'],
      }),
    );
    if (Messages.length === 0) return 0;
    const { batchItemFailures } = await replication(
      {
        Records: Messages.map(message => ({
          messageId: message.MessageId!,
          receiptHandle: message.ReceiptHandle!,
          body: message.Body!,
          attributes: message.Attributes as Record<string, string>,
        })),
      },
      { getRemainingTimeInMillis: () => 60_000 },
    );
    const back = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    const done = Messages.filter(({ MessageId }) => !back.has(MessageId!));
    if (done.length > 0) {
      await sqs.send(
        new DeleteMessageBatchCommand({
          QueueUrl: queueUrl,
          Entries: done.map(({ MessageId, ReceiptHandle }) => ({ Id: MessageId!, ReceiptHandle })),
        }),
      );
    }
    if (!this.isPatient) {
      for (const { ReceiptHandle } of Messages.filter(({ MessageId }) => back.has(MessageId!))) {
        await sqs.send(
          new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout: 0 }),
        );
      }
    }
    return back.size;
  }

  /** Wakes and runs. */
  async replicate(region: string, peer: string, pushedAt?: number): Promise<number> {
    await this.wake(region, peer, pushedAt);
    return this.runOnce(region);
  }

  async notices(region: string): Promise<{ Subject: string; Message: string }[]> {
    const { Messages = [] } = await new SQSClient({ region }).send(
      new ReceiveMessageCommand({ QueueUrl: this.#region(region).noticesUrl, MaxNumberOfMessages: 10 }),
    );
    return Messages.map(({ Body }) => JSON.parse(Body!) as { Subject: string; Message: string });
  }

  /** The newest value of a metric of the direction. */
  metric(name: 'ReplicationLag' | 'SplitReferences', peer: string): unknown {
    return this.log.findLast(line => line['Peer'] === peer && name in line)?.[name];
  }

  #region(name: string): Region {
    return this.#regions.find(region => region.name === name)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
