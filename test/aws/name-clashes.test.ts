import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateRepositoryCommand as CreateImageRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { CreateClusterCommand, DeleteClusterCommand, ECSClient } from '@aws-sdk/client-ecs';
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAwsOperations } from '../../src/aws-operations.ts';
import { deferredPlan } from '../../src/aws/operate/deferred-plan.ts';
import { NAMED_KINDS } from '../../src/aws/operate/taken-names/kinds.ts';
import { change, planDocument, planOf } from '../../src/aws/operate/testing/plans.ts';
import { synthesize } from '../../src/aws/terraform/synthesize.ts';
import { configSchema } from '../../src/model/config/schema.ts';
import { validateConfig } from '../../src/model/config/validate.ts';
import { findProgram } from '../../src/platform/process.ts';
import { openAnsweringAws, type Between } from './answers-between.ts';
import { namesIn } from './aws-names.ts';
import { CONFIGURATIONS } from './configurations.ts';
import { dnsRecord, REGION, THINGS } from './taken-things.ts';

const isMissing = findProgram('moto_server') === undefined;
if (isMissing) console.log('The tests of names are skipped: there is no moto_server on PATH.');

const ACCOUNT = '123456789012';
const ELSEWHERE = 'us-east-1';
const TEMPLATE = 'aws_ecr_repository_creation_template';

/** What has a name that nothing else can have already, or that changes nothing of what has it. */
const UNASKED: Readonly<Record<string, string>> = {
  aws_accessanalyzer_analyzer: 'an account has one in a region, whatever its name',
  aws_acm_certificate: 'a domain may have many',
  aws_appautoscaling_policy: 'it is of a service that is made with it',
  aws_appautoscaling_scheduled_action: 'it is of a service that is made with it',
  aws_arcregionswitch_plan: 'an ARN tells it from others: no error of CreatePlan is about its name',
  aws_cloudwatch_query_definition: 'an id tells it from others of the same name',
  aws_codeconnections_connection:
    'an ARN tells it from others: no error of CreateConnection is about its name',
  aws_config_configuration_recorder: 'an account has one in a region, whatever its name',
  aws_config_delivery_channel: 'an account has one in a region, whatever its name',
  aws_ecs_service: 'it is of a cluster that is made with it',
  aws_ecs_task_definition: 'a family that exists gets one more revision, and keeps all others',
  aws_iam_role_policy: 'it is of a role that is made with it',
  aws_security_group: 'it is of a network that is made with it',
};
/** What nothing brings back. */
const HOLDING_DATA = [
  'aws_s3_bucket',
  'aws_dynamodb_table',
  'aws_db_instance',
  'aws_rds_cluster_instance',
  'aws_rds_cluster',
  'aws_rds_global_cluster',
  'aws_secretsmanager_secret',
  'aws_kms_alias',
  'aws_codecommit_repository',
  'aws_sqs_queue',
  'aws_cloudwatch_log_group',
  'aws_cloudtrail',
];

test('every type with a name is asked for, or has a reason not to be', () => {
  const types = new Set(
    Object.values(CONFIGURATIONS)
      .flatMap(input => synthesize(configSchema.parse(input), { state: 's3', protect: true }))
      .flatMap(({ document }) => namesIn(document))
      .map(({ key }) => key.split('.') as [string, string])
      .filter(([, attribute]) => !/description|final_snapshot/.test(attribute))
      .map(([type]) => type),
  );
  expect([...types, TEMPLATE].sort()).toEqual(Object.keys({ ...NAMED_KINDS, ...UNASKED }).sort());
});

test('what holds data is shown, and never deleted', () => {
  const removing = Object.entries(NAMED_KINDS)
    .filter(([, { command }]) => /^\S+ (delete|remove|rm|rb|schedule)/.test(command ?? ''))
    .map(([type]) => type);
  expect(removing.length).toBeGreaterThan(10);
  expect(removing.filter(type => HOLDING_DATA.includes(type))).toEqual([]);
});

describe.skipIf(isMissing)('names of what is to be made', { timeout: 60_000 }, () => {
  const aws = createAwsOperations();
  let between: Between;

  beforeAll(async () => {
    between = await openAnsweringAws();
  }, 60_000);

  beforeEach(() => {
    between.reset();
    between.answer('DescribeRepositoryCreationTemplates', { repositoryCreationTemplates: [] });
  });

  afterAll(() => between[Symbol.asyncDispose]());

  test('are free in an account that has nothing', async () => {
    expect(await aws.nameClashes(firstPlans('shop'))).toEqual({ clashes: [], unseen: [] });
  });

  test('of every kind have a thing to be tried with', () => {
    expect([...Object.keys(THINGS), TEMPLATE].sort()).toEqual(Object.keys(NAMED_KINDS).sort());
  });

  test.each(Object.keys(THINGS))(
    'of %s: taken by somebody else, free to the application itself',
    async type => {
      const name = `kind-${Object.keys(THINGS).indexOf(type)}`;
      const { values, importId } = await THINGS[type]!(name);
      const address = `${type}.made`;
      const plan = planOf({ changes: [change(address)], document: planDocument({ [address]: values }) });
      const { clashes, unseen } = await aws.nameClashes([plan]);
      expect(unseen).toEqual([]);
      expect(clashes).toEqual([
        {
          stack: REGION,
          region: REGION,
          title: NAMED_KINDS[type]!.title,
          name: expect.stringContaining(name),
          address,
          command: expect.arrayContaining(['aws', '--region', REGION]),
          importId,
        },
      ]);
      expect(clashes[0]!.command.join(' ')).not.toMatch(/\$|undefined/);

      const moved = { ...plan, existing: [{ address: `${type}.moved`, type, values }] };
      expect((await aws.nameClashes([moved])).clashes).toEqual([]);
      const own = planOf({ changes: [change(address, 'update')], document: plan.document });
      expect((await aws.nameClashes([own])).clashes).toEqual([]);
      const free = planOf({ ...plan, document: planDocument({ [address]: renamed(values, name) }) });
      expect((await aws.nameClashes([free])).clashes).toEqual([]);
    },
  );

  test('of a creation template are those of its prefix', async () => {
    between.answer('DescribeRepositoryCreationTemplates', {
      repositoryCreationTemplates: [{ prefix: 'shop' }],
    });
    const address = `${TEMPLATE}.template`;
    const planned = (prefix: string) =>
      planOf({ changes: [change(address)], document: planDocument({ [address]: { prefix } }) });
    expect((await aws.nameClashes([planned('shop'), planned('sho')])).clashes).toMatchObject([
      { title: 'ECR creation template', name: 'shop', importId: 'shop' },
    ]);
  });

  test('that something has are told of a whole configuration, by kind and region', async () => {
    for (const [type, name] of [
      ['aws_iam_role', `shop-${REGION}-build`],
      ['aws_s3_bucket', `shop-artifacts-${ACCOUNT}-${REGION}`],
      ['aws_ecr_repository', 'shop'],
      ['aws_ecs_cluster', 'shop-production'],
      ['aws_cloudwatch_log_group', '/tandem/shop/production'],
      ['aws_sns_topic', 'shop-notifications'],
      ['aws_cloudwatch_dashboard', `shop-${REGION}`],
    ] as const) {
      await THINGS[type]!(name);
    }
    const { clashes, unseen } = await aws.nameClashes(firstPlans('shop'));
    expect(unseen).toEqual([]);
    expect(clashes.map(({ stack, title, name }) => `${stack}: ${title} ${name}`).sort()).toEqual([
      `eu-west-1-production: ECS cluster shop-production`,
      `eu-west-1-production: log group /tandem/shop/production`,
      `eu-west-1: ECR repository shop`,
      `eu-west-1: IAM role shop-eu-west-1-build`,
      `eu-west-1: S3 bucket shop-artifacts-${ACCOUNT}-eu-west-1`,
      `eu-west-1: SNS topic shop-notifications`,
      `eu-west-1: dashboard shop-eu-west-1`,
    ]);
    expect(clashes).toContainEqual(
      expect.objectContaining({ address: 'aws_ecr_repository.images_repository', importId: 'shop' }),
    );
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

  test('are a clash in one region, whatever the application has in another', async () => {
    await THINGS['aws_dynamodb_table']!('orders');
    const table = {
      address: 'aws_dynamodb_table.made',
      type: 'aws_dynamodb_table',
      values: { name: 'orders' },
    };
    const document = planDocument({ [table.address]: table.values });
    const { clashes } = await aws.nameClashes([
      planOf({ stack: ELSEWHERE, region: ELSEWHERE, existing: [table] }),
      planOf({ changes: [change(table.address)], document }),
    ]);
    expect(clashes).toMatchObject([{ region: REGION, name: 'orders' }]);
  });

  test('of clusters are free again once they are deleted', async () => {
    const ecs = new ECSClient({ region: REGION });
    await ecs.send(new CreateClusterCommand({ clusterName: 'gone-production' }));
    expect((await aws.nameClashes(firstPlans('gone'))).clashes).toMatchObject([{ name: 'gone-production' }]);
    await ecs.send(new DeleteClusterCommand({ cluster: 'gone-production' }));
    expect((await aws.nameClashes(firstPlans('gone'))).clashes).toEqual([]);
  });

  test('of secrets stay taken until these are deleted for good, in every region that has a copy', async () => {
    const copied = new SecretsManagerClient({ region: ELSEWHERE });
    await copied.send(new CreateSecretCommand({ Name: 'shop/KEY', SecretString: 'x' }));
    await copied.send(new DeleteSecretCommand({ SecretId: 'shop/KEY', RecoveryWindowInDays: 7 }));
    const address = 'aws_secretsmanager_secret.key';
    const values = { name: 'shop/KEY', replica: [{ region: ELSEWHERE }] };
    const plan = planOf({ changes: [change(address)], document: planDocument({ [address]: values }) });
    const { clashes } = await aws.nameClashes([plan]);
    expect(clashes).toEqual([
      {
        stack: REGION,
        region: ELSEWHERE,
        title: 'secret',
        name: 'shop/KEY',
        address,
        state: expect.stringMatching(/^waits for its deletion/),
        command: [
          'aws',
          'secretsmanager',
          'restore-secret',
          '--secret-id',
          'shop/KEY',
          '--region',
          ELSEWHERE,
        ],
      },
    ]);
  });

  test('that a resource wants in another region than its stack are imported there', async () => {
    const kms = new KMSClient({ region: ELSEWHERE });
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    await kms.send(
      new CreateAliasCommand({ AliasName: 'alias/shop-signing', TargetKeyId: KeyMetadata!.KeyId! }),
    );
    const address = 'aws_kms_alias.replica';
    const values = { name: 'alias/shop-signing', region: ELSEWHERE };
    const plan = planOf({ changes: [change(address)], document: planDocument({ [address]: values }) });
    expect((await aws.nameClashes([plan])).clashes).toMatchObject([
      { stack: REGION, region: ELSEWHERE, importId: `alias/shop-signing@${ELSEWHERE}` },
    ]);
  });

  test.each([
    ['another of its type', 'A', undefined, 'eu-west-1', true],
    ['others that set identifiers tell apart', 'A', 'us-east-1', 'eu-west-1', false],
    ['one of the same set identifier', 'A', 'eu-west-1', 'eu-west-1', true],
    ['a CNAME', 'CNAME', undefined, undefined, true],
  ] as const)('of a DNS record beside %s', async (title, type, other, set, isTaken) => {
    const name = `${title.replaceAll(' ', '-').toLowerCase()}.example.com`;
    const zone_id = await dnsRecord(name, type, type === 'A' ? '192.0.2.1' : 'other.example.com', other);
    const address = 'aws_route53_record.made';
    const values = { zone_id, name, type: 'A', set_identifier: set };
    const plan = planOf({ changes: [change(address)], document: planDocument({ [address]: values }) });
    const importId = [zone_id, name, type, ...(other === undefined ? [] : [other])].join('_');
    expect((await aws.nameClashes([plan])).clashes).toMatchObject(isTaken ? [{ importId }] : []);
  });

  test('that may not be asked, or not in a region, are unknown, and hide no other', async () => {
    await new ECRClient({ region: REGION }).send(
      new CreateImageRepositoryCommand({ repositoryName: 'other' }),
    );
    between.refuse('ListRoles');
    const { clashes, unseen } = await aws.nameClashes(
      firstPlans('other').filter(({ region }) => region === REGION),
    );
    expect(clashes).toMatchObject([{ title: 'ECR repository', name: 'other' }]);
    expect(unseen).toEqual([
      { region: REGION, reason: expect.stringMatching(/^IAM role: .*not authorized/) },
    ]);
  });

  test('that may not be looked at are named, and hide no other of their kind', async () => {
    const buckets = Object.fromEntries(
      ['first', 'second', 'third'].map(name => [`aws_s3_bucket.${name}`, { bucket: `${name}-bucket` }]),
    );
    const changes = Object.keys(buckets).map(address => change(address));
    const plan = planOf({ changes, document: planDocument(buckets) });
    await THINGS['aws_s3_bucket']!('third-bucket');
    between.refuse('HEAD /second-bucket');
    const { clashes, unseen } = await aws.nameClashes([plan]);
    expect(clashes).toMatchObject([{ name: 'third-bucket' }]);
    expect(unseen).toEqual([
      { region: REGION, reason: "S3 bucket second-bucket: it is somebody else's, or may not be looked at" },
    ]);
  });

  test('of a kind that may not be looked at are one remark', async () => {
    const tables = { 'aws_dynamodb_table.a': { name: 'aaa' }, 'aws_dynamodb_table.b': { name: 'bbb' } };
    const changes = Object.keys(tables).map(address => change(address));
    between.refuse('DescribeTable');
    const { unseen } = await aws.nameClashes([planOf({ changes, document: planDocument(tables) })]);
    expect(unseen).toEqual([
      { region: REGION, reason: expect.stringMatching(/^DynamoDB table aaa, bbb: .*not authorized/) },
    ]);
  });
});

/** The same, but for the end of its name. */
function renamed(values: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, String(value).replace(name, `${name}-free`)]),
  );
}

function synthesized(application: string) {
  const { config } = validateConfig({
    application,
    aws: { accountId: ACCOUNT, namePrefix: application },
    regions: [REGION, ELSEWHERE],
  });
  return synthesize(config!, { state: 's3', protect: true }).filter(
    ({ name }) => !name.startsWith('bootstrap-'),
  );
}

/** As before anything is made. */
function firstPlans(application: string) {
  return synthesized(application).map(stack => deferredPlan(stack));
}
