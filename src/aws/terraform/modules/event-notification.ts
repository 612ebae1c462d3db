import { CloudwatchEventRule } from '@cdktn/provider-aws/lib/cloudwatch-event-rule/index.js';
import { CloudwatchEventTarget } from '@cdktn/provider-aws/lib/cloudwatch-event-target/index.js';
import { Construct } from 'constructs';

export interface EventNotificationInput {
  /** At most 64 characters. */
  name: string;
  description: string;
  /** An EventBridge pattern. */
  pattern: Readonly<Record<string, unknown>>;
  topicArn: string;
  /** Paths into the event by the names that the message uses. */
  paths: Readonly<Record<string, string>>;
  /** One sentence, with `<name>` where a value goes. */
  message: string;
}

/** Tells people of an event in a sentence, not in JSON. */
export function eventNotification(scope: Construct, id: string, input: EventNotificationInput): void {
  const here = new Construct(scope, id);
  const rule = new CloudwatchEventRule(here, 'rule', {
    name: input.name,
    description: input.description,
    eventPattern: JSON.stringify(input.pattern),
  });
  new CloudwatchEventTarget(here, 'topic', {
    rule: rule.name,
    targetId: 'topic',
    arn: input.topicArn,
    inputTransformer: { inputPaths: { ...input.paths }, inputTemplate: JSON.stringify(input.message) },
  });
}
