import { CloudwatchMetricAlarm } from '@cdktn/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import { Route53HealthCheck } from '@cdktn/provider-aws/lib/route53-health-check/index.js';
import type { Construct } from 'constructs';

export interface HealthCheckInput {
  /** As it is called in the console. */
  name: string;
  hostName: string;
  path: string;
  intervalSeconds: 10 | 30;
  /** Checks in a row that turn its opinion, either way. */
  failureThreshold: number;
  tags: Readonly<Record<string, string>>;
}

/** Asks a host name over HTTPS from all over the world whether it is well. Returns the id of the check. */
export function healthCheck(scope: Construct, id: string, input: HealthCheckInput): string {
  return new Route53HealthCheck(scope, id, {
    type: 'HTTPS',
    fqdn: input.hostName,
    port: 443,
    enableSni: true,
    resourcePath: input.path,
    requestInterval: input.intervalSeconds,
    failureThreshold: input.failureThreshold,
    tags: { ...input.tags, Name: input.name },
  }).id;
}

/** The one region in which Route 53 publishes what its checks find. */
export const HEALTH_CHECK_REGION = 'us-east-1';

export interface HealthCheckAlarmInput {
  name: string;
  healthCheckId: string;
  /** In that region. */
  topicArn: string;
}

/** Tells people that a host name does not answer, and that it does again. */
export function healthCheckAlarm(scope: Construct, id: string, input: HealthCheckAlarmInput): void {
  new CloudwatchMetricAlarm(scope, id, {
    region: HEALTH_CHECK_REGION,
    alarmName: input.name,
    alarmDescription: `${input.name} does not answer from the internet`,
    alarmActions: [input.topicArn],
    okActions: [input.topicArn],
    namespace: 'AWS/Route53',
    metricName: 'HealthCheckStatus',
    dimensions: { HealthCheckId: input.healthCheckId },
    statistic: 'Minimum',
    period: 60,
    evaluationPeriods: 1,
    comparisonOperator: 'LessThanThreshold',
    threshold: 1,
    treatMissingData: 'breaching',
  });
}
