import {
  CreateNatGatewayCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteNatGatewayCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DeleteClusterCommand,
  DeleteServiceCommand,
  DeregisterTaskDefinitionCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import { CreateKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  PutBucketTaggingCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAwsOperations } from '../../src/aws-operations.ts';
import { configSchema } from '../../src/model/config/schema.ts';
import { findProgram } from '../../src/platform/process.ts';
import { startMoto, type Moto } from './moto.ts';

/* What AWS goes on listing after its end is not left over; its like that stands is. */

const isMissing = findProgram('moto_server') === undefined;
if (isMissing) console.log('The tests of the inventory are skipped: there is no moto_server on PATH.');

const REGION = 'eu-west-1';
const config = configSchema.parse({ application: 'shop', regions: [REGION] });
const TAGS = { ManagedBy: 'tandem', Application: 'shop', Customer: 'internal' };
const Tags = Object.entries(TAGS).map(([Key, Value]) => ({ Key, Value }));
const tags = Object.entries(TAGS).map(([key, value]) => ({ key, value }));
/** moto fails at listing tags where something of ECS has none. */
const OTHERS = [{ key: 'Application', value: 'other' }];

/** Makes a thing and gives the end of its ARN; then ends it, where it is to be ended. */
const THINGS: Readonly<Record<string, (mustEnd: boolean) => Promise<string>>> = {
  async 'NAT gateway'(mustEnd) {
    const client = new EC2Client({ region: REGION });
    const { Vpc } = await client.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
    const { Subnet } = await client.send(
      new CreateSubnetCommand({ VpcId: Vpc!.VpcId, CidrBlock: '10.0.0.0/24' }),
    );
    const { NatGateway } = await client.send(
      new CreateNatGatewayCommand({
        SubnetId: Subnet!.SubnetId,
        ConnectivityType: 'private',
        TagSpecifications: [{ ResourceType: 'natgateway', Tags }],
      }),
    );
    const { NatGatewayId } = NatGateway!;
    if (mustEnd) await client.send(new DeleteNatGatewayCommand({ NatGatewayId }));
    return NatGatewayId!;
  },
  async cluster(mustEnd) {
    const client = new ECSClient({ region: REGION });
    const cluster = mustEnd ? 'ended' : 'standing';
    await client.send(new CreateClusterCommand({ clusterName: cluster, tags }));
    if (mustEnd) await client.send(new DeleteClusterCommand({ cluster }));
    return `cluster/${cluster}`;
  },
  async service(mustEnd) {
    const client = new ECSClient({ region: REGION });
    const cluster = mustEnd ? 'of-ended' : 'of-standing';
    await client.send(new CreateClusterCommand({ clusterName: cluster, tags: OTHERS }));
    const taskDefinition = 'plain';
    await client.send(
      new RegisterTaskDefinitionCommand({
        family: taskDefinition,
        containerDefinitions: [{ name: 'shop', image: 'shop', memory: 128 }],
        tags: OTHERS,
      }),
    );
    await client.send(
      new CreateServiceCommand({ cluster, serviceName: 'web', taskDefinition, desiredCount: 0, tags }),
    );
    if (mustEnd) await client.send(new DeleteServiceCommand({ cluster, service: 'web', force: true }));
    return `service/${cluster}/web`;
  },
  async 'task definition'(mustEnd) {
    const client = new ECSClient({ region: REGION });
    const family = mustEnd ? 'ended' : 'standing';
    await client.send(
      new RegisterTaskDefinitionCommand({
        family,
        containerDefinitions: [{ name: 'shop', image: 'shop', memory: 128 }],
        tags,
      }),
    );
    const taskDefinition = `${family}:1`;
    if (mustEnd) await client.send(new DeregisterTaskDefinitionCommand({ taskDefinition }));
    return `task-definition/${taskDefinition}`;
  },
  async key(mustEnd) {
    const client = new KMSClient({ region: REGION });
    const { KeyMetadata } = await client.send(
      new CreateKeyCommand({ Tags: tags.map(({ key, value }) => ({ TagKey: key, TagValue: value })) }),
    );
    const KeyId = KeyMetadata!.KeyId!;
    if (mustEnd) await client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    return `key/${KeyId}`;
  },
  async secret(mustEnd) {
    const client = new SecretsManagerClient({ region: REGION });
    const Name = mustEnd ? 'ended' : 'standing';
    const { ARN } = await client.send(new CreateSecretCommand({ Name, SecretString: 'x', Tags }));
    if (mustEnd) await client.send(new DeleteSecretCommand({ SecretId: ARN, RecoveryWindowInDays: 7 }));
    return ARN!.slice(ARN!.indexOf('secret:'));
  },
  async bucket(mustEnd) {
    const client = new S3Client({ region: REGION });
    const Bucket = mustEnd ? 'shop-ended' : 'shop-standing';
    await client.send(
      new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }),
    );
    await client.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: Tags } }));
    if (mustEnd) await client.send(new DeleteBucketCommand({ Bucket }));
    return `:::${Bucket}`;
  },
};

describe.skipIf(isMissing)('the inventory', { timeout: 60_000 }, () => {
  const aws = createAwsOperations();
  const earlier = { ...process.env };
  let moto: Moto;

  beforeAll(async () => {
    moto = await startMoto();
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: moto.endpoint,
      AWS_ACCESS_KEY_ID: 'emulated',
      AWS_SECRET_ACCESS_KEY: 'emulated',
    });
  }, 60_000);

  afterAll(async () => {
    process.env = earlier;
    await moto[Symbol.asyncDispose]();
  });

  test.each(Object.keys(THINGS))('has a %s that stands, and none that has ended', async name => {
    const standing = await THINGS[name]!(false);
    const ended = await THINGS[name]!(true);
    const { leftovers, unseen } = await aws.takeInventory(config);
    expect(unseen).toEqual([]);
    const arns = leftovers.map(({ arn }) => arn);
    expect(arns.filter(arn => arn.endsWith(standing))).toHaveLength(1);
    expect(arns.filter(arn => arn.endsWith(ended))).toEqual([]);
    expect(leftovers.find(({ arn }) => arn.endsWith(standing))!.mend).toMatch(/^aws /);
  });
});
