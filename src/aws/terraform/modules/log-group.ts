import { CloudwatchLogGroup } from '@cdktn/provider-aws/lib/cloudwatch-log-group/index.js';
import type { Construct } from 'constructs';

export interface LogGroupInput {
  name: string;
  /** One of the numbers that CloudWatch Logs knows (API reference, PutRetentionPolicy). */
  retentionDays: number;
}

export interface LogGroup {
  name: string;
  arn: string;
}

/** A log group with a retention: without one, CloudWatch keeps, and bills, logs for ever. It encrypts them by itself. */
export function logGroup(scope: Construct, id: string, { name, retentionDays }: LogGroupInput): LogGroup {
  const group = new CloudwatchLogGroup(scope, id, {
    name,
    retentionInDays: retentionDays,
  });
  return { name: group.name, arn: group.arn };
}
