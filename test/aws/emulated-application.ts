import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { HOUR_MS, MINUTE_MS } from '../../src/core/duration.ts';

/*
 * The application `shop` as it stands in a region of the emulation: what Terraform makes of it, as far as people ask for it
 * afterwards.
 */

/** Services with tasks and targets, behind load balancers, with their log groups. */
export async function emulateServices(region: string): Promise<{ balancer: string; tasks: string }> {
  const clients = { region };
  const ec2 = new EC2Client(clients);
  const ecs = new ECSClient(clients);
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.1.0.0/16' }));
  const VpcId = Vpc!.VpcId!;
  const subnets = await Promise.all(
    ['a', 'b'].map(async (zone, index) => {
      const CidrBlock = `10.1.${index}.0/24`;
      const { Subnet } = await ec2.send(
        new CreateSubnetCommand({ VpcId, CidrBlock, AvailabilityZone: `${region}${zone}` }),
      );
      return Subnet!.SubnetId!;
    }),
  );
  const group = async (GroupName: string) =>
    (await ec2.send(new CreateSecurityGroupCommand({ VpcId, GroupName, Description: GroupName }))).GroupId!;
  const made = { balancer: await group('balancer'), tasks: await group('tasks') };
  await ec2.send(
    new AuthorizeSecurityGroupIngressCommand({ GroupId: made.balancer, IpPermissions: [tcp(80)] }),
  );
  const fromBalancer = { ...tcp(8080), IpRanges: [], UserIdGroupPairs: [{ GroupId: made.balancer }] };
  await ec2.send(
    new AuthorizeSecurityGroupIngressCommand({ GroupId: made.tasks, IpPermissions: [fromBalancer] }),
  );
  await ecs.send(
    new RegisterTaskDefinitionCommand({
      family: 'shop',
      containerDefinitions: [{ name: 'shop', image: 'x', memory: 512 }],
    }),
  );
  for (const [environment, short, count] of [
    ['staging', 'stag', 1],
    ['production', 'prod', 2],
  ] as const) {
    const targetGroupArn = await emulateBalancer({
      region,
      VpcId,
      subnets,
      group: made.balancer,
      environment,
      short,
      count,
    });
    const cluster = `shop-${environment}`;
    await ecs.send(new CreateClusterCommand({ clusterName: cluster }));
    await ecs.send(
      new CreateServiceCommand({
        cluster,
        serviceName: cluster,
        taskDefinition: 'shop',
        desiredCount: count,
        launchType: 'FARGATE',
        loadBalancers: [{ targetGroupArn, containerName: 'shop', containerPort: 8080 }],
        networkConfiguration: { awsvpcConfiguration: { subnets, securityGroups: [made.tasks] } },
      }),
    );
    await new CloudWatchLogsClient(clients).send(
      new CreateLogGroupCommand({ logGroupName: `/tandem/shop/${environment}` }),
    );
  }
  return made;
}

async function emulateBalancer({
  region,
  VpcId,
  subnets,
  group,
  environment,
  short,
  count,
}: {
  region: string;
  VpcId: string;
  subnets: string[];
  group: string;
  environment: string;
  short: string;
  count: number;
}): Promise<string> {
  const elb = new ElasticLoadBalancingV2Client({ region });
  const { LoadBalancers } = await elb.send(
    new CreateLoadBalancerCommand({
      Name: `shop-${environment}`,
      Subnets: subnets,
      SecurityGroups: [group],
    }),
  );
  const { TargetGroups } = await elb.send(
    new CreateTargetGroupCommand({
      Name: `shop-${short}-blue`,
      Protocol: 'HTTP',
      Port: 8080,
      VpcId,
      TargetType: 'ip',
    }),
  );
  const TargetGroupArn = TargetGroups![0]!.TargetGroupArn!;
  await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn: LoadBalancers![0]!.LoadBalancerArn,
      Protocol: 'HTTP',
      Port: 80,
      DefaultActions: [{ Type: 'forward', TargetGroupArn }],
    }),
  );
  await elb.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: targetsOf(count) }));
  return TargetGroupArn;
}

/** What the replication function writes down, and its queues; all is level with `peer`. */
export async function emulateReplication(region: string, peer: string): Promise<void> {
  await new DynamoDBClient({ region }).send(
    new CreateTableCommand({
      TableName: 'shop-replication',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['repository', 'key'].map(AttributeName => ({
        AttributeName,
        AttributeType: 'S' as const,
      })),
      KeySchema: [
        { AttributeName: 'repository', KeyType: 'HASH' },
        { AttributeName: 'key', KeyType: 'RANGE' },
      ],
    }),
  );
  const sqs = new SQSClient({ region });
  for (const QueueName of ['shop-replication.fifo', 'shop-replication-dead.fifo']) {
    await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { FifoQueue: 'true' } }));
  }
  await rememberPeer(region, peer, Date.now() - MINUTE_MS);
  await rememberRef(region, 'refs/heads/main', Date.now() - HOUR_MS);
}

export async function rememberPeer(
  region: string,
  peer: string,
  roundStartedAt: number,
  splitRefs: string[] = [],
): Promise<void> {
  await remember(region, `#peer ${peer}`, {
    roundStartedAt: { N: String(roundStartedAt) },
    splitRefs: { L: splitRefs.map(S => ({ S })) },
  });
}

export async function rememberRef(region: string, name: string, changedAt: number): Promise<void> {
  await remember(region, name, { changedAt: { N: String(changedAt) } });
}

async function remember(
  region: string,
  key: string,
  values: Record<string, { N: string } | { L: { S: string }[] }>,
): Promise<void> {
  await new DynamoDBClient({ region }).send(
    new PutItemCommand({
      TableName: 'shop-replication',
      Item: { repository: { S: 'shop' }, key: { S: key }, ...values },
    }),
  );
}

export function targetsOf(count: number) {
  return Array.from({ length: count }, (_, index) => ({ Id: `10.1.0.${10 + index}`, Port: 8080 }));
}

export function tcp(port: number) {
  return { IpProtocol: 'tcp', FromPort: port, ToPort: port, IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
}
