import { AppautoscalingPolicy } from '@cdktn/provider-aws/lib/appautoscaling-policy/index.js';
import { AppautoscalingScheduledAction } from '@cdktn/provider-aws/lib/appautoscaling-scheduled-action/index.js';
import { AppautoscalingTarget } from '@cdktn/provider-aws/lib/appautoscaling-target/index.js';
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
  loadBalancerDimension: string;
  targetGroupDimension: string;
  minimumCount: number;
  maximumCount: number;
  cpuPercent: number;
  memoryPercent: number;
  /** Requests a minute for each task; 0: not looked at. */
  requestsPerTarget: number;
  scaleOutCooldownSeconds: number;
  scaleInCooldownSeconds: number;
  schedules: readonly ScalingSchedule[];
}

/** Target tracking: out when any of the targets says so, in only when all agree. Schedules move the limits. */
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
    metric: { predefinedMetricType: string; resourceLabel?: string },
  ) =>
    new AppautoscalingPolicy(here, name, {
      ...place,
      name: `${input.name}-${name}`,
      policyType: 'TargetTrackingScaling',
      targetTrackingScalingPolicyConfiguration: {
        targetValue,
        predefinedMetricSpecification: metric,
        scaleOutCooldown: input.scaleOutCooldownSeconds,
        scaleInCooldown: input.scaleInCooldownSeconds,
      },
    });
  track('cpu', input.cpuPercent, { predefinedMetricType: 'ECSServiceAverageCPUUtilization' });
  track('memory', input.memoryPercent, { predefinedMetricType: 'ECSServiceAverageMemoryUtilization' });
  if (input.requestsPerTarget > 0) {
    track('requests', input.requestsPerTarget, {
      predefinedMetricType: 'ALBRequestCountPerTarget',
      resourceLabel: `${input.loadBalancerDimension}/${input.targetGroupDimension}`,
    });
  }
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
