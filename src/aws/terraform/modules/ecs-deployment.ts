import type { EcsServiceDeploymentConfiguration } from '@cdktn/provider-aws/lib/ecs-service/index.js';
import type { Construct } from 'constructs';
import { serviceRole, type ServiceRole } from './service-role.ts';

/** How one release takes over from another. Shares are of all requests, in per cent; times in whole minutes. */
export type EcsDeploymentInput = {
  /** How long the new release must do well with all requests. `rolling` has a time of ECS's own, and alarms to go by. */
  bakeTimeMinutes: number;
  /** Stops before each shift of requests until somebody continues it; after so many minutes it is rolled back. */
  pause?: { timeoutMinutes: number };
} & (
  | { strategy: 'rolling' }
  | { strategy: 'blue-green' }
  | { strategy: 'canary'; percent: number; stepBakeTimeMinutes: number }
  | { strategy: 'linear'; stepPercent: number; stepBakeTimeMinutes: number }
);

/** Whether requests go from one target group to another, rather than tasks being replaced within one. */
export function movesRequests({ strategy }: EcsDeploymentInput): boolean {
  return strategy !== 'rolling';
}

export function deploymentConfiguration(input: EcsDeploymentInput): EcsServiceDeploymentConfiguration {
  const { bakeTimeMinutes, pause } = input;
  const shared = {
    bakeTimeInMinutes: String(bakeTimeMinutes),
    ...(pause && {
      lifecycleHook: [
        {
          targetType: 'PAUSE',
          lifecycleStages: ['PRE_PRODUCTION_TRAFFIC_SHIFT'],
          timeoutConfiguration: { timeoutInMinutes: String(pause.timeoutMinutes), action: 'ROLLBACK' },
        },
      ],
    }),
  };
  switch (input.strategy) {
    case 'canary':
      return {
        strategy: 'CANARY',
        ...shared,
        canaryConfiguration: {
          canaryPercent: input.percent,
          canaryBakeTimeInMinutes: String(input.stepBakeTimeMinutes),
        },
      };
    case 'linear':
      return {
        strategy: 'LINEAR',
        ...shared,
        linearConfiguration: {
          stepPercent: input.stepPercent,
          stepBakeTimeInMinutes: String(input.stepBakeTimeMinutes),
        },
      };
    case 'blue-green':
      return { strategy: 'BLUE_GREEN', ...shared };
    case 'rolling':
    default:
      return { strategy: 'ROLLING' };
  }
}

export interface InfrastructureRoleInput {
  /** At most 64 characters. */
  name: string;
  description: string;
  accountId: string;
  listenerRuleArn: string;
  targetGroupArns: readonly string[];
}

/**
 * What AWS's own policy for this (AmazonECSInfrastructureRolePolicyForLoadBalancers) allows, for these target groups and
 * this rule only.
 */
export function infrastructureRole(
  scope: Construct,
  id: string,
  input: InfrastructureRoleInput,
): ServiceRole {
  return serviceRole(scope, id, {
    name: input.name,
    description: input.description,
    service: 'ecs.amazonaws.com',
    accountId: input.accountId,
    statements: [
      {
        Sid: 'See',
        // They know no resource (service authorization reference, Elastic Load Balancing V2).
        Action: [
          'elasticloadbalancing:DescribeListeners',
          'elasticloadbalancing:DescribeRules',
          'elasticloadbalancing:DescribeTargetGroups',
          'elasticloadbalancing:DescribeTargetHealth',
        ],
        Resource: '*',
      },
      {
        Sid: 'Register',
        Action: ['elasticloadbalancing:RegisterTargets', 'elasticloadbalancing:DeregisterTargets'],
        Resource: input.targetGroupArns,
      },
      { Sid: 'Shift', Action: 'elasticloadbalancing:ModifyRule', Resource: input.listenerRuleArn },
    ],
  });
}
