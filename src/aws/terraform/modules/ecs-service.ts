import { EcsService } from '@cdktn/provider-aws/lib/ecs-service/index.js';
import { SecurityGroup } from '@cdktn/provider-aws/lib/security-group/index.js';
import { VpcSecurityGroupEgressRule } from '@cdktn/provider-aws/lib/vpc-security-group-egress-rule/index.js';
import { Construct } from 'constructs';
import type { PolicyStatement } from '../policy.ts';
import { autoscaling, type AutoscalingInput } from './autoscaling.ts';
import {
  deploymentConfiguration,
  infrastructureRole,
  movesRequests,
  type EcsDeploymentInput,
} from './ecs-deployment.ts';
import {
  ecsTaskDefinition,
  type EcsTaskDefinitionInput,
  type EcsTaskDefinitionOutput,
  type TaskSecret,
} from './ecs-task-definition.ts';
import {
  allowTasks,
  loadBalancer,
  type LoadBalancerInput,
  type LoadBalancerOutput,
} from './load-balancer.ts';

export interface EcsServiceInput extends Pick<EcsTaskDefinitionInput, 'collector' | 'placeholderImage'> {
  name: string;
  region: string;
  accountId: string;
  cluster: { name: string; arn: string };
  vpcId: string;
  privateSubnetIds: string[];
  loadBalancer: Omit<LoadBalancerInput, 'vpcId' | 'port'>;
  container: {
    name: string;
    port: number;
    environment: Readonly<Record<string, string>>;
    secrets?: readonly TaskSecret[];
    stopTimeoutSeconds: number;
  };
  cpu: number;
  memoryMb: number;
  architecture: 'X86_64' | 'ARM64';
  /** Of tasks beyond the first, how many in a hundred run on Fargate Spot. */
  spotPercent: number;
  repositoryArn: string;
  executionRoleName: string;
  taskRoleName: string;
  /** What the application itself may do. */
  taskStatements?: readonly PolicyStatement[];
  logGroupName: string;
  logRetentionDays: number;
  desiredCount: number;
  gracePeriodSeconds: number;
  minimumHealthyPercent: number;
  maximumPercent: number;
  deployment: EcsDeploymentInput;
  /** Of the role by which ECS moves requests from one target group to the other; for strategies that do. */
  infrastructureRoleName: string;
  circuitBreaker: { enabled: boolean; rollback: boolean };
  /** Alarms that end a deployment, and roll it back. */
  deploymentAlarmNames: string[];
  scaling: Omit<AutoscalingInput, 'name' | 'clusterName' | 'serviceName' | 'loadBalancerDimension'>;
}

export interface EcsServiceOutput {
  name: string;
  arn: string;
  taskDefinition: EcsTaskDefinitionOutput;
  loadBalancer: LoadBalancerOutput;
  tasksSecurityGroupId: string;
}

/**
 * A service behind its own load balancer: tasks in private subnets that only the load balancer reaches, replaced
 * without losing requests, scaled by what they do.
 */
export function ecsService(scope: Construct, id: string, input: EcsServiceInput): EcsServiceOutput {
  const here = new Construct(scope, id);
  const { name, container } = input;
  const balancer = loadBalancer(here, 'load-balancer', {
    ...input.loadBalancer,
    vpcId: input.vpcId,
    port: container.port,
  });
  const group = new SecurityGroup(here, 'tasks', {
    name: `${name}-tasks`,
    description: `The tasks of ${name}: reached by the load balancer only`,
    vpcId: input.vpcId,
    tags: { Name: `${name}-tasks` },
  });
  allowTasks(here, {
    balancerGroupId: balancer.securityGroupId,
    tasksGroupId: group.id,
    port: container.port,
  });
  new VpcSecurityGroupEgressRule(here, 'tasks-out', {
    securityGroupId: group.id,
    description: 'What the application calls',
    ipProtocol: '-1',
    cidrIpv4: '0.0.0.0/0',
  });
  const taskDefinition = ecsTaskDefinition(here, 'task', {
    ...input,
    healthPath: input.loadBalancer.healthCheck.path,
  });
  const mover = movesRequests(input.deployment)
    ? infrastructureRole(here, 'infrastructure', {
        name: input.infrastructureRoleName,
        description: `Lets ECS move the requests of ${name} from release to release`,
        accountId: input.accountId,
        listenerRuleArn: balancer.rule.arn,
        targetGroupArns: balancer.targetGroups.map(({ arn }) => arn),
      })
    : undefined;
  const service = new EcsService(here, 'service', {
    name,
    cluster: input.cluster.arn,
    taskDefinition: taskDefinition.arn,
    desiredCount: input.desiredCount,
    capacityProviderStrategy: capacity(input.spotPercent),
    networkConfiguration: {
      subnets: input.privateSubnetIds,
      securityGroups: [group.id],
      assignPublicIp: false,
    },
    loadBalancer: [
      {
        targetGroupArn: balancer.targetGroups[0]!.arn,
        containerName: container.name,
        containerPort: container.port,
        ...(mover && {
          advancedConfiguration: {
            alternateTargetGroupArn: balancer.targetGroups[1]!.arn,
            productionListenerRule: balancer.rule.arn,
            roleArn: mover.arn,
          },
        }),
      },
    ],
    healthCheckGracePeriodSeconds: input.gracePeriodSeconds,
    deploymentMinimumHealthyPercent: input.minimumHealthyPercent,
    deploymentMaximumPercent: input.maximumPercent,
    deploymentConfiguration: deploymentConfiguration(input.deployment),
    deploymentCircuitBreaker: {
      enable: input.circuitBreaker.enabled,
      rollback: input.circuitBreaker.rollback,
    },
    ...(input.deploymentAlarmNames.length > 0 && {
      alarms: {
        alarmNames: input.deploymentAlarmNames,
        enable: true,
        rollback: input.circuitBreaker.rollback,
      },
    }),
    availabilityZoneRebalancing: 'ENABLED',
    enableEcsManagedTags: true,
    propagateTags: 'SERVICE',
    waitForSteadyState: false,
    // Releases belong to the pipeline, the number of tasks to autoscaling: neither is drift.
    lifecycle: { ignoreChanges: ['task_definition', 'desired_count'] },
    // A target group takes no tasks before a rule forwards to it.
    dependsOn: [balancer.rule, ...(mover?.policies ?? [])],
  });
  autoscaling(here, 'scaling', {
    ...input.scaling,
    name,
    clusterName: input.cluster.name,
    serviceName: service.name,
    loadBalancerDimension: balancer.dimension,
  });
  return {
    name: service.name,
    arn: service.arn,
    taskDefinition,
    loadBalancer: balancer,
    tasksSecurityGroupId: group.id,
  };
}

/** One task always runs on Fargate, so that Spot can never take all of them at once. */
function capacity(spotPercent: number) {
  const onDemand = { capacityProvider: 'FARGATE', base: 1, weight: 100 - spotPercent };
  if (spotPercent === 0) return [onDemand];
  return [onDemand, { capacityProvider: 'FARGATE_SPOT', base: 0, weight: spotPercent }];
}
