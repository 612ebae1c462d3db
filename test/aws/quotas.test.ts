import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  AllocateAddressCommand,
  CreateNatGatewayCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteNatGatewayCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { CreateClusterCommand, ECSClient } from '@aws-sdk/client-ecs';
import type { GetServiceQuotaResponse } from '@aws-sdk/client-service-quotas';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAwsOperations } from '../../src/aws-operations.ts';
import { change, planDocument, planOf } from '../../src/aws/operate/testing/plans.ts';
import { findProgram } from '../../src/platform/process.ts';
import { openAnsweringAws, type Between } from './answers-between.ts';

/* What is in use, moto tells; what may be, it knows of few services, so that is answered as Service Quotas does. */

const isMissing = findProgram('moto_server') === undefined;
if (isMissing) console.log('The tests of quotas are skipped: there is no moto_server on PATH.');

const REGION = 'eu-west-1';

describe.skipIf(isMissing)('quotas', { timeout: 60_000 }, () => {
  const aws = createAwsOperations();
  let between: Between;

  beforeAll(async () => {
    between = await openAnsweringAws();
    const ec2 = new EC2Client({ region: REGION });
    const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
    for (let made = 0; made < 3; made++) await ec2.send(new AllocateAddressCommand({ Domain: 'vpc' }));
    const subnetIn = async (AvailabilityZone: string, CidrBlock: string) => {
      const { Subnet } = await ec2.send(
        new CreateSubnetCommand({ VpcId: Vpc!.VpcId!, AvailabilityZone, CidrBlock }),
      );
      return Subnet!.SubnetId!;
    };
    const [first, second] = [
      await subnetIn(`${REGION}a`, '10.0.1.0/24'),
      await subnetIn(`${REGION}b`, '10.0.2.0/24'),
    ];
    for (const SubnetId of [first, first, second]) {
      await ec2.send(new CreateNatGatewayCommand({ SubnetId, ConnectivityType: 'private' }));
    }
    const { NatGateway } = await ec2.send(
      new CreateNatGatewayCommand({ SubnetId: second, ConnectivityType: 'private' }),
    );
    await ec2.send(new DeleteNatGatewayCommand({ NatGatewayId: NatGateway!.NatGatewayId! }));
  }, 60_000);

  beforeEach(() => between.reset());

  afterAll(() => between[Symbol.asyncDispose]());

  test('tell what is in use beside what may be, for the types that have one', async () => {
    between.answer('GetServiceQuota', {
      Quota: { QuotaCode: 'L-0263D0A3', ServiceCode: 'ec2', Value: 5 },
    } satisfies GetServiceQuotaResponse);
    const changes = [
      'aws_eip.a',
      'aws_eip.b',
      'aws_vpc.a',
      'aws_internet_gateway.a',
      'aws_lb.a',
      'aws_subnet.a',
    ];
    const { uses, unseen } = await aws.quotaUse([
      planOf({ region: REGION, changes: changes.map(address => change(address)) }),
    ]);
    expect(unseen).toEqual([]);
    const inUse = Object.fromEntries(uses.map(use => [use.name, use.inUse]));
    // moto has a default network in every region, as AWS has.
    expect(inUse).toEqual({
      'Elastic IP addresses': 3,
      VPCs: 2,
      'internet gateways': 0,
      'application load balancers': 0,
    });
    expect(uses[0]).toEqual({
      region: REGION,
      adds: 2,
      name: 'Elastic IP addresses',
      serviceCode: 'ec2',
      quotaCode: 'L-0263D0A3',
      inUse: 3,
      limit: 5,
    });
  });

  test('that nobody ever raised are told as the default', async () => {
    const { uses } = await aws.quotaUse([planOf({ region: REGION, changes: [change('aws_lb.a')] })]);
    expect(uses).toMatchObject([{ name: 'application load balancers', inUse: 0, limit: 50 }]);
  });

  test('that may not be read, and regions that do not answer, hide no others', async () => {
    between.answer('GetServiceQuota', { Quota: { Value: 5 } } satisfies GetServiceQuotaResponse);
    between.refuse('DescribeLoadBalancers');
    const { uses, unseen } = await aws.quotaUse([
      planOf({ region: REGION, changes: [change('aws_lb.a'), change('aws_vpc.a')] }),
    ]);
    expect(uses.map(({ name }) => name)).toEqual(['VPCs']);
    expect(unseen).toEqual([
      { region: REGION, reason: expect.stringMatching(/^application load balancers .*not authorized/) },
    ]);
  });

  test('of NAT gateways are those of a zone, and unknown where the zone is', async () => {
    const document = planDocument(
      {
        'aws_subnet.a': { availability_zone: `${REGION}a` },
        'aws_subnet.b': { availability_zone: `${REGION}b` },
      },
      { 'aws_nat_gateway.a': ['aws_subnet.a'], 'aws_nat_gateway.b': ['aws_subnet.b'] },
    );
    const changes = ['a', 'b', 'regional'].map(name => change(`aws_nat_gateway.${name}`));
    const { uses, unseen } = await aws.quotaUse([planOf({ region: REGION, changes, document })]);
    const natGateways = { region: REGION, quotaCode: 'L-FE5A380F', serviceCode: 'vpc', limit: 5, adds: 1 };
    expect(uses).toMatchObject([
      { ...natGateways, zone: `${REGION}a`, inUse: 2 },
      { ...natGateways, zone: `${REGION}b`, inUse: 1 },
    ]);
    expect(unseen).toEqual([
      { region: REGION, reason: expect.stringMatching(/^NAT gateways .*\(L-FE5A380F\): in which zone/) },
    ]);
  });

  describe('of virtual CPUs', () => {
    const region = 'eu-north-1';

    test('count as unused where no task runs, as newly reported, and as unknown where nothing tells', async () => {
      await new ECSClient({ region }).send(new CreateClusterCommand({ clusterName: 'idle' }));
      expect((await aws.quotaUse([servicePlan()])).uses).toEqual([
        {
          region,
          name: 'Fargate On-Demand virtual CPUs',
          serviceCode: 'fargate',
          quotaCode: 'L-3032A538',
          inUse: 0,
          adds: 2,
          own: 0,
          limit: 50,
        },
      ]);

      await report('OnDemand', 7, 15);
      await report('OnDemand', 3.5, 6);
      await report('Spot', 40, 6);
      expect((await aws.quotaUse([servicePlan()])).uses).toMatchObject([{ inUse: 3.5, adds: 2 }]);

      between.refuse('GetMetricData');
      const { uses, unseen } = await aws.quotaUse([servicePlan()]);
      expect(uses).toEqual([]);
      expect(unseen).toEqual([
        { region, reason: expect.stringMatching(/^Fargate On-Demand .*\(L-3032A538\): .*not authorized/) },
      ]);
    });

    test('are unknown where tasks run and their use is not told', async () => {
      between.answer('DescribeClusters', { clusters: [{ clusterName: 'busy', runningTasksCount: 2 }] });
      const { uses, unseen } = await aws.quotaUse([{ ...servicePlan(), region: REGION }]);
      // There is a cluster in the other region only.
      expect({ uses: uses.length, unseen }).toEqual({ uses: 1, unseen: [] });
      await new ECSClient({ region: REGION }).send(new CreateClusterCommand({ clusterName: 'busy' }));
      expect((await aws.quotaUse([{ ...servicePlan(), region: REGION }])).unseen).toEqual([
        { region: REGION, reason: expect.stringMatching(/tasks run, and CloudWatch does not tell/) },
      ]);
    });

    test('tell what autoscaling may take beside what is taken now', async () => {
      const grown = servicePlan({ 'aws_appautoscaling_target.target': { max_capacity: 40 } });
      between.answer('GetServiceQuota', { Quota: { Value: 16 } } satisfies GetServiceQuotaResponse);
      expect((await aws.quotaUse([grown])).uses).toMatchObject([{ adds: 2, mayAdd: 20, limit: 16 }]);
    });

    function servicePlan(more: Parameters<typeof planDocument>[0] = {}) {
      return planOf({
        region,
        changes: [change('aws_ecs_service.service')],
        document: planDocument({
          ...more,
          'aws_ecs_service.service': { desired_count: 2, deployment_maximum_percent: 200 },
          'aws_ecs_task_definition.definition': { cpu: '512' },
        }),
      });
    }

    async function report(runsOn: string, Value: number, minutesAgo: number): Promise<void> {
      const dimensions = {
        Service: 'Fargate',
        Type: 'Resource',
        Resource: 'vCPU',
        Class: `Standard/${runsOn}`,
      };
      await new CloudWatchClient({ region }).send(
        new PutMetricDataCommand({
          Namespace: 'AWS/Usage',
          MetricData: [
            {
              MetricName: 'ResourceCount',
              Value,
              Timestamp: new Date(Date.now() - minutesAgo * 60_000),
              Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
            },
          ],
        }),
      );
    }
  });
});
