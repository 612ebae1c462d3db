import { BudgetsClient, CreateBudgetCommand } from '@aws-sdk/client-budgets';
import { CloudTrailClient, CreateTrailCommand } from '@aws-sdk/client-cloudtrail';
import { CloudWatchClient, PutDashboardCommand, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CodeBuildClient, CreateProjectCommand } from '@aws-sdk/client-codebuild';
import { CodeCommitClient, CreateRepositoryCommand } from '@aws-sdk/client-codecommit';
import { CodePipelineClient, CreatePipelineCommand } from '@aws-sdk/client-codepipeline';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateSubnetCommand, CreateVpcCommand, EC2Client } from '@aws-sdk/client-ec2';
import { CreateRepositoryCommand as CreateImageRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { CreateClusterCommand, ECSClient } from '@aws-sdk/client-ecs';
import {
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridgeClient, PutRuleCommand } from '@aws-sdk/client-eventbridge';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateDBClusterCommand,
  CreateDBClusterParameterGroupCommand,
  CreateDBInstanceCommand,
  CreateDBParameterGroupCommand,
  CreateDBSubnetGroupCommand,
  CreateGlobalClusterCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CreateWebACLCommand, WAFV2Client } from '@aws-sdk/client-wafv2';

export const REGION = 'eu-west-1';
const ACCOUNT = '123456789012';
const settings = { region: REGION };
const MASTER = { MasterUsername: 'tandem', MasterUserPassword: 'correct-horse' };

interface Thing {
  /** What a plan says of the resource that would have its name. */
  values: Record<string, unknown>;
  /** What Terraform would import the thing by. */
  importId: string;
}

/** Makes a thing as somebody else would, by Terraform's type. moto has all of them but ECR's creation templates. */
export const THINGS: Readonly<Record<string, (name: string) => Promise<Thing>>> = {
  async aws_s3_bucket(bucket) {
    await new S3Client(settings).send(
      new CreateBucketCommand({
        Bucket: bucket,
        CreateBucketConfiguration: { LocationConstraint: REGION },
      }),
    );
    return { values: { bucket }, importId: bucket };
  },
  async aws_dynamodb_table(name) {
    await new DynamoDBClient(settings).send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'key', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'key', AttributeType: 'S' }],
      }),
    );
    return named(name);
  },
  aws_db_instance: databaseInstance,
  aws_rds_cluster_instance: databaseInstance,
  async aws_rds_cluster(name) {
    await new RDSClient(settings).send(
      new CreateDBClusterCommand({ DBClusterIdentifier: name, Engine: 'aurora-postgresql', ...MASTER }),
    );
    return { values: { cluster_identifier: name }, importId: name };
  },
  async aws_rds_global_cluster(name) {
    await new RDSClient(settings).send(
      new CreateGlobalClusterCommand({ GlobalClusterIdentifier: name, Engine: 'aurora-postgresql' }),
    );
    return { values: { global_cluster_identifier: name }, importId: name };
  },
  async aws_db_subnet_group(name) {
    const { subnets } = await network();
    await new RDSClient(settings).send(
      new CreateDBSubnetGroupCommand({
        DBSubnetGroupName: name,
        DBSubnetGroupDescription: name,
        SubnetIds: subnets,
      }),
    );
    return named(name);
  },
  async aws_db_parameter_group(name) {
    await new RDSClient(settings).send(
      new CreateDBParameterGroupCommand({
        DBParameterGroupName: name,
        DBParameterGroupFamily: 'postgres17',
        Description: name,
      }),
    );
    return named(name);
  },
  async aws_rds_cluster_parameter_group(name) {
    await new RDSClient(settings).send(
      new CreateDBClusterParameterGroupCommand({
        DBClusterParameterGroupName: name,
        DBParameterGroupFamily: 'aurora-postgresql16',
        Description: name,
      }),
    );
    return named(name);
  },
  async aws_iam_role(name) {
    await role(name);
    return named(name);
  },
  async aws_kms_alias(given) {
    const name = `alias/${given}`;
    const kms = new KMSClient(settings);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    await kms.send(new CreateAliasCommand({ AliasName: name, TargetKeyId: KeyMetadata!.KeyId! }));
    return named(name);
  },
  async aws_secretsmanager_secret(name) {
    const { ARN } = await new SecretsManagerClient(settings).send(new CreateSecretCommand({ Name: name }));
    return named(name, ARN);
  },
  async aws_ecr_repository(name) {
    await new ECRClient(settings).send(new CreateImageRepositoryCommand({ repositoryName: name }));
    return named(name);
  },
  async aws_codecommit_repository(name) {
    await new CodeCommitClient(settings).send(new CreateRepositoryCommand({ repositoryName: name }));
    return { values: { repository_name: name }, importId: name };
  },
  async aws_codepipeline(name) {
    const roleArn = await role(`${name}-pipeline`, 'codepipeline');
    const stage = (action: string, category: 'Source' | 'Approval') => ({
      name: action,
      actions: [
        {
          name: action,
          actionTypeId: { category, owner: 'AWS', provider: action, version: '1' } as const,
          runOrder: 1,
        },
      ],
    });
    await new CodePipelineClient(settings).send(
      new CreatePipelineCommand({
        pipeline: {
          name,
          roleArn,
          artifactStore: { type: 'S3', location: 'artifacts' },
          stages: [stage('CodeCommit', 'Source'), stage('Manual', 'Approval')],
        },
      }),
    );
    return named(name);
  },
  async aws_codebuild_project(name) {
    await new CodeBuildClient(settings).send(
      new CreateProjectCommand({
        name,
        source: { type: 'S3', location: 'artifacts/source.zip' },
        artifacts: { type: 'S3', location: 'artifacts' },
        environment: {
          type: 'LINUX_CONTAINER',
          image: 'standard:7.0',
          computeType: 'BUILD_GENERAL1_SMALL',
        },
        serviceRole: await role(`${name}-project`, 'codebuild'),
      }),
    );
    return named(name);
  },
  async aws_ecs_cluster(name) {
    await new ECSClient(settings).send(new CreateClusterCommand({ clusterName: name }));
    return named(name);
  },
  async aws_lambda_function(name) {
    await new LambdaClient(settings).send(
      new CreateFunctionCommand({
        FunctionName: name,
        Role: await role(`${name}-function`, 'lambda'),
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        // An archive of nothing.
        Code: { ZipFile: Buffer.from('UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==', 'base64') },
      }),
    );
    return { values: { function_name: name }, importId: name };
  },
  async aws_lb(name) {
    const { subnets } = await network();
    const { LoadBalancers } = await new ElasticLoadBalancingV2Client(settings).send(
      new CreateLoadBalancerCommand({ Name: name, Subnets: subnets }),
    );
    return named(name, LoadBalancers![0]!.LoadBalancerArn);
  },
  async aws_lb_target_group(name) {
    const { vpc } = await network();
    const { TargetGroups } = await new ElasticLoadBalancingV2Client(settings).send(
      new CreateTargetGroupCommand({ Name: name, Protocol: 'HTTP', Port: 80, VpcId: vpc }),
    );
    return named(name, TargetGroups![0]!.TargetGroupArn);
  },
  async aws_wafv2_web_acl(name) {
    const { Summary } = await new WAFV2Client(settings).send(
      new CreateWebACLCommand({
        Name: name,
        Scope: 'REGIONAL',
        DefaultAction: { Allow: {} },
        VisibilityConfig: {
          SampledRequestsEnabled: false,
          CloudWatchMetricsEnabled: false,
          MetricName: name,
        },
      }),
    );
    return named(name, `${Summary!.Id}/${name}/REGIONAL`);
  },
  async aws_route53_record(given) {
    const name = `${given}.example.com`;
    const zone_id = await dnsRecord(name, 'A', '192.0.2.1');
    return { values: { zone_id, name, type: 'A' }, importId: `${zone_id}_${name}_A` };
  },
  async aws_sns_topic(name) {
    const { TopicArn } = await new SNSClient(settings).send(new CreateTopicCommand({ Name: name }));
    return named(name, TopicArn);
  },
  async aws_sqs_queue(name) {
    const { QueueUrl } = await new SQSClient(settings).send(new CreateQueueCommand({ QueueName: name }));
    return named(name, QueueUrl);
  },
  async aws_cloudwatch_event_rule(name) {
    await new EventBridgeClient(settings).send(
      new PutRuleCommand({ Name: name, ScheduleExpression: 'rate(1 day)' }),
    );
    return named(name);
  },
  async aws_cloudwatch_log_group(name) {
    await new CloudWatchLogsClient(settings).send(new CreateLogGroupCommand({ logGroupName: name }));
    return named(name);
  },
  aws_cloudwatch_metric_alarm: alarm,
  // moto has no PutCompositeAlarm; both have their names from the same stock.
  aws_cloudwatch_composite_alarm: alarm,
  async aws_cloudwatch_dashboard(name) {
    await new CloudWatchClient(settings).send(
      new PutDashboardCommand({ DashboardName: name, DashboardBody: '{"widgets":[]}' }),
    );
    return { values: { dashboard_name: name }, importId: name };
  },
  async aws_cloudtrail(name) {
    await THINGS['aws_s3_bucket']!(`${name}-trail`);
    const { TrailARN } = await new CloudTrailClient(settings).send(
      new CreateTrailCommand({ Name: name, S3BucketName: `${name}-trail` }),
    );
    return named(name, TrailARN);
  },
  async aws_budgets_budget(name) {
    await new BudgetsClient(settings).send(
      new CreateBudgetCommand({
        AccountId: ACCOUNT,
        Budget: {
          BudgetName: name,
          BudgetType: 'COST',
          TimeUnit: 'MONTHLY',
          BudgetLimit: { Amount: '100', Unit: 'USD' },
        },
      }),
    );
    return named(name, `${ACCOUNT}:${name}`);
  },
};

/** In a zone of its own. Gives the zone. */
export async function dnsRecord(
  name: string,
  Type: 'A' | 'CNAME',
  Value: string,
  SetIdentifier?: string,
): Promise<string> {
  const route53 = new Route53Client(settings);
  const { HostedZone } = await route53.send(
    new CreateHostedZoneCommand({ Name: 'example.com', CallerReference: name }),
  );
  const zone = HostedZone!.Id!.replace('/hostedzone/', '');
  const routed = SetIdentifier === undefined ? {} : { SetIdentifier, Weight: 1 };
  await route53.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: zone,
      ChangeBatch: {
        Changes: [
          {
            Action: 'CREATE',
            ResourceRecordSet: { Name: name, Type, TTL: 60, ResourceRecords: [{ Value }], ...routed },
          },
        ],
      },
    }),
  );
  return zone;
}

function named(name: string, importId = name): Thing {
  return { values: { name }, importId };
}

async function databaseInstance(identifier: string): Promise<Thing> {
  await new RDSClient(settings).send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: identifier,
      DBInstanceClass: 'db.t4g.micro',
      Engine: 'postgres',
      AllocatedStorage: 20,
      ...MASTER,
    }),
  );
  return { values: { identifier }, importId: identifier };
}

async function alarm(name: string): Promise<Thing> {
  await new CloudWatchClient(settings).send(
    new PutMetricAlarmCommand({
      AlarmName: name,
      Namespace: 'Shop',
      MetricName: 'Orders',
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      Period: 60,
      EvaluationPeriods: 1,
      Statistic: 'Sum',
    }),
  );
  return { values: { alarm_name: name }, importId: name };
}

async function role(RoleName: string, service = 'ecs-tasks'): Promise<string> {
  const Principal = { Service: `${service}.amazonaws.com` };
  const { Role } = await new IAMClient(settings).send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }],
      }),
    }),
  );
  return Role!.Arn!;
}

async function network(): Promise<{ vpc: string; subnets: string[] }> {
  const ec2 = new EC2Client(settings);
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
  const VpcId = Vpc!.VpcId!;
  const subnets: string[] = [];
  for (const [index, zone] of ['a', 'b'].entries()) {
    const { Subnet } = await ec2.send(
      new CreateSubnetCommand({
        VpcId,
        AvailabilityZone: `${REGION}${zone}`,
        CidrBlock: `10.0.${index}.0/24`,
      }),
    );
    subnets.push(Subnet!.SubnetId!);
  }
  return { vpc: VpcId, subnets };
}
