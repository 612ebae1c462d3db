import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CodeBuildClient, CreateProjectCommand } from '@aws-sdk/client-codebuild';
import { CodeCommitClient, CreateRepositoryCommand } from '@aws-sdk/client-codecommit';
import { CodePipelineClient, CreatePipelineCommand } from '@aws-sdk/client-codepipeline';
import { CreateSubnetCommand, CreateVpcCommand, EC2Client } from '@aws-sdk/client-ec2';
import { CreateRepositoryCommand as CreateImageRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { CreateClusterCommand, DeleteClusterCommand, ECSClient } from '@aws-sdk/client-ecs';
import {
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAwsOperations } from '../../src/aws-operations.ts';
import { deferredPlan } from '../../src/aws/operate/deferred-plan.ts';
import { synthesize } from '../../src/aws/terraform/synthesize.ts';
import { validateConfig } from '../../src/model/config/validate.ts';
import { findProgram } from '../../src/platform/process.ts';
import { openAnsweringAws, type Between } from './answers-between.ts';

const isMissing = findProgram('moto_server') === undefined;
if (isMissing) console.log('The tests of names are skipped: there is no moto_server on PATH.');

const ACCOUNT = '123456789012';
const REGIONS = ['eu-west-1', 'us-east-1'] as const;
const [REGION] = REGIONS;

describe.skipIf(isMissing)('names of what is to be made', { timeout: 60_000 }, () => {
  const aws = createAwsOperations();
  let between: Between;

  beforeAll(async () => {
    between = await openAnsweringAws();
  }, 60_000);

  beforeEach(() => between.reset());

  afterAll(() => between[Symbol.asyncDispose]());

  test('are free in an account that has nothing', async () => {
    expect(await aws.nameClashes(firstPlans('shop'))).toEqual({ clashes: [], unseen: [] });
  });

  test('that something has are told by kind and region, with what Terraform imports it by', async () => {
    const balancers = await occupy('shop');
    const { clashes, unseen } = await aws.nameClashes(firstPlans('shop'));
    expect(unseen).toEqual([]);
    expect(clashes.map(({ stack, title, name }) => `${stack}: ${title} ${name}`).sort()).toEqual([
      `eu-west-1-production: ECS cluster shop-production`,
      `eu-west-1-production: load balancer shop-production`,
      `eu-west-1-production: log group /tandem/shop/production`,
      `eu-west-1-production: target group shop-prod-blue`,
      `eu-west-1: CodeBuild project shop-build`,
      `eu-west-1: CodeCommit repository shop`,
      `eu-west-1: ECR repository shop`,
      `eu-west-1: IAM role shop-eu-west-1-build`,
      `eu-west-1: S3 bucket shop-artifacts-${ACCOUNT}-eu-west-1`,
      `eu-west-1: pipeline shop`,
    ]);
    const imports = Object.fromEntries(clashes.map(({ address, importId }) => [address, importId]));
    expect(imports).toMatchObject({
      'aws_ecr_repository.images_repository': 'shop',
      'aws_cloudwatch_log_group.service_task_logs': '/tandem/shop/production',
      'aws_lb.service_load_balancer': balancers.loadBalancerArn,
      'aws_lb_target_group.service_load_balancer_targets': balancers.targetGroupArn,
    });
  });

  test('are no clash where the state has them already, nor where only the beginning is the same', async () => {
    const clusters = [{ address: 'aws_ecs_cluster.cluster', type: 'aws_ecs_cluster', values: {} }];
    const plans = synthesized('books').map(stack => deferredPlan(stack, clusters));
    const ecs = new ECSClient({ region: REGION });
    await ecs.send(new CreateClusterCommand({ clusterName: 'books-production' }));
    const logs = new CloudWatchLogsClient({ region: REGION });
    await logs.send(new CreateLogGroupCommand({ logGroupName: '/tandem/books/production-old' }));
    expect((await aws.nameClashes(plans)).clashes).toEqual([]);
  });

  test('of clusters are free again once they are deleted', async () => {
    const ecs = new ECSClient({ region: REGION });
    await ecs.send(new CreateClusterCommand({ clusterName: 'gone-production' }));
    expect((await aws.nameClashes(firstPlans('gone'))).clashes).toMatchObject([{ name: 'gone-production' }]);
    await ecs.send(new DeleteClusterCommand({ cluster: 'gone-production' }));
    expect((await aws.nameClashes(firstPlans('gone'))).clashes).toEqual([]);
  });

  test('that may not be asked, or not in a region, are unknown, and hide no other', async () => {
    const ecr = new ECRClient({ region: REGION });
    await ecr.send(new CreateImageRepositoryCommand({ repositoryName: 'other' }));
    between.refuse('ListRoles');
    const { clashes, unseen } = await aws.nameClashes(
      firstPlans('other').filter(({ region }) => region === REGION),
    );
    expect(clashes).toMatchObject([{ title: 'ECR repository', name: 'other' }]);
    expect(unseen).toEqual([
      { region: REGION, reason: expect.stringMatching(/^IAM role: .*not authorized/) },
    ]);
  });
});

function synthesized(application: string) {
  const { config } = validateConfig({
    application,
    aws: { accountId: ACCOUNT, namePrefix: application },
    regions: [...REGIONS],
  });
  return synthesize(config!, { state: 's3', protect: true }).filter(
    ({ name }) => !name.startsWith('bootstrap-'),
  );
}

/** As before anything is made. */
function firstPlans(application: string) {
  return synthesized(application).map(stack => deferredPlan(stack));
}

/** One thing of each kind, made by somebody else in one region. */
async function occupy(prefix: string): Promise<{ loadBalancerArn: string; targetGroupArn: string }> {
  const settings = { region: REGION };
  const role = {
    RoleName: `${prefix}-${REGION}-build`,
    AssumeRolePolicyDocument: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { Service: 'codepipeline.amazonaws.com' }, Action: 'sts:AssumeRole' },
      ],
    }),
  };
  const { Role } = await new IAMClient(settings).send(new CreateRoleCommand(role));
  await new S3Client(settings).send(
    new CreateBucketCommand({
      Bucket: `${prefix}-artifacts-${ACCOUNT}-${REGION}`,
      CreateBucketConfiguration: { LocationConstraint: REGION },
    }),
  );
  await new ECRClient(settings).send(new CreateImageRepositoryCommand({ repositoryName: prefix }));
  await new ECSClient(settings).send(new CreateClusterCommand({ clusterName: `${prefix}-production` }));
  await new CodeCommitClient(settings).send(new CreateRepositoryCommand({ repositoryName: prefix }));
  await new CloudWatchLogsClient(settings).send(
    new CreateLogGroupCommand({ logGroupName: `/tandem/${prefix}/production` }),
  );
  await new CodeBuildClient(settings).send(
    new CreateProjectCommand({
      name: `${prefix}-build`,
      source: { type: 'S3', location: 'artifacts/source.zip' },
      artifacts: { type: 'S3', location: 'artifacts' },
      environment: { type: 'LINUX_CONTAINER', image: 'standard:7.0', computeType: 'BUILD_GENERAL1_SMALL' },
      serviceRole: Role!.Arn!,
    }),
  );
  const action = (name: string, category: 'Source' | 'Approval') => ({
    name,
    actions: [
      { name, actionTypeId: { category, owner: 'AWS', provider: name, version: '1' } as const, runOrder: 1 },
    ],
  });
  await new CodePipelineClient(settings).send(
    new CreatePipelineCommand({
      pipeline: {
        name: prefix,
        roleArn: Role!.Arn!,
        artifactStore: { type: 'S3', location: 'artifacts' },
        stages: [action('CodeCommit', 'Source'), action('Manual', 'Approval')],
      },
    }),
  );
  return balance(prefix);
}

async function balance(prefix: string): Promise<{ loadBalancerArn: string; targetGroupArn: string }> {
  const ec2 = new EC2Client({ region: REGION });
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
  const VpcId = Vpc!.VpcId!;
  const Subnets: string[] = [];
  for (const [index, zone] of ['a', 'b'].entries()) {
    const { Subnet } = await ec2.send(
      new CreateSubnetCommand({
        VpcId,
        AvailabilityZone: `${REGION}${zone}`,
        CidrBlock: `10.0.${index}.0/24`,
      }),
    );
    Subnets.push(Subnet!.SubnetId!);
  }
  const elb = new ElasticLoadBalancingV2Client({ region: REGION });
  const { LoadBalancers } = await elb.send(
    new CreateLoadBalancerCommand({ Name: `${prefix}-production`, Subnets }),
  );
  const { TargetGroups } = await elb.send(
    new CreateTargetGroupCommand({ Name: `${prefix}-prod-blue`, Protocol: 'HTTP', Port: 80, VpcId }),
  );
  return {
    loadBalancerArn: LoadBalancers![0]!.LoadBalancerArn!,
    targetGroupArn: TargetGroups![0]!.TargetGroupArn!,
  };
}
