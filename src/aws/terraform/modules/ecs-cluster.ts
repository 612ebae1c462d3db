import { EcsClusterCapacityProviders } from '@cdktn/provider-aws/lib/ecs-cluster-capacity-providers/index.js';
import { EcsCluster } from '@cdktn/provider-aws/lib/ecs-cluster/index.js';
import { Construct } from 'constructs';

export interface EcsClusterInput {
  name: string;
}

export interface EcsClusterOutput {
  name: string;
  arn: string;
}

/** A cluster of Fargate and Fargate Spot, with Container Insights. */
export function ecsCluster(scope: Construct, id: string, { name }: EcsClusterInput): EcsClusterOutput {
  const here = new Construct(scope, id);
  const cluster = new EcsCluster(here, 'cluster', {
    name,
    setting: [{ name: 'containerInsights', value: 'enabled' }],
  });
  new EcsClusterCapacityProviders(here, 'capacity', {
    clusterName: cluster.name,
    capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
  });
  return { name: cluster.name, arn: cluster.arn };
}
