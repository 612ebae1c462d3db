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
  {
    type: 'aws_arcregionswitch_plan',
    what: 'all of it',
    reason: 'the provider knows Region switch since 6.15',
    apply: () => undefined,
  },
  {
    type: 'aws_route53_record',
    what: 'the health checks of Region switch',
    reason: 'there is no plan that makes them',
    apply: resource =>
      String(resource['health_check_id']).includes('arcregionswitch')
        ? without('health_check_id')(resource)
        : resource,
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
    type: 'aws_lambda_invocation',
    what: 'all of it',
    reason:
      'moto runs functions in containers, and there is no container engine; test/aws/supply-function.test.ts runs this one',
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
    type: 'aws_cloudwatch_query_definition',
    what: 'all of it',
    reason: 'moto has no PutQueryDefinition',
    onlyForMoto: true,
    apply: () => undefined,
  },
  {
    type: 'aws_accessanalyzer_analyzer',
    what: 'all of it',
    reason: 'moto has no Access Analyzer',
    onlyForMoto: true,
    apply: () => undefined,
  },
  ...['aws_securityhub_account', 'aws_securityhub_standards_subscription'].map(type => ({
    type,
    what: 'all of it',
    reason: 'moto has no UpdateSecurityHubConfiguration, and no standards',
    onlyForMoto: true,
    apply: () => undefined,
  })),
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
];

const PROVIDER_VERSION = '5.100.0';

/** The document for provider 5.100.0, and for moto. Names of what was taken away are added to `removed`. */
export function project(
  document: TerraformDocument,
  { isMoto, removed }: { isMoto: boolean; removed: Set<string> },
): TerraformDocument {
  return {
    ...document,
    terraform: {
      ...document.terraform,
      required_providers: { aws: { source: 'hashicorp/aws', version: PROVIDER_VERSION } },
    },
    ...(document['data'] !== undefined && { data: withoutUnknownData(document['data']) }),
    resource: Object.fromEntries(
      Object.entries(document.resource ?? {}).flatMap(([type, resources]) => {
        const left = Object.entries(resources).flatMap(([name, resource]) => {
          const kept = reduced(type, resource, removed, isMoto);
          return kept === undefined ? [] : [[name, kept] as const];
        });
        // Terraform takes no type without a resource.
        return left.length === 0 ? [] : [[type, Object.fromEntries(left)] as const];
      }),
    ),
  };
}

/** What is asked of services that are taken away. */
function withoutUnknownData(data: unknown): unknown {
  const kept = Object.entries(data as Resource).filter(([type]) => !type.startsWith('aws_arcregionswitch_'));
  return Object.fromEntries(kept);
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

function without(attribute: string): (resource: Resource) => Resource {
  return ({ [attribute]: _removed, ...rest }) => rest;
}
