import { KmsAlias } from '@cdktn/provider-aws/lib/kms-alias/index.js';
import { KmsKey } from '@cdktn/provider-aws/lib/kms-key/index.js';
import { SnsTopicPolicy } from '@cdktn/provider-aws/lib/sns-topic-policy/index.js';
import { SnsTopicSubscription } from '@cdktn/provider-aws/lib/sns-topic-subscription/index.js';
import { SnsTopic } from '@cdktn/provider-aws/lib/sns-topic/index.js';
import { Construct } from 'constructs';
import { policyDocument } from '../policy.ts';

export interface NotificationsInput {
  name: string;
  topicName: string;
  /** `alias/…` */
  topicKeyAlias: string;
  accountId: string;
  emails: readonly string[];
  /** Where it is; without, in the stack's own region. */
  region?: string;
  /** Further services of AWS that publish by themselves: `budgets.amazonaws.com`. */
  alsoFrom?: readonly string[];
}

export interface NotificationsOutput {
  topicArn: string;
  /** For who publishes with a role: the topic is encrypted with it. */
  keyArn: string;
}

/** Services of AWS that publish by themselves; their own key (`alias/aws/sns`) would shut them out. */
const PUBLISHERS = ['cloudwatch.amazonaws.com', 'events.amazonaws.com'];

/** The topic that everything people must hear of goes to, encrypted with a key of its own. */
export function notifications(scope: Construct, id: string, input: NotificationsInput): NotificationsOutput {
  const here = new Construct(scope, id);
  const place = input.region === undefined ? {} : { region: input.region };
  const publishers = [...PUBLISHERS, ...(input.alsoFrom ?? [])];
  const thisAccount = { StringEquals: { 'aws:SourceAccount': input.accountId } };
  const key = new KmsKey(here, 'key', {
    ...place,
    description: `Encrypts the notifications of ${input.name}`,
    enableKeyRotation: true,
    deletionWindowInDays: 7,
    policy: policyDocument([
      {
        Sid: 'Administer',
        Principal: { AWS: `arn:aws:iam::${input.accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
      ...publishers.map(service => ({
        Sid: `Publish${service.split('.', 1)[0]!}`,
        Principal: { Service: service },
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: '*',
        Condition: thisAccount,
      })),
    ]),
    tags: { Name: input.name },
  });
  new KmsAlias(here, 'key-name', { ...place, name: input.topicKeyAlias, targetKeyId: key.keyId });
  const topic = new SnsTopic(here, 'topic', { ...place, name: input.topicName, kmsMasterKeyId: key.arn });
  new SnsTopicPolicy(here, 'policy', {
    ...place,
    arn: topic.arn,
    policy: policyDocument([
      ...publishers.map(service => ({
        Sid: `Publish${service.split('.', 1)[0]!}`,
        Principal: { Service: service },
        Action: 'sns:Publish',
        Resource: topic.arn,
        Condition: thisAccount,
      })),
      {
        Sid: 'TlsOnly',
        Effect: 'Deny' as const,
        Principal: '*' as const,
        Action: 'sns:Publish',
        Resource: topic.arn,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ]),
  });
  input.emails.forEach((endpoint, index) => {
    new SnsTopicSubscription(here, `email-${index + 1}`, {
      ...place,
      topicArn: topic.arn,
      protocol: 'email',
      endpoint,
    });
  });
  return { topicArn: topic.arn, keyArn: key.arn };
}
