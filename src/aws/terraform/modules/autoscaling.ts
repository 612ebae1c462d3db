import {
  AppautoscalingPolicy,
  type AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration,
} from '@cdktn/provider-aws/lib/appautoscaling-policy/index.js';
import { AppautoscalingScheduledAction } from '@cdktn/provider-aws/lib/appautoscaling-scheduled-action/index.js';
import { AppautoscalingTarget } from '@cdktn/provider-aws/lib/appautoscaling-target/index.js';
import { CloudwatchMetricAlarm } from '@cdktn/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import { Construct } from 'constructs';

interface ScalingSchedule {
  name: string;
  /** `cron(0 20 ? * MON-FRI *)`, `at(2027-01-01T00:00:00)` or `rate(1 day)`. */
  schedule: string;
  /** An IANA time zone. */
  timeZone: string;
  minimumCount: number;
  maximumCount: number;
}

export interface AutoscalingInput {
  name: string;
  clusterName: string;
  serviceName: string;
  /** `app/name/id`, the LoadBalancer dimension of metrics. */
  loadBalancerDimension: string;
  minimumCount: number;
  maximumCount: number;
  cpuPercent: number;
  memoryPercent: number;
  /** Requests a minute for each task; 0: not looked at. */
  requestsPerTarget: number;
  /** Tasks are removed while CPU is below this for five minutes. */
  scaleInBelowPercent: number;
  scaleOutCooldownSeconds: number;
  scaleInCooldownSeconds: number;
  schedules: readonly ScalingSchedule[];
}

/**
 * Out by target tracking, when any of the targets says so. In by one task at a time, while CPU is low and every metric would
 * stay below its target with one task fewer: target tracking alone would, with few tasks, remove one and add it again.
 * Schedules move the limits. Needs Container Insights, for the number of running tasks.
 */
export function autoscaling(scope: Construct, id: string, input: AutoscalingInput): void {
  const here = new Construct(scope, id);
  const target = new AppautoscalingTarget(here, 'target', {
    serviceNamespace: 'ecs',
    resourceId: `service/${input.clusterName}/${input.serviceName}`,
    scalableDimension: 'ecs:service:DesiredCount',
    minCapacity: input.minimumCount,
    maxCapacity: input.maximumCount,
  });
  const place = {
    serviceNamespace: target.serviceNamespace,
    resourceId: target.resourceId,
    scalableDimension: target.scalableDimension,
  };
  const track = (
    name: string,
    targetValue: number,
    metric: Pick<
      AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration,
      'predefinedMetricSpecification' | 'customizedMetricSpecification'
    >,
  ) =>
    new AppautoscalingPolicy(here, name, {
      ...place,
      name: `${input.name}-${name}`,
      policyType: 'TargetTrackingScaling',
      targetTrackingScalingPolicyConfiguration: {
        targetValue,
        ...metric,
        scaleOutCooldown: input.scaleOutCooldownSeconds,
        disableScaleIn: true,
      },
    });
  const predefined = (predefinedMetricType: string) => ({
    predefinedMetricSpecification: { predefinedMetricType },
  });
  track('cpu', input.cpuPercent, predefined('ECSServiceAverageCPUUtilization'));
  track('memory', input.memoryPercent, predefined('ECSServiceAverageMemoryUtilization'));
  if (input.requestsPerTarget > 0) {
    track('requests', input.requestsPerTarget, {
      customizedMetricSpecification: { metrics: requestsForEachTask(input) },
    });
  }
  scaleIn(here, input, place);
  for (const schedule of input.schedules) {
    new AppautoscalingScheduledAction(here, `schedule-${schedule.name}`, {
      ...place,
      name: `${input.name}-${schedule.name}`,
      schedule: schedule.schedule,
      timezone: schedule.timeZone,
      scalableTargetAction: {
        minCapacity: String(schedule.minimumCount),
        maxCapacity: String(schedule.maximumCount),
      },
    });
  }
}

function metrics({ clusterName, serviceName, loadBalancerDimension }: AutoscalingInput) {
  const service = { ClusterName: clusterName, ServiceName: serviceName };
  return {
    cpu: { namespace: 'AWS/ECS', metricName: 'CPUUtilization', dimensions: service, stat: 'Average' },
    memory: { namespace: 'AWS/ECS', metricName: 'MemoryUtilization', dimensions: service, stat: 'Average' },
    tasks: {
      namespace: 'ECS/ContainerInsights',
      metricName: 'RunningTaskCount',
      dimensions: service,
      stat: 'Average',
    },
    // Of the load balancer, not of a target group: a deployment may move requests from one group to another.
    requests: {
      namespace: 'AWS/ApplicationELB',
      metricName: 'RequestCount',
      dimensions: { LoadBalancer: loadBalancerDimension },
      stat: 'Sum',
    },
  };
}

function requestsForEachTask(input: AutoscalingInput) {
  const { requests, tasks } = metrics(input);
  const stat = ({ namespace, metricName, dimensions, stat }: typeof requests | typeof tasks) => ({
    metric: {
      namespace,
      metricName,
      dimensions: Object.entries(dimensions).map(([name, value]) => ({ name, value })),
    },
    stat,
  });
  return [
    { id: 'requests', metricStat: stat(requests), returnData: false },
    { id: 'tasks', metricStat: stat(tasks), returnData: false },
    {
      id: 'each',
      expression: 'FILL(requests, 0) / tasks',
      label: 'Requests for each task',
      returnData: true,
    },
  ];
}

const SCALE_IN_MINUTES = 5;

function scaleIn(
  scope: Construct,
  input: AutoscalingInput,
  place: { serviceNamespace: string; resourceId: string; scalableDimension: string },
): void {
  const policy = new AppautoscalingPolicy(scope, 'in', {
    ...place,
    name: `${input.name}-in`,
    policyType: 'StepScaling',
    stepScalingPolicyConfiguration: {
      adjustmentType: 'ChangeInCapacity',
      cooldown: input.scaleInCooldownSeconds,
      metricAggregationType: 'Average',
      // The alarm is 1 while a task may go, and 0 while none may.
      stepAdjustment: [{ metricIntervalLowerBound: '0', scalingAdjustment: -1 }],
    },
  });
  const { cpu, memory, tasks, requests } = metrics(input);
  const used = { cpu, memory, tasks, ...(input.requestsPerTarget > 0 && { requests }) };
  const staysBelow = (metric: string, target: number) => `${metric} * tasks < ${target} * (tasks - 1)`;
  const conditions = [
    `cpu < ${input.scaleInBelowPercent}`,
    staysBelow('cpu', input.cpuPercent),
    staysBelow('memory', input.memoryPercent),
    ...(input.requestsPerTarget > 0 ? [`FILL(requests, 0) < ${input.requestsPerTarget} * (tasks - 1)`] : []),
  ];
  new CloudwatchMetricAlarm(scope, 'few', {
    alarmName: `${input.name}-scale-in`,
    alarmDescription: `One task of ${input.name} fewer would do: scales in, and needs no attention`,
    metricQuery: [
      {
        id: 'fewer',
        expression: `IF(${conditions.join(' AND ')}, 1, 0)`,
        label: 'One fewer would do',
        returnData: true,
      },
      ...Object.entries(used).map(([metricId, metric]) => ({
        id: metricId,
        metric: { ...metric, period: 60 },
      })),
    ],
    evaluationPeriods: SCALE_IN_MINUTES,
    datapointsToAlarm: SCALE_IN_MINUTES,
    comparisonOperator: 'GreaterThanOrEqualToThreshold',
    threshold: 1,
    treatMissingData: 'notBreaching',
    alarmActions: [policy.arn],
  });
}
