import type { TerraformDocument } from '../../src/aws/terraform/stack.ts';

/*
 * What is generated is for provider 6.66 and AWS; the suite has provider 5.100.0 and moto. This takes away what they
 * do not know, each with its reason. The list only ever gets shorter.
 */

type Resource = Record<string, unknown>;

interface Removal {
  /** The Terraform resource type. */
  type: string;
  what: string;
  reason: string;
  /** Only where moto plays AWS: the provider knows it. */
  onlyForMoto?: boolean;
  /** Without a result, the resource is left out. */
  apply(resource: Resource): Resource | undefined;
}

/** What a stack makes in another region than its own. */
const ELSEWHERE = [
  'aws_cloudwatch_metric_alarm',
  'aws_kms_alias',
  'aws_kms_key',
  'aws_kms_replica_key',
  'aws_sns_topic',
  'aws_sns_topic_policy',
  'aws_sns_topic_subscription',
];

export const REMOVALS: readonly Removal[] = [
  ...ELSEWHERE.map(type => ({
    type,
    what: 'region',
    reason: 'resources name their region since provider 6.0',
    apply: without('region'),
  })),
  {
    type: 'aws_lambda_function',
    what: 'the runtime nodejs24.x',
    reason: 'provider 5.100.0 knows runtimes up to nodejs22.x',
    apply: resource => ({ ...resource, runtime: 'nodejs22.x' }),
  },
  {
    type: 'aws_ecr_repository',
    what: 'the tags that may move',
    reason: 'image_tag_mutability_exclusion_filter came with provider 6.8',
    apply: ({ image_tag_mutability_exclusion_filter: _filter, ...rest }) => ({
      ...rest,
      image_tag_mutability: 'IMMUTABLE',
    }),
  },
  {
    type: 'aws_ecr_repository_creation_template',
    what: 'the tags that may move',
    reason: 'image_tag_mutability_exclusion_filter came with provider 6.8',
    apply: ({ image_tag_mutability_exclusion_filter: _filter, ...rest }) => ({
      ...rest,
      image_tag_mutability: 'IMMUTABLE',
    }),
  },
  {
    type: 'aws_ecs_service',
    what: 'deployment_configuration and the second target group',
    reason: 'they came with provider 6.4',
    apply: ({ deployment_configuration: _configuration, ...rest }) => ({
      ...rest,
      load_balancer: (rest['load_balancer'] as Resource[]).map(without('advanced_configuration')),
    }),
  },
  ...['aws_vpc_security_group_ingress_rule', 'aws_vpc_security_group_egress_rule'].map(type => ({
    type,
    what: 'the description of a rule that names another group',
    reason: 'moto keeps descriptions of rules with addresses only',
    onlyForMoto: true,
    apply: (resource: Resource) =>
      'referenced_security_group_id' in resource ? without('description')(resource) : resource,
  })),
  {
    type: 'aws_ecr_repository_creation_template',
    what: 'all of it',
    reason: 'moto has no creation templates',
    onlyForMoto: true,
    apply: () => undefined,
  },
  {
    type: 'aws_cloudwatch_composite_alarm',
    what: 'all of it',
    reason: 'moto has no PutCompositeAlarm',
    onlyForMoto: true,
    apply: () => undefined,
  },
  {
    type: 'aws_kms_replica_key',
    what: 'all of it',
    reason: 'without a region of its own it would be in that of the key, which no key can have two of',
    onlyForMoto: true,
    apply: () => undefined,
  },
  {
    type: 'aws_kms_alias',
    what: 'the name of a replica',
    reason: 'there is no replica',
    onlyForMoto: true,
    apply: resource =>
      String(resource['target_key_id']).includes('aws_kms_replica_key') ? undefined : resource,
  },
  {
    type: 'aws_s3_bucket_policy',
    what: 'the refusal of plain HTTP',
    reason: 'moto reads no conditions in the policy of a bucket, and would refuse everything',
    onlyForMoto: true,
    apply: resource => ({
      ...resource,
      policy: String(resource['policy']).replace('"Action":"s3:*"', '"Action":"s3:PutBucketAcl"'),
    }),
  },
];

const PROVIDER_VERSION = '5.100.0';

/** Every service that a stack may call, as the provider's `endpoints` block names them. */
const SERVICES = [
  'acm',
  'applicationautoscaling',
  'cloudwatch',
  'codebuild',
  'codecommit',
  'codepipeline',
  'dynamodb',
  'ec2',
  'ecr',
  'ecs',
  'elbv2',
  'events',
  'iam',
  'kms',
  'lambda',
  'logs',
  'route53',
  's3',
  'sns',
  'sqs',
  'sts',
];

/** The document for provider 5.100.0; with an endpoint, for moto. Names of what was taken away are added to `removed`. */
export function project(
  document: TerraformDocument,
  { endpoint, removed }: { endpoint?: string; removed: Set<string> },
): TerraformDocument {
  const provider = (document['provider'] as { aws: Resource[] }).aws[0]!;
  return {
    ...document,
    terraform: {
      ...document.terraform,
      required_providers: { aws: { source: 'hashicorp/aws', version: PROVIDER_VERSION } },
      ...(endpoint !== undefined && { backend: emulatedBackend(document.terraform['backend'], endpoint) }),
    },
    provider: { aws: [{ ...provider, ...(endpoint !== undefined && emulated(endpoint)) }] },
    resource: Object.fromEntries(
      Object.entries(document.resource ?? {}).flatMap(([type, resources]) => {
        const left = Object.entries(resources).flatMap(([name, resource]) => {
          const kept = reduced(type, resource, removed, endpoint !== undefined);
          return kept === undefined ? [] : [[name, kept] as const];
        });
        // Terraform takes no type without a resource.
        return left.length === 0 ? [] : [[type, Object.fromEntries(left)] as const];
      }),
    ),
  };
}

function reduced(
  type: string,
  resource: Resource,
  removed: Set<string>,
  isMoto: boolean,
): Resource | undefined {
  const removals = REMOVALS.filter(removal => removal.type === type && (isMoto || !removal.onlyForMoto));
  return removals.reduce<Resource | undefined>((before, { what, apply }) => {
    const after = before && apply(before);
    if (JSON.stringify(after) !== JSON.stringify(before)) removed.add(`${type}: ${what}`);
    return after;
  }, resource);
}

function emulated(endpoint: string): Resource {
  return {
    access_key: 'emulated',
    secret_key: 'emulated',
    skip_credentials_validation: true,
    skip_metadata_api_check: true,
    s3_use_path_style: true,
    endpoints: [Object.fromEntries(SERVICES.map(service => [service, endpoint]))],
  };
}

/** State in S3 lies in moto as well, lock and all. */
function emulatedBackend(backend: unknown, endpoint: string): unknown {
  const { s3 } = backend as { s3?: Resource };
  if (s3 === undefined) return backend;
  return {
    s3: {
      ...s3,
      access_key: 'emulated',
      secret_key: 'emulated',
      skip_credentials_validation: true,
      skip_metadata_api_check: true,
      skip_requesting_account_id: true,
      use_path_style: true,
      endpoints: { s3: endpoint },
    },
  };
}

function without(attribute: string): (resource: Resource) => Resource {
  return ({ [attribute]: _removed, ...rest }) => rest;
}
