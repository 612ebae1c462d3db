import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { synthesize } from '../../src/aws/terraform/synthesize.ts';
import { configSchema } from '../../src/model/config/schema.ts';
import { CONFIGURATIONS } from './configurations.ts';

/*
 * What a scanner of Terraform will say, before somebody runs one: checks by the identifiers that Checkov publishes, over
 * every resource of every configuration. What holds is held; what deliberately does not hold has its reason, which belongs
 * in a skip list. docs/scanners.md is that list for people.
 */

type Resource = Record<string, unknown>;
type Check = [id: string, type: string, holds: (resource: Resource) => boolean];

const is = (argument: string, value: unknown) => (resource: Resource) => resource[argument] === value;
const has = (argument: string) => (resource: Resource) =>
  resource[argument] !== undefined && resource[argument] !== '';
const holds = (argument: string, text: string) => (resource: Resource) =>
  JSON.stringify(resource[argument] ?? '').includes(text);

const MET: Check[] = [
  ['CKV_AWS_163', 'aws_ecr_repository', holds('image_scanning_configuration', '"scan_on_push":true')],
  ['CKV_AWS_26', 'aws_sns_topic', has('kms_master_key_id')],
  ['CKV_AWS_27', 'aws_sqs_queue', is('sqs_managed_sse_enabled', true)],
  ['CKV2_AWS_64', 'aws_kms_key', has('policy')],
  ['CKV_AWS_53', 'aws_s3_bucket_public_access_block', is('block_public_acls', true)],
  ['CKV_AWS_54', 'aws_s3_bucket_public_access_block', is('block_public_policy', true)],
  ['CKV_AWS_55', 'aws_s3_bucket_public_access_block', is('ignore_public_acls', true)],
  ['CKV_AWS_56', 'aws_s3_bucket_public_access_block', is('restrict_public_buckets', true)],
  ['CKV_AWS_21', 'aws_s3_bucket_versioning', holds('versioning_configuration', '"Enabled"')],
  ['CKV_AWS_131', 'aws_lb', is('drop_invalid_header_fields', true)],
  ['CKV_AWS_65', 'aws_ecs_cluster', holds('setting', 'containerInsights')],
  ['CKV_AWS_333', 'aws_ecs_service', holds('network_configuration', '"assign_public_ip":false')],
  [
    'CKV_AWS_249',
    'aws_ecs_task_definition',
    ({ execution_role_arn, task_role_arn }) => execution_role_arn !== task_role_arn,
  ],
  ['CKV_AWS_66', 'aws_cloudwatch_log_group', has('retention_in_days')],
  ['CKV_AWS_130', 'aws_subnet', is('map_public_ip_on_launch', false)],
  ['CKV_AWS_23', 'aws_security_group', has('description')],
  ['CKV_AWS_23', 'aws_vpc_security_group_ingress_rule', has('description')],
  ['CKV_AWS_23', 'aws_vpc_security_group_egress_rule', has('description')],
  [
    'CKV2_AWS_12',
    'aws_default_security_group',
    resource => !('ingress' in resource) && !('egress' in resource),
  ],
  ['CKV_AWS_314', 'aws_codebuild_project', holds('logs_config', '"ENABLED"')],
  ['CKV_AWS_28', 'aws_dynamodb_table', holds('point_in_time_recovery', 'true')],
  ['CKV_AWS_16', 'aws_db_instance', is('storage_encrypted', true)],
  ['CKV_AWS_17', 'aws_db_instance', is('publicly_accessible', false)],
  ['CKV_AWS_293', 'aws_db_instance', is('deletion_protection', true)],
  ['CKV_AWS_96', 'aws_rds_cluster', is('storage_encrypted', true)],
  ['CKV_AWS_36', 'aws_cloudtrail', is('enable_log_file_validation', true)],
  ['CKV_AWS_67', 'aws_cloudtrail', is('is_multi_region_trail', true)],
  ['CKV2_AWS_31', 'aws_wafv2_web_acl_logging_configuration', has('log_destination_configs')],
  ['CKV_AWS_319', 'aws_cloudwatch_metric_alarm', resource => resource['actions_enabled'] !== false],
];

/** Each fails somewhere, and is to. */
const NOT_MET: [...Check, reason: string][] = [
  [
    'CKV_AWS_51',
    'aws_ecr_repository',
    is('image_tag_mutability', 'IMMUTABLE'),
    'IMMUTABLE_WITH_EXCLUSION: tags of commits never move; `latest` and `in-use-*` must',
  ],
  [
    'CKV_AWS_136',
    'aws_ecr_repository',
    holds('encryption_configuration', 'KMS'),
    'encrypted with AWS’s key: a key of one’s own would have to be shared with every region that it is replicated to',
  ],
  [
    'CKV_AWS_7',
    'aws_kms_key',
    is('enable_key_rotation', true),
    'the key that signs images is asymmetric: AWS renews no such key',
  ],
  [
    'CKV_AWS_150',
    'aws_lb',
    is('enable_deletion_protection', true),
    'production’s is protected; staging’s and dev’s are made and deleted freely',
  ],
  [
    'CKV_AWS_2',
    'aws_lb_listener',
    is('protocol', 'HTTPS'),
    'HTTP only redirects where there is a `domain`; without one there is nothing to have a certificate for',
  ],
  [
    'CKV_AWS_378',
    'aws_lb_target_group',
    is('protocol', 'HTTPS'),
    'TLS ends at the load balancer; behind it is a private subnet that only the load balancer reaches',
  ],
  [
    'CKV_AWS_260',
    'aws_vpc_security_group_ingress_rule',
    resource => !(resource['from_port'] === 80 && resource['cidr_ipv4'] === '0.0.0.0/0'),
    'load balancers take HTTP from anywhere, to redirect it',
  ],
  [
    'CKV_AWS_158',
    'aws_cloudwatch_log_group',
    has('kms_key_id'),
    'CloudWatch encrypts logs by itself; a key of one’s own costs 1 USD a month each',
  ],
  [
    'CKV_AWS_338',
    'aws_cloudwatch_log_group',
    ({ retention_in_days }) => Number(retention_in_days) >= 365,
    '30 days by default; `logs.retentionDays` takes up to ten years',
  ],
  [
    'CKV_AWS_316',
    'aws_codebuild_project',
    resource => !holds('environment', '"privileged_mode":true')(resource),
    'who builds an image needs Docker; no other project has it',
  ],
  ['CKV_AWS_147', 'aws_codebuild_project', has('encryption_key'), 'artifacts are encrypted with S3’s key'],
  [
    'CKV_AWS_219',
    'aws_codepipeline',
    holds('artifact_store', 'encryption_key'),
    'artifacts are encrypted with S3’s key',
  ],
  [
    'CKV_AWS_117',
    'aws_lambda_function',
    has('vpc_config'),
    'functions call AWS only, which needs no network of ours',
  ],
  [
    'CKV_AWS_272',
    'aws_lambda_function',
    has('code_signing_config_arn'),
    'Terraform puts the code there, and knows its hash',
  ],
  [
    'CKV_AWS_149',
    'aws_secretsmanager_secret',
    has('kms_key_id'),
    'encrypted with AWS’s key, in every region that it is replicated to',
  ],
  [
    'CKV_AWS_119',
    'aws_dynamodb_table',
    holds('server_side_encryption', 'kms_key_arn'),
    'DynamoDB encrypts all tables, with AWS’s key',
  ],
  ['CKV_AWS_252', 'aws_cloudtrail', has('sns_topic_name'), 'one message for every log file is for no one'],
  [
    'CKV_AWS_336',
    'aws_ecs_task_definition',
    holds('container_definitions', 'readonlyRootFilesystem'),
    'whether it writes to its disk is the application’s own affair',
  ],
];

/** Met by a resource of its own, which there is none of. */
const ABSENT: [id: string, type: string, reason: string][] = [
  [
    'CKV_AWS_18',
    'aws_s3_bucket_logging',
    'who reads a bucket is in CloudTrail, where data events are switched on',
  ],
  [
    'CKV_AWS_144',
    'aws_s3_bucket_replication_configuration',
    'each region has buckets of its own, and none needs another’s',
  ],
  ['CKV2_AWS_62', 'aws_s3_bucket_notification', 'nothing waits for an object'],
];

const resources = Object.values(CONFIGURATIONS).flatMap(input =>
  synthesize(configSchema.parse(input), { state: 's3', protect: true }).flatMap(({ name: stack, document }) =>
    Object.entries(document.resource ?? {}).flatMap(([type, entries]) =>
      Object.entries(entries).map(([name, resource]) => ({
        address: `${stack} ${type}.${name}`,
        type,
        resource,
      })),
    ),
  ),
);
const ofType = (wanted: string) => resources.filter(({ type }) => type === wanted);

test.each(MET)('%s holds of every %s', (_id, type, isMet) => {
  expect(ofType(type).length).toBeGreaterThan(0);
  expect(
    ofType(type)
      .filter(({ resource }) => !isMet(resource))
      .map(({ address }) => address),
  ).toEqual([]);
});

test.each(NOT_MET)('%s is not met by every %s, for a reason', (id, type, isMet, reason) => {
  expect(
    ofType(type).some(({ resource }) => !isMet(resource)),
    `${id} is met after all: ${reason}`,
  ).toBe(true);
});

test.each(ABSENT)('%s would need an %s, which is left out for a reason', (_id, type) => {
  expect(ofType(type)).toEqual([]);
});

test('the list for people names each that is not met', async () => {
  const list = await readFile(join(import.meta.dirname, '../../docs/scanners.md'), 'utf8');
  const skipped = [...NOT_MET, ...ABSENT].map(([id]) => id);
  expect(skipped.filter(id => !list.includes(`| ${id} |`))).toEqual([]);
  expect(list).toContain(`--skip-check ${skipped.join(',')}`);
});

test('every bucket has what makes it private, and forgets what is old', () => {
  for (const type of [
    'aws_s3_bucket_public_access_block',
    'aws_s3_bucket_versioning',
    'aws_s3_bucket_server_side_encryption_configuration',
    'aws_s3_bucket_lifecycle_configuration',
  ]) {
    expect(ofType(type), type).toHaveLength(ofType('aws_s3_bucket').length);
  }
});
