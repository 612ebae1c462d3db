import { CloudwatchCompositeAlarm } from '@cdktn/provider-aws/lib/cloudwatch-composite-alarm/index.js';
import { CloudwatchMetricAlarm } from '@cdktn/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import { Construct } from 'constructs';
import type { ServiceAlarm } from '../../../model/remediation.ts';

interface AlarmThresholds {
  cpuPercent: number;
  memoryPercent: number;
  /** Answers of 500 and above in five minutes, the load balancer's own included. */
  serverErrors: number;
  responseTimeSeconds: number;
}

export interface ServiceAlarmsInput {
  /** The service's name; alarms are called `<name>-cpu` and so on. */
  name: string;
  clusterName: string;
  /** `app/name/id`. */
  loadBalancerDimension: string;
  /** `targetgroup/name/id`, of each that may have the service's tasks. */
  targetGroupDimensions: readonly string[];
  thresholds: AlarmThresholds;
  /** Told of every ALARM and every return to OK. */
  topicArn: string;
}

/** The alarms that say that a release is bad, rather than that there is much to do. */
const DEPLOYMENT_ALARMS: readonly ServiceAlarm[] = ['serverErrors', 'responseTime'];

const SUFFIXES: Record<ServiceAlarm, string> = {
  cpu: 'cpu',
  memory: 'memory',
  serverErrors: 'server-errors',
  unhealthyTargets: 'unhealthy-targets',
  responseTime: 'response-time',
};

/** What an alarm of a service is called. */
export function alarmName(serviceName: string, alarm: ServiceAlarm): string {
  return `${serviceName}-${SUFFIXES[alarm]}`;
}

/** Names of the alarms that may roll a deployment back: known before the alarms are, which need its load balancer. */
export function deploymentAlarmNames(serviceName: string): string[] {
  return DEPLOYMENT_ALARMS.map(alarm => alarmName(serviceName, alarm));
}

/** The alarm that is on while people who use the service are affected, whatever the reason. */
export function impairedAlarmName(serviceName: string): string {
  return `${serviceName}-impaired`;
}

/**
 * The five alarms of a service: CPU, memory, server errors, unhealthy targets, response time. Of the last three one more
 * is made, for a glance: it tells nobody, for they do.
 */
export function serviceAlarms(scope: Construct, id: string, input: ServiceAlarmsInput): void {
  const here = new Construct(scope, id);
  const { name, thresholds } = input;
  const actions = { alarmActions: [input.topicArn], okActions: [input.topicArn] };
  const service = { ClusterName: input.clusterName, ServiceName: name };
  const balancer = { LoadBalancer: input.loadBalancerDimension };

  const utilization = (alarm: 'cpu' | 'memory', metricName: string, threshold: number, of: string) =>
    new CloudwatchMetricAlarm(here, alarm, {
      ...actions,
      alarmName: alarmName(name, alarm),
      alarmDescription: `${of} of the tasks of ${name} above ${threshold} % for 2 minutes`,
      namespace: 'AWS/ECS',
      metricName,
      dimensions: service,
      statistic: 'Average',
      period: 60,
      evaluationPeriods: 2,
      comparisonOperator: 'GreaterThanThreshold',
      threshold,
      treatMissingData: 'missing',
    });
  utilization('cpu', 'CPUUtilization', thresholds.cpuPercent, 'CPU');
  utilization('memory', 'MemoryUtilization', thresholds.memoryPercent, 'Memory');

  const errorCount = (metricId: string, metricName: string, dimensions: Record<string, string>) => ({
    id: metricId,
    metric: { namespace: 'AWS/ApplicationELB', metricName, dimensions, stat: 'Sum', period: 300 },
  });
  const affecting = [
    new CloudwatchMetricAlarm(here, 'server-errors', {
      ...actions,
      alarmName: alarmName(name, 'serverErrors'),
      alarmDescription: `More than ${thresholds.serverErrors} answers of 5xx from ${name} in 5 minutes`,
      metricQuery: [
        {
          id: 'errors',
          expression: 'FILL(application, 0) + FILL(balancer, 0)',
          label: '5xx answers',
          returnData: true,
        },
        errorCount('application', 'HTTPCode_Target_5XX_Count', balancer),
        errorCount('balancer', 'HTTPCode_ELB_5XX_Count', balancer),
      ],
      evaluationPeriods: 1,
      comparisonOperator: 'GreaterThanThreshold',
      threshold: thresholds.serverErrors,
      // Counts are only there when they are not zero.
      treatMissingData: 'notBreaching',
    }),
    new CloudwatchMetricAlarm(here, 'unhealthy-targets', {
      ...actions,
      alarmName: alarmName(name, 'unhealthyTargets'),
      alarmDescription: `A task of ${name} fails its health check`,
      metricQuery: [
        {
          id: 'unhealthy',
          expression: input.targetGroupDimensions
            .map((_group, index) => `FILL(group${index}, 0)`)
            .join(' + '),
          label: 'Unhealthy targets',
          returnData: true,
        },
        ...input.targetGroupDimensions.map((group, index) => ({
          id: `group${index}`,
          metric: {
            namespace: 'AWS/ApplicationELB',
            metricName: 'UnHealthyHostCount',
            dimensions: { ...balancer, TargetGroup: group },
            stat: 'Maximum',
            period: 60,
          },
        })),
      ],
      evaluationPeriods: 1,
      comparisonOperator: 'GreaterThanThreshold',
      threshold: 0,
      treatMissingData: 'notBreaching',
    }),
    new CloudwatchMetricAlarm(here, 'response-time', {
      ...actions,
      alarmName: alarmName(name, 'responseTime'),
      alarmDescription: `${name} takes longer than ${thresholds.responseTimeSeconds} s on average in 3 of 5 minutes`,
      namespace: 'AWS/ApplicationELB',
      metricName: 'TargetResponseTime',
      dimensions: balancer,
      statistic: 'Average',
      period: 60,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
      comparisonOperator: 'GreaterThanThreshold',
      threshold: thresholds.responseTimeSeconds,
      treatMissingData: 'notBreaching',
    }),
  ];
  new CloudwatchCompositeAlarm(here, 'impaired', {
    alarmName: impairedAlarmName(name),
    alarmDescription: `People who use ${name} are affected`,
    alarmRule: affecting.map(({ alarmName }) => `ALARM("${alarmName}")`).join(' OR '),
  });
}
