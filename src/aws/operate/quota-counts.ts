import { CloudWatchClient, GetMetricDataCommand, type MetricDataResult } from '@aws-sdk/client-cloudwatch';
import {
  DescribeAddressesCommand,
  DescribeInternetGatewaysCommand,
  EC2Client,
  paginateDescribeNatGateways,
  paginateDescribeSubnets,
  paginateDescribeVpcs,
} from '@aws-sdk/client-ec2';
import { DescribeClustersCommand, ECSClient, paginateListClusters } from '@aws-sdk/client-ecs';
import {
  ElasticLoadBalancingV2Client,
  paginateDescribeLoadBalancers,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Instant } from '../../core/instant.ts';
import { dateOf } from '../../platform/clock.ts';
import type { ClientSettings } from './aws-session.ts';
import { using } from './using-client.ts';

/** Where and when it is counted. */
export interface Place {
  settings: ClientSettings;
  /** Where the quota is one of each zone. */
  zone: string | undefined;
  now: Instant;
}

export function countAddresses({ settings }: Place): Promise<number> {
  return using(new EC2Client(settings), async ec2 => {
    const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
    return Addresses.length;
  });
}

export function countNetworks({ settings }: Place): Promise<number> {
  return using(new EC2Client(settings), async client => {
    let count = 0;
    for await (const { Vpcs = [] } of paginateDescribeVpcs({ client }, {})) count += Vpcs.length;
    return count;
  });
}

export function countInternetGateways({ settings }: Place): Promise<number> {
  return using(new EC2Client(settings), async ec2 => {
    const { InternetGateways = [] } = await ec2.send(new DescribeInternetGatewaysCommand({}));
    return InternetGateways.length;
  });
}

export function countLoadBalancers({ settings }: Place): Promise<number> {
  return using(new ElasticLoadBalancingV2Client(settings), async client => {
    let count = 0;
    for await (const { LoadBalancers = [] } of paginateDescribeLoadBalancers({ client }, {})) {
      count += LoadBalancers.filter(({ Type }) => Type === 'application').length;
    }
    return count;
  });
}

/** Those that count against the quota (Amazon VPC user guide, Amazon VPC quotas, Gateways), but for regional ones. */
const COUNTED_STATES = ['pending', 'available', 'deleting'];

/** In one zone. Throws where it is not known which. */
export function countNatGateways({ settings, zone }: Place): Promise<number> {
  return using(new EC2Client(settings), async client => {
    if (zone === undefined) throw new Error('in which zone AWS will have it is not known before it is made');
    const inZone = new Set<string>();
    const zoneFilter = { Filters: [{ Name: 'availability-zone', Values: [zone] }] };
    for await (const { Subnets = [] } of paginateDescribeSubnets({ client }, zoneFilter)) {
      for (const { SubnetId = '' } of Subnets) inZone.add(SubnetId);
    }
    let count = 0;
    const stateFilter = { Filter: [{ Name: 'state', Values: COUNTED_STATES }] };
    for await (const { NatGateways = [] } of paginateDescribeNatGateways({ client }, stateFilter)) {
      count += NatGateways.filter(({ SubnetId = '' }) => inZone.has(SubnetId)).length;
    }
    return count;
  });
}

/** A usage metric has a value every five minutes at the latest; the newest of these is what is in use. */
const LOOK_BACK_MS = 20 * 60_000;
const PERIOD_SECONDS = 300;

/**
 * Virtual CPUs of one class, as Fargate itself reports them (ECS developer guide, AWS Fargate usage metrics). Where nothing
 * runs there is no value: that counts as none only if ECS knows of no task either. Throws where it is not known.
 */
export async function countFargateCpus(place: Place, runsOn: 'OnDemand' | 'Spot'): Promise<number> {
  const { StatusCode, Values = [] } = await usageMetric(place, runsOn);
  if (StatusCode !== 'Complete') throw new Error(`CloudWatch gave no whole answer (${StatusCode})`);
  const [newest] = Values;
  if (newest !== undefined) return newest;
  if (await runsTasks(place)) throw new Error('tasks run, and CloudWatch does not tell their use');
  return 0;
}

function usageMetric({ settings, now }: Place, runsOn: string): Promise<MetricDataResult> {
  const dimensions = { Service: 'Fargate', Type: 'Resource', Resource: 'vCPU', Class: `Standard/${runsOn}` };
  return using(new CloudWatchClient(settings), async client => {
    const { MetricDataResults: [result] = [] } = await client.send(
      new GetMetricDataCommand({
        StartTime: dateOf(now - LOOK_BACK_MS),
        EndTime: dateOf(now),
        ScanBy: 'TimestampDescending',
        MetricDataQueries: [
          {
            Id: 'used',
            MetricStat: {
              Metric: {
                Namespace: 'AWS/Usage',
                MetricName: 'ResourceCount',
                Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
              },
              Period: PERIOD_SECONDS,
              Stat: 'Maximum',
            },
          },
        ],
      }),
    );
    return result ?? {};
  });
}

/** As many as one call describes. */
const CLUSTERS_A_CALL = 100;

function runsTasks({ settings }: Place): Promise<boolean> {
  return using(new ECSClient(settings), async client => {
    const pages = paginateListClusters({ client, pageSize: CLUSTERS_A_CALL }, {});
    for await (const { clusterArns = [] } of pages) {
      if (clusterArns.length === 0) continue;
      const { clusters = [] } = await client.send(new DescribeClustersCommand({ clusters: clusterArns }));
      const isBusy = clusters.some(
        ({ runningTasksCount = 0, pendingTasksCount = 0 }) => runningTasksCount + pendingTasksCount > 0,
      );
      if (isBusy) return true;
    }
    return false;
  });
}
