import { describe, expect, test } from 'vitest';
import { synthesize, type SynthesizedStack } from '../../src/aws/terraform/synthesize.ts';
import { configSchema } from '../../src/model/config/schema.ts';
import { CONFIGURATIONS } from './configurations.ts';

/* What must hold of every stack, whatever is configured and whatever is added later. */

type Resource = Record<string, unknown>;

interface Statement {
  Sid: string;
  Effect: string;
  Principal?: unknown;
  Action: string | string[];
  Resource?: string | string[];
  Condition?: unknown;
}

/** Actions that know no resource, so that `*` is the only one there is (service authorization reference). */
const WITHOUT_RESOURCE = new Set([
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'ecr:GetAuthorizationToken',
  'secretsmanager:GetRandomPassword',
  'ecs:DescribeTaskDefinition',
  'cloudwatch:GetMetricData',
  'cloudwatch:GetMetricStatistics',
  'cloudtrail:LookupEvents',
  'application-autoscaling:DescribeScalableTargets',
  'ecs:ListServices',
  'elasticloadbalancing:DescribeListeners',
  'elasticloadbalancing:DescribeLoadBalancers',
  'elasticloadbalancing:DescribeRules',
  'elasticloadbalancing:DescribeTargetGroups',
  'elasticloadbalancing:DescribeTargetHealth',
]);
const STATEFUL = [
  'aws_ecr_repository',
  'aws_codecommit_repository',
  'aws_secretsmanager_secret',
  'aws_db_instance',
  'aws_rds_cluster',
  'aws_rds_global_cluster',
  'aws_dynamodb_table',
  'aws_kms_replica_key',
];
/** Arguments that write a secret down, in the plan and in the state. */
const WRITTEN_DOWN = ['secret_string', 'secret_binary', 'password', 'master_password'];
/** Resource types that AWS cannot tag, or that have no tags of their own. */
const TAGS = ['Customer', 'Application', 'Environment', 'Owner', 'CostCenter', 'ManagedBy'];

describe.each(Object.entries(CONFIGURATIONS))('with %s', (_name, input) => {
  const config = configSchema.parse(input);
  const stacks = synthesize(config, { state: 's3', protect: true });
  const all = stacks.flatMap(stack => resourcesOf(stack));
  const ofType = (type: string) => all.filter(resource => resource.type === type);
  const isReplicated = stacks.some(({ name }) => name === 'us-west-2' || name === 'eu-west-1');

  test('every role says what it may do, by name', () => {
    const faults = ofType('aws_iam_role_policy').flatMap(({ address, resource }) =>
      statementsOf(resource['policy']).flatMap(statement => {
        // What is refused may be refused of everything.
        if (statement.Effect === 'Deny') return [];
        const actions = [statement.Action].flat();
        const isWild = [statement.Resource].flat().includes('*');
        return [
          ...actions.filter(action => action.includes('*')).map(action => `${address}: ${action}`),
          ...(isWild && !actions.every(action => WITHOUT_RESOURCE.has(action))
            ? [`${address}: ${statement.Sid} on every resource`]
            : []),
        ];
      }),
    );
    expect(faults).toEqual([]);
  });

  test('every role is assumed by one service, for this account only', () => {
    for (const { resource } of ofType('aws_iam_role')) {
      const statements = statementsOf(resource['assume_role_policy']);
      expect(statements).toHaveLength(1);
      expect(statements[0]).toMatchObject({
        Principal: { Service: expect.stringMatching(/^[\w.-]+\.amazonaws\.com$/) },
      });
      // These take a role only from who may pass it, in the role's own account, and name no source account.
      if (!/lambda|arc-region-switch/.test(JSON.stringify(statements[0]!.Principal))) {
        expect(JSON.stringify(statements[0]!.Condition)).toContain('aws:SourceAccount');
      }
      expect(resource['managed_policy_arns']).toBeUndefined();
    }
  });

  test('buckets are encrypted, versioned, closed to the public and refuse plain HTTP', () => {
    const buckets = ofType('aws_s3_bucket');
    expect(buckets.length).toBeGreaterThan(0);
    for (const type of [
      'aws_s3_bucket_server_side_encryption_configuration',
      'aws_s3_bucket_versioning',
      'aws_s3_bucket_public_access_block',
      'aws_s3_bucket_policy',
    ]) {
      expect(ofType(type), type).toHaveLength(buckets.length);
    }
    for (const { resource } of ofType('aws_s3_bucket_policy')) {
      expect(resource['policy']).toContain('"aws:SecureTransport":"false"');
    }
  });

  test('queues are encrypted, refuse plain HTTP where anybody else fills them, and lose nothing', () => {
    const queues = ofType('aws_sqs_queue');
    expect(queues.length > 0).toBe(isReplicated);
    for (const { resource } of queues) expect(resource['sqs_managed_sse_enabled']).toBe(true);
    const working = queues.filter(({ address }) => !address.endsWith('_dead_letters'));
    for (const { resource } of working) expect(resource['redrive_policy']).toContain('deadLetterTargetArn');
    expect(ofType('aws_sqs_queue_policy')).toHaveLength(working.length);
    for (const { resource } of ofType('aws_sqs_queue_policy')) {
      expect(resource['policy']).toContain('"aws:SecureTransport":"false"');
    }
  });

  test('every function has a role, a log group and a copy of its code beside the stack', () => {
    const functions = ofType('aws_lambda_function');
    expect(functions.length > 0).toBe(isReplicated);
    const roles = functions.map(({ stack, resource }) => `${stack} ${String(resource['role'])}`);
    expect(new Set(roles).size).toBe(functions.length);
    for (const { resource } of functions) {
      expect(resource['logging_config']).toMatchObject({ log_group: expect.stringContaining('_logs.name') });
      expect(resource['filename']).toMatch(/^\$\{path\.module\}\/functions\/[a-z]+\.zip$/);
      expect(resource['source_code_hash']).toContain('filebase64sha256');
    }
  });

  test('images, topics and state are encrypted', () => {
    for (const { resource } of ofType('aws_ecr_repository'))
      expect(resource['encryption_configuration']).toBeDefined();
    for (const { resource } of ofType('aws_sns_topic')) expect(resource['kms_master_key_id']).toBeDefined();
    for (const { address, resource } of ofType('aws_kms_key')) {
      // AWS renews no key that signs: what it signed is verified by it for as long as it runs.
      const signs = resource['key_usage'] === 'SIGN_VERIFY';
      expect(resource['enable_key_rotation'] ?? false, address).toBe(!signs);
    }
    for (const { name, document } of stacks.filter(({ name }) => !name.startsWith('bootstrap-'))) {
      expect(document.terraform['backend'], name).toMatchObject({
        s3: { encrypt: true, use_lockfile: true },
      });
    }
  });

  test('data is encrypted, with a key of its own where it lies in disks, and out of the internet’s reach', () => {
    for (const { address, resource } of ['aws_db_instance', 'aws_rds_cluster'].flatMap(ofType)) {
      expect(resource, address).toMatchObject({
        storage_encrypted: true,
        kms_key_id: expect.stringContaining('aws_kms_key.'),
        deletion_protection: true,
      });
      expect(resource['backup_retention_period'], address).toBeGreaterThan(0);
    }
    for (const { address, resource } of ['aws_db_instance', 'aws_rds_cluster_instance'].flatMap(ofType)) {
      expect(resource['publicly_accessible'], address).toBe(false);
    }
    for (const type of ['aws_db_parameter_group', 'aws_rds_cluster_parameter_group']) {
      for (const { address, resource } of ofType(type)) {
        expect(JSON.stringify(resource['parameter']), address).toMatch(/force_ssl|require_secure_transport/);
      }
    }
    // DynamoDB encrypts all tables.
    for (const { resource } of lastingOf(ofType('aws_dynamodb_table'))) {
      expect(resource).toMatchObject({
        point_in_time_recovery: { enabled: true },
        deletion_protection_enabled: true,
      });
    }
  });

  test('no secret is written down: values are ephemeral, and only write-only arguments take them', () => {
    const written = all.flatMap(({ address, resource }) =>
      WRITTEN_DOWN.filter(argument => argument in resource).map(argument => `${address}: ${argument}`),
    );
    expect(written).toEqual([]);
    expect(all.filter(({ type }) => type.startsWith('random_'))).toEqual([]);
    const leaks = all.flatMap(({ address, resource }) =>
      Object.entries(resource)
        .filter(
          ([argument, value]) => JSON.stringify(value).includes('${ephemeral.') && !argument.endsWith('_wo'),
        )
        .map(([argument]) => `${address}: ${argument}`),
    );
    expect(leaks).toEqual([]);
    for (const { name, document } of stacks) {
      expect(JSON.stringify(document['output'] ?? {}), name).not.toContain('ephemeral.');
      if ('ephemeral' in document) expect(document.terraform['required_version'], name).toBe('>= 1.11.0');
    }
  });

  test('without a way outside, tasks start from images of their region, and reach what they call', () => {
    if (config.network.nat !== 'none') return;
    const images = ofType('aws_ecs_task_definition').flatMap(({ resource }) =>
      (JSON.parse(String(resource['container_definitions'])) as { image: string }[]).map(
        ({ image }) => image,
      ),
    );
    expect(images.length).toBeGreaterThan(0);
    for (const image of images) expect(image).toMatch(/\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com\//);
    const tagsIn = (inputs: readonly string[]) =>
      inputs.flatMap(text => [...text.matchAll(/in-use-[\w.-]+/g)].map(String));
    const supplied = ofType('aws_lambda_invocation').map(({ resource }) => String(resource['input']));
    expect(supplied).toHaveLength(config.regions.length);
    expect(new Set(tagsIn(supplied))).toEqual(new Set(tagsIn(images)));

    const endpoints = ofType('aws_vpc_endpoint').map(({ resource }) =>
      String(resource['service_name']).replace(/^com\.amazonaws\.[a-z0-9-]+\./, ''),
    );
    expect(new Set(endpoints)).toEqual(
      new Set(['s3', 'dynamodb', 'ecr.api', 'ecr.dkr', 'logs', 'secretsmanager', 'xray', 'sqs']),
    );
  });

  test('tasks get secrets by reference, and may read those and no others', () => {
    for (const { stack, resource } of ofType('aws_ecs_task_definition')) {
      const containers = JSON.parse(String(resource['container_definitions'])) as {
        secrets?: { name: string; valueFrom: string }[];
      }[];
      const referred = containers.flatMap(({ secrets = [] }) => secrets.map(({ valueFrom }) => valueFrom));
      const readable = ofType('aws_iam_role_policy')
        .filter(policy => policy.stack === stack && policy.address.includes('execution'))
        .flatMap(policy => statementsOf(policy.resource['policy']))
        .filter(({ Action }) => Action === 'secretsmanager:GetSecretValue')
        .flatMap(({ Resource }) => [Resource].flat());
      expect(readable.length).toBe(referred.length);
      for (const valueFrom of referred) {
        expect(readable.some(arn => arn && valueFrom.startsWith(arn.slice(0, -'-??????'.length)))).toBe(true);
      }
    }
  });

  test('each stack keeps its state in its own region', () => {
    const places = stacks
      .filter(({ name }) => !name.startsWith('bootstrap-'))
      .map(({ region, document }) => {
        const { s3 } = document.terraform['backend'] as {
          s3: { bucket: string; key: string; region: string };
        };
        expect(s3.region).toBe(region);
        return `${s3.bucket}/${s3.key}`;
      });
    expect(new Set(places).size).toBe(places.length);
  });

  test('no task has a public address, and only the load balancer reaches it', () => {
    for (const { stack, resource } of ofType('aws_ecs_service')) {
      const network = resource['network_configuration'] as {
        assign_public_ip: boolean;
        security_groups: string[];
        subnets: string[];
      };
      expect(network.assign_public_ip).toBe(false);
      expect(network.subnets.every(subnet => subnet.includes('private'))).toBe(true);
      const [group] = network.security_groups;
      const into = all.filter(
        other =>
          other.stack === stack &&
          other.type === 'aws_vpc_security_group_ingress_rule' &&
          other.resource['security_group_id'] === group,
      );
      expect(into).toHaveLength(1);
      expect(into[0]!.resource['referenced_security_group_id']).toMatch(/load_balancer/);
      expect(into[0]!.resource['cidr_ipv4']).toBeUndefined();
    }
    for (const { resource } of ofType('aws_subnet')) expect(resource['map_public_ip_on_launch']).toBe(false);
  });

  test('from the internet only HTTP and HTTPS come in, and only to load balancers', () => {
    const open = ofType('aws_vpc_security_group_ingress_rule').filter(
      ({ resource }) => resource['cidr_ipv4'] === '0.0.0.0/0',
    );
    for (const { resource } of open) {
      expect([80, 443]).toContain(resource['to_port']);
      expect(resource['from_port']).toBe(resource['to_port']);
      expect(resource['security_group_id']).toMatch(/load_balancer/);
    }
    for (const { resource } of ofType('aws_default_security_group')) {
      expect(resource['ingress']).toBeUndefined();
      expect(resource['egress']).toBeUndefined();
    }
  });

  test('what holds state refuses to be deleted', () => {
    const stateBuckets = ofType('aws_s3_bucket').filter(({ stack }) => stack.startsWith('bootstrap-'));
    for (const { address, resource } of [...lastingOf(STATEFUL.flatMap(ofType)), ...stateBuckets]) {
      expect(resource['lifecycle'], address).toMatchObject({ prevent_destroy: true });
    }
    for (const { stack, address, resource } of ofType('aws_lb')) {
      expect(resource['enable_deletion_protection'], address).toBe(stack.endsWith('-production'));
    }
  });

  test('what the pipeline and the autoscaler own is not drift', () => {
    for (const { resource } of ofType('aws_ecs_service')) {
      expect(resource['lifecycle']).toMatchObject({ ignore_changes: ['task_definition', 'desired_count'] });
    }
  });

  test('everything is tagged, and what belongs to an environment with that environment', () => {
    for (const { name, document } of stacks) {
      const { aws } = document['provider'] as { aws: { default_tags: { tags: Resource }[] }[] };
      const { tags } = aws[0]!.default_tags[0]!;
      expect(Object.keys(tags)).toEqual(TAGS);
      expect(tags['Environment'], name).toBe(/-(dev|staging|production)$/.exec(name)?.[1] ?? 'shared');
    }
  });

  test('every log group forgets', () => {
    for (const { resource } of ofType('aws_cloudwatch_log_group')) {
      expect(resource['retention_in_days']).toBeGreaterThan(0);
    }
  });

  test('every reference leads to something in the same stack', () => {
    const broken = stacks.flatMap(({ name, document }) => {
      const known = new Set(
        (['resource', 'data', 'ephemeral'] as const).flatMap(kind =>
          Object.entries((document[kind] ?? {}) as Record<string, Resource>).flatMap(([type, entries]) =>
            Object.keys(entries).map(entry => `${kind === 'resource' ? '' : `${kind}.`}${type}.${entry}`),
          ),
        ),
      );
      const references = [
        ...JSON.stringify(document).matchAll(/(?<!\$)\$\{[^}]*?((?:data\.|ephemeral\.)?aws_\w+\.\w+)/g),
      ];
      return references
        .map(([, to]) => to!)
        .filter(to => !known.has(to))
        .map(to => `${name}: ${to}`);
    });
    expect(broken).toEqual([]);
  });
});

/** What remediation remembers is of no use the next day. */
function lastingOf(resources: readonly Placed[]): Placed[] {
  return resources.filter(({ address }) => address !== 'aws_dynamodb_table.remediation_memory');
}

interface Placed {
  stack: string;
  type: string;
  address: string;
  resource: Resource;
}

function resourcesOf({ name: stack, document }: SynthesizedStack): Placed[] {
  return Object.entries(document.resource ?? {}).flatMap(([type, entries]) =>
    Object.entries(entries).map(([name, resource]) => ({
      stack,
      type,
      address: `${type}.${name}`,
      resource,
    })),
  );
}

function statementsOf(policy: unknown): Statement[] {
  return (JSON.parse(String(policy)) as { Statement: Statement[] }).Statement;
}
