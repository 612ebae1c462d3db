import {
  DescribeRuleCommand,
  EventBridgeClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-eventbridge';
import { paginateListTopics, SNSClient } from '@aws-sdk/client-sns';
import { GetQueueUrlCommand, QueueDoesNotExist, SQSClient } from '@aws-sdk/client-sqs';
import { using } from '../using-client.ts';
import { absent, amongListed, askEach, isThere, type FindTaken, type NamedKinds } from './named-kind.ts';

/** Making one that exists gives that one (API reference, CreateTopic): Terraform would take it over. */
const topics: FindTaken = (settings, names) =>
  using(new SNSClient(settings), client =>
    amongListed(names, paginateListTopics({ client }, {}), ({ Topics }) =>
      Topics?.map(({ TopicArn: importId = '' }) => ({ name: importId.split(':').at(-1), importId })),
    ),
  );

/** Making one that exists gives that one, or fails where it is set otherwise (API reference, CreateQueue). */
const queues: FindTaken = (settings, names) =>
  using(new SQSClient(settings), client =>
    askEach(names, QueueName =>
      client
        .send(new GetQueueUrlCommand({ QueueName }))
        .then(({ QueueUrl: importId = QueueName }) => ({ importId }))
        .catch(absent(QueueDoesNotExist)),
    ),
  );

/** Making one that exists replaces it (API reference, PutRule), and leaves its targets. */
const rules: FindTaken = (settings, names) =>
  using(new EventBridgeClient(settings), client =>
    askEach(names, Name =>
      client.send(new DescribeRuleCommand({ Name })).then(isThere, absent(ResourceNotFoundException)),
    ),
  );

export const MESSAGES: NamedKinds = {
  aws_sns_topic: {
    title: 'SNS topic',
    name: 'name',
    findTaken: topics,
    command: 'sns delete-topic --topic-arn $id',
  },
  aws_sqs_queue: {
    title: 'SQS queue',
    name: 'name',
    findTaken: queues,
    command: 'sqs get-queue-attributes --attribute-names All --queue-url $id',
  },
  // One that has targets is not deleted by one command.
  aws_cloudwatch_event_rule: {
    title: 'EventBridge rule',
    name: 'name',
    findTaken: rules,
    command: 'events list-targets-by-rule --rule $name',
  },
};
