import { CloudwatchLogGroup } from '@cdktn/provider-aws/lib/cloudwatch-log-group/index.js';
import type { Construct } from 'constructs';

export interface LogGroupInput {
  name: string;
  /** One of the numbers that CloudWatch Logs knows; another is raised to the next of them. */
  retentionDays: number;
}

export interface LogGroup {
  name: string;
  arn: string;
}

/** The retention times that CloudWatch Logs takes (API reference, PutRetentionPolicy), in days. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** A log group with a retention: without one, CloudWatch keeps, and bills, logs for ever. It encrypts them by itself. */
export function logGroup(scope: Construct, id: string, { name, retentionDays }: LogGroupInput): LogGroup {
  const group = new CloudwatchLogGroup(scope, id, {
    name,
    retentionInDays: RETENTION_DAYS.find(days => days >= retentionDays) ?? RETENTION_DAYS.at(-1)!,
  });
  return { name: group.name, arn: group.arn };
}
