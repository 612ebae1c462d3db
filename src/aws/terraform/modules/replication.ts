import { CloudwatchEventRule } from '@cdktn/provider-aws/lib/cloudwatch-event-rule/index.js';
import { CloudwatchEventTarget } from '@cdktn/provider-aws/lib/cloudwatch-event-target/index.js';
import { CloudwatchMetricAlarm } from '@cdktn/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import { LambdaEventSourceMapping } from '@cdktn/provider-aws/lib/lambda-event-source-mapping/index.js';
import { Construct } from 'constructs';
import type { RegionName } from '../../../model/names.ts';
import { lambdaFunction } from './lambda-function.ts';
import { stateTable } from './state-table.ts';
import { workQueue } from './work-queue.ts';

export interface ReplicationInput {
  /** Of the function, the table (in every region the same) and the queue; at most 64 characters. */
  name: string;
  region: RegionName;
  accountId: string;
  /** Where it pushes to: the other regions, each with a repository and a table of the same names. */
  peers: readonly RegionName[];
  repository: { name: string; arn: string };
  roleName: string;
  /** Of the EventBridge rule that wakes it for a peer; at most 64 characters. */
  ruleName(peer: RegionName, reason: 'push' | 'schedule'): string;
  /** Told of splits, and of alarms. */
  topic: { arn: string; keyArn: string };
  /** A lag of more raises an alarm. */
  lagAlarmSeconds: number;
  logRetentionDays: number;
  protect: boolean;
}

/** The longest that Lambda lets a function run. */
const TIMEOUT_SECONDS = 900;
const MAXIMUM_RECEIVES = 20;
const SCHEDULE_MINUTES = 5;

/** Pushes what comes into this region's repository on to the other regions. */
export function replication(scope: Construct, id: string, input: ReplicationInput): void {
  const here = new Construct(scope, id);
  const table = stateTable(here, 'state', {
    name: input.name,
    partition: 'repository',
    sort: 'key',
    protect: input.protect,
  });
  const queue = workQueue(here, 'wakes', {
    name: input.name,
    accountId: input.accountId,
    visibilitySeconds: TIMEOUT_SECONDS,
    maximumReceives: MAXIMUM_RECEIVES,
    topicArn: input.topic.arn,
  });
  const code = lambdaFunction(here, 'function', {
    name: input.name,
    // At most 256 characters, so not the names of all regions.
    description: `Pushes ${input.repository.name} of ${input.region} to the other regions`,
    accountId: input.accountId,
    roleName: input.roleName,
    code: 'replication',
    environment: {
      REPOSITORY: input.repository.name,
      TABLE: table.name,
      TOPIC_ARN: input.topic.arn,
      QUEUE_URL: queue.url,
    },
    timeoutSeconds: TIMEOUT_SECONDS,
    memoryMb: 1024,
    logRetentionDays: input.logRetentionDays,
    statements: statements(input, { tableArn: table.arn, queueArn: queue.arn }),
  });
  new LambdaEventSourceMapping(here, 'source', {
    eventSourceArn: queue.arn,
    functionName: code.arn,
    batchSize: 10,
    functionResponseTypes: ['ReportBatchItemFailures'],
  });
  for (const peer of input.peers) wake(here, input, { peer, queueArn: queue.arn });
  for (const peer of input.peers) alarms(here, input, peer);
}

function statements(
  { region, accountId, peers, repository, name, topic }: ReplicationInput,
  { tableArn, queueArn }: { tableArn: string; queueArn: string },
) {
  const regions = [region, ...peers];
  const repositoryIn = (of: RegionName) => `arn:aws:codecommit:${of}:${accountId}:${repository.name}`;
  return [
    {
      Sid: 'Compare',
      Action: ['codecommit:GitPull', 'codecommit:GetMergeConflicts'],
      Resource: regions.map(repositoryIn),
    },
    { Sid: 'Push', Action: 'codecommit:GitPush', Resource: peers.map(repositoryIn) },
    {
      Sid: 'WriteDown',
      Action: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
      Resource: [tableArn, ...peers.map(peer => `arn:aws:dynamodb:${peer}:${accountId}:table/${name}`)],
    },
    {
      Sid: 'TakeWakes',
      Action: [
        'sqs:ReceiveMessage',
        'sqs:DeleteMessage',
        'sqs:GetQueueAttributes',
        'sqs:ChangeMessageVisibility',
      ],
      Resource: queueArn,
    },
    { Sid: 'TellOfSplits', Action: 'sns:Publish', Resource: topic.arn },
    { Sid: 'EncryptWhatIsTold', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: topic.keyArn },
  ];
}

/** One group a peer: one run at a time for each, and none waits for another's peer. */
function wake(
  scope: Construct,
  { ruleName, repository }: ReplicationInput,
  { peer, queueArn }: { peer: RegionName; queueArn: string },
): void {
  const target = (reason: 'push' | 'schedule', rule: { description: string } & Record<string, string>) => {
    const made = new CloudwatchEventRule(scope, `${reason}-${peer}`, {
      name: ruleName(peer, reason),
      ...rule,
    });
    new CloudwatchEventTarget(scope, `${reason}-wakes-${peer}`, {
      rule: made.name,
      targetId: 'replication',
      arn: queueArn,
      sqsTarget: { messageGroupId: peer },
      inputTransformer: {
        inputPaths: { time: '$.time', event: '$.id' },
        // The event's id makes each message a new one to the queue.
        inputTemplate: `{"peer": "${peer}", "reason": "${reason}", "time": <time>, "event": <event>}`,
      },
    });
  };
  target('push', {
    description: `A push to ${repository.name} is replicated to ${peer}`,
    eventPattern: JSON.stringify({
      source: ['aws.codecommit'],
      'detail-type': ['CodeCommit Repository State Change'],
      resources: [repository.arn],
      detail: { event: ['referenceCreated', 'referenceUpdated', 'referenceDeleted'] },
    }),
  });
  target('schedule', {
    description: `Whatever was missed of ${repository.name} is replicated to ${peer}`,
    scheduleExpression: `rate(${SCHEDULE_MINUTES} minutes)`,
  });
}

function alarms(
  scope: Construct,
  { name, repository, topic, lagAlarmSeconds }: ReplicationInput,
  peer: RegionName,
) {
  const alarm = {
    namespace: 'Tandem',
    dimensions: { Repository: repository.name, Peer: peer },
    statistic: 'Maximum',
    evaluationPeriods: 1,
    comparisonOperator: 'GreaterThanThreshold',
    alarmActions: [topic.arn],
    okActions: [topic.arn],
  };
  new CloudwatchMetricAlarm(scope, `lag-${peer}`, {
    ...alarm,
    alarmName: `${name}-lag-${peer}`,
    alarmDescription: `${peer} is more than ${lagAlarmSeconds} s behind with ${repository.name}, or nobody knows`,
    metricName: 'ReplicationLag',
    // The schedule alone gives a value in every period: none means that the function does not run.
    period: 3 * SCHEDULE_MINUTES * 60,
    threshold: lagAlarmSeconds,
    treatMissingData: 'breaching',
  });
  new CloudwatchMetricAlarm(scope, `split-${peer}`, {
    ...alarm,
    alarmName: `${name}-split-${peer}`,
    alarmDescription: `Branches or tags of ${repository.name} were changed here and in ${peer} apart`,
    metricName: 'SplitReferences',
    period: 60,
    threshold: 0,
    // Between rounds it is as it was.
    treatMissingData: 'ignore',
  });
}
