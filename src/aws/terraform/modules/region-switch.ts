import { ArcregionswitchPlan } from '@cdktn/provider-aws/lib/arcregionswitch-plan/index.js';
import { DataAwsArcregionswitchRoute53HealthChecks } from '@cdktn/provider-aws/lib/data-aws-arcregionswitch-route53-health-checks/index.js';
import { Construct } from 'constructs';
import type { PolicyStatement } from '../policy.ts';
import { serviceRole } from './service-role.ts';

export interface RegionSwitchInput {
  name: string;
  accountId: string;
  roleName: string;
  /** The first is the primary. */
  places: readonly [RegionSwitchPlace, RegionSwitchPlace];
  zoneId: string;
  /** Whose records lead to one of the regions; each record's set identifier is its region. */
  hostName: string;
  /** The recovery time that reports compare executions with. */
  recoveryTimeMinutes: number;
  /** Whether the alarm of the primary activates the other region, and not before so many minutes after the last time. */
  automatic?: { minutesBetween: number };
}

interface RegionSwitchPlace {
  region: string;
  cluster: string;
  service: string;
  /** In ALARM when the region does not do well. */
  alarmArn: string;
}

const SCALING_TIMEOUT_MINUTES = 15;
const ROUTING_TIMEOUT_MINUTES = 5;
/** In an ungraceful execution, the share of the tasks that is enough to go on with. */
const ENOUGH_TASKS_PERCENT = 50;

/**
 * A plan of Region switch (Amazon Application Recovery Controller): to activate a region, as many tasks as the other had
 * first, then the requests. It runs in the region that is activated, without the other. Returns, by region, the health
 * check that the plan turns: of the record that leads there.
 */
export function regionSwitch(
  scope: Construct,
  id: string,
  input: RegionSwitchInput,
): ReadonlyMap<string, string> {
  const here = new Construct(scope, id);
  const role = serviceRole(here, 'role', {
    name: input.roleName,
    description: `Carries out the plan ${input.name}`,
    service: 'arc-region-switch.amazonaws.com',
    accountId: input.accountId,
    statements: statements(input),
  });
  const [primary, standby] = input.places;
  const plan = new ArcregionswitchPlan(here, 'plan', {
    name: input.name,
    description: `Moves ${input.hostName} from one region to the other`,
    executionRole: role.arn,
    recoveryApproach: 'activePassive',
    regions: input.places.map(({ region }) => region),
    primaryRegion: primary.region,
    recoveryTimeObjectiveMinutes: input.recoveryTimeMinutes,
    associatedAlarms: input.places.flatMap(({ region, alarmArn }) => [
      { mapBlockKey: `${region}-health`, alarmType: 'applicationHealth', resourceIdentifier: alarmArn },
      ...(input.automatic && region === primary.region
        ? [{ mapBlockKey: TRIGGER, alarmType: 'trigger', resourceIdentifier: alarmArn }]
        : []),
    ]),
    ...(input.automatic && {
      triggers: [
        {
          action: 'activate',
          description: `${primary.region} does not answer`,
          targetRegion: standby.region,
          minDelayMinutesBetweenExecutions: input.automatic.minutesBetween,
          conditions: [{ associatedAlarmName: TRIGGER, condition: 'red' }],
        },
      ],
    }),
    workflow: input.places.map(({ region }) => ({
      workflowTargetAction: 'activate',
      workflowTargetRegion: region,
      workflowDescription: `Serves from ${region}`,
      step: [tasksStep(input), requestsStep(input)],
    })),
    dependsOn: role.policies,
  });
  const checks = new DataAwsArcregionswitchRoute53HealthChecks(here, 'health-checks', { planArn: plan.arn });
  return new Map(
    input.places.map(({ region }) => [
      region,
      `\${one([for check in ${checks.fqn}.health_checks : check.health_check_id if check.region == "${region}"])}`,
    ]),
  );
}

const TRIGGER = 'primary-down';

function tasksStep({ accountId, places }: RegionSwitchInput) {
  return {
    name: 'tasks',
    description: 'As many tasks as the other region had at most within a day',
    executionBlockType: 'ECSServiceScaling',
    ecsCapacityIncreaseConfig: [
      {
        capacityMonitoringApproach: 'sampledMaxInLast24Hours',
        targetPercent: 100,
        timeoutMinutes: SCALING_TIMEOUT_MINUTES,
        service: places.map(place => ({
          clusterArn: clusterArn(place, accountId),
          serviceArn: serviceArn(place, accountId),
        })),
        ungraceful: [{ minimumSuccessPercentage: ENOUGH_TASKS_PERCENT }],
      },
    ],
  };
}

function requestsStep({ zoneId, hostName, places }: RegionSwitchInput) {
  return {
    name: 'requests',
    description: 'The other region’s record counts as unhealthy',
    executionBlockType: 'Route53HealthCheck',
    route53HealthCheckConfig: [
      {
        hostedZoneId: zoneId,
        recordName: hostName,
        timeoutMinutes: ROUTING_TIMEOUT_MINUTES,
        recordSet: places.map(({ region }) => ({ region, recordSetIdentifier: region })),
      },
    ],
  };
}

/** As AWS's sample policies for these two steps, for plan evaluation and for alarms (ARC, "Execution block permissions"). */
function statements({ accountId, roleName, places, zoneId }: RegionSwitchInput): PolicyStatement[] {
  return [
    {
      Sid: 'Evaluate',
      Action: 'iam:SimulatePrincipalPolicy',
      Resource: `arn:aws:iam::${accountId}:role/${roleName}`,
    },
    {
      Sid: 'ReadPlan',
      Action: [
        'arc-region-switch:GetPlan',
        'arc-region-switch:GetPlanExecution',
        'arc-region-switch:ListPlanExecutions',
      ],
      Resource: `arn:aws:arc-region-switch::${accountId}:plan/*`,
    },
    {
      Sid: 'Scale',
      Action: ['ecs:DescribeServices', 'ecs:UpdateService'],
      Resource: places.map(place => serviceArn(place, accountId)),
    },
    {
      Sid: 'SeeClusters',
      Action: 'ecs:DescribeClusters',
      Resource: places.map(place => clusterArn(place, accountId)),
    },
    {
      Sid: 'RaiseLimits',
      Action: 'application-autoscaling:RegisterScalableTarget',
      Resource: places.map(
        ({ region }) => `arn:aws:application-autoscaling:${region}:${accountId}:scalable-target/*`,
      ),
    },
    // They know no resource (service authorization reference).
    {
      Sid: 'SeeLimitsAndLoad',
      Action: [
        'application-autoscaling:DescribeScalableTargets',
        'cloudwatch:GetMetricStatistics',
        'ecs:ListServices',
      ],
      Resource: '*',
    },
    {
      Sid: 'SeeAlarms',
      Action: ['cloudwatch:DescribeAlarms', 'cloudwatch:DescribeAlarmHistory'],
      Resource: places.map(({ alarmArn }) => alarmArn),
    },
    {
      Sid: 'SeeRecords',
      Action: 'route53:ListResourceRecordSets',
      Resource: `arn:aws:route53:::hostedzone/${zoneId}`,
    },
  ];
}

function clusterArn({ region, cluster }: RegionSwitchPlace, accountId: string): string {
  return `arn:aws:ecs:${region}:${accountId}:cluster/${cluster}`;
}

function serviceArn({ region, cluster, service }: RegionSwitchPlace, accountId: string): string {
  return `arn:aws:ecs:${region}:${accountId}:service/${cluster}/${service}`;
}
