import { CloudwatchMetricAlarm } from '@cdktn/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import { SqsQueue } from '@cdktn/provider-aws/lib/sqs-queue/index.js';
import { SqsQueuePolicy } from '@cdktn/provider-aws/lib/sqs-queue-policy/index.js';
import { Construct } from 'constructs';
import { policyDocument } from '../policy.ts';

export interface WorkQueueInput {
  /** Without `.fifo`, at most 75 characters. */
  name: string;
  accountId: string;
  /** Longer than who works on a message may take. */
  visibilitySeconds: number;
  /** A message that was taken so often without success goes to the dead-letter queue. */
  maximumReceives: number;
  /** Told of a message in the dead-letter queue. */
  topicArn: string;
}

export interface WorkQueueOutput {
  url: string;
  arn: string;
}

/** Long enough for people to look at what failed. */
const DEAD_LETTER_SECONDS = 14 * 86_400;

/** A FIFO queue that EventBridge may fill, encrypted, with a dead-letter queue and an alarm on it. */
export function workQueue(scope: Construct, id: string, input: WorkQueueInput): WorkQueueOutput {
  const here = new Construct(scope, id);
  const queue = (part: string, name: string, settings: Partial<ConstructorParameters<typeof SqsQueue>[2]>) =>
    new SqsQueue(here, part, {
      name: `${name}.fifo`,
      fifoQueue: true,
      contentBasedDeduplication: true,
      sqsManagedSseEnabled: true,
      ...settings,
    });
  const dead = queue('dead-letters', `${input.name}-dead`, { messageRetentionSeconds: DEAD_LETTER_SECONDS });
  const work = queue('queue', input.name, {
    visibilityTimeoutSeconds: input.visibilitySeconds,
    redrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: input.maximumReceives }),
  });
  new SqsQueuePolicy(here, 'policy', {
    queueUrl: work.url,
    policy: policyDocument([
      {
        Sid: 'Fill',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: work.arn,
        Condition: { StringEquals: { 'aws:SourceAccount': input.accountId } },
      },
      {
        Sid: 'TlsOnly',
        Effect: 'Deny',
        Principal: '*',
        Action: 'sqs:*',
        Resource: work.arn,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ]),
  });
  new CloudwatchMetricAlarm(here, 'given-up', {
    alarmName: `${input.name}-given-up`,
    alarmDescription: `A message of ${input.name} failed ${input.maximumReceives} times and waits in ${input.name}-dead.fifo`,
    namespace: 'AWS/SQS',
    metricName: 'ApproximateNumberOfMessagesVisible',
    dimensions: { QueueName: dead.name },
    statistic: 'Maximum',
    period: 60,
    evaluationPeriods: 1,
    comparisonOperator: 'GreaterThanThreshold',
    threshold: 0,
    treatMissingData: 'notBreaching',
    alarmActions: [input.topicArn],
    okActions: [input.topicArn],
  });
  return { url: work.url, arn: work.arn };
}
