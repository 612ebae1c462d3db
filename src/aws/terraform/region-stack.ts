import { DataAwsCallerIdentity } from '@cdktn/provider-aws/lib/data-aws-caller-identity/index.js';
import type { Config } from '../../model/config/schema.ts';
import { PIPELINE_ENVIRONMENTS } from '../../model/names.ts';
import { deliverFrom } from './delivery.ts';
import { relational } from './environment-data.ts';
import { compliance } from './modules/compliance.ts';
import { dashboard } from './modules/dashboard.ts';
import { driftCheck } from './modules/drift-check.ts';
import { ecr } from './modules/ecr.ts';
import { eventNotification } from './modules/event-notification.ts';
import { accessLogStatement } from './modules/load-balancer.ts';
import { imageSupply } from './modules/image-supply.ts';
import { notifications, type NotificationsOutput } from './modules/notifications.ts';
import { privateBucket } from './modules/private-bucket.ts';
import { replication } from './modules/replication.ts';
import { vpc } from './modules/vpc.ts';
import type { Names } from './names.ts';
import { commitSource } from './source.ts';
import { output, type Stack } from './stack.ts';
import { supportImages } from './support-images.ts';

export interface StackInput {
  config: Config;
  names: Names;
  /** Whether AWS and Terraform refuse to delete what holds state, and production's load balancer. */
  protect: boolean;
}

/** What the parts of a region have in common. */
export interface Region extends StackInput {
  stack: Stack;
  accountId: string;
}

/** What may be lost with a region: commits of less than five minutes. */
const LAG_ALARM_SECONDS = 300;

/** The configured account, or whichever the credentials belong to. */
export function accountIdOf(stack: Stack, { aws }: Config): string {
  if (aws.accountId !== '') return aws.accountId;
  const asked = stack.node.tryFindChild('account') as DataAwsCallerIdentity | undefined;
  return (asked ?? new DataAwsCallerIdentity(stack, 'account', {})).accountId;
}

/**
 * What the environments of one region share: network, repositories, pipeline, and whom to tell. It refers to no other
 * region, so that it can be made, changed and deleted by itself. `states`: of the stacks whose states lie in a bucket of
 * this region.
 */
export function defineRegion(stack: Stack, input: StackInput, states: readonly string[]): void {
  const { config, names } = input;
  const accountId = accountIdOf(stack, config);
  const region: Region = { ...input, stack, accountId };
  const peers = config.regions.filter(other => other !== stack.region);

  vpc(stack, 'network', {
    name: names.prefix,
    region: stack.region,
    accountId,
    block: config.network.firstBlock + config.regions.indexOf(stack.region as Config['regions'][number]),
    nat: config.network.nat,
    endpointServices: endpointServices(config),
    flowLogs: config.network.flowLogs,
    flowLogRoleName: names.role('flow-log', stack.region),
    logRetentionDays: config.logs.retentionDays,
  });
  const images = ecr(stack, 'images', {
    name: names.prefix,
    accountId,
    keepImages: config.registry.keepImages,
    replicateTo: config.registry.replication === 'managed' ? peers : [],
    replicateAlso: config.registry.replicateAlso,
    protect: input.protect,
  });
  // Beside the images, whose expiry must not count them: a signature is kept for as long as its image may be.
  const signatures = config.registry.sign
    ? ecr(stack, 'signatures', {
        name: names.signatures,
        accountId,
        keepImages: 'all',
        replicateTo: [],
        replicateAlso: [],
        protect: input.protect,
      })
    : undefined;
  const support = Object.values(supportImages(config));
  if (support.length > 0) {
    imageSupply(stack, 'supply', {
      name: names.function('supply'),
      accountId,
      roleName: names.role('supply', stack.region),
      repository: images,
      architecture: config.aws.architecture,
      images: support,
      logRetentionDays: config.logs.retentionDays,
    });
  }
  const people = notifications(stack, 'notifications', {
    name: names.prefix,
    topicName: names.topic,
    topicKeyAlias: names.topicKey,
    accountId,
    emails: config.notifications.emails,
    ...(config.budget.monthlyUsd > 0 && { alsoFrom: ['budgets.amazonaws.com'] }),
  });
  watchAccount(region);
  if (config.logs.accessLogs) {
    privateBucket(stack, 'access-logs', {
      name: names.bucket('access-logs', stack.region),
      expireAfterDays: config.logs.retentionDays,
      keepVersionsDays: 1,
      protect: false,
      allow: bucketArn => [accessLogStatement(bucketArn, accountId)],
    });
  }
  dashboard(stack, 'dashboard', {
    name: `${names.prefix}-${stack.region}`,
    services: PIPELINE_ENVIRONMENTS.map(environment => ({
      title: environment,
      region: stack.region,
      clusterName: names.cluster(environment),
      serviceName: names.service(environment),
      loadBalancerName: names.loadBalancer(environment),
      ...(config.monitoring.collector && { metricsNamespace: names.service(environment) }),
    })),
  });
  const source = commitSource(region);
  if (source.repository && peers.length > 0) {
    replication(stack, 'replication', {
      name: names.function('replication'),
      region: stack.region,
      accountId,
      peers,
      repository: source.repository,
      roleName: names.role('replication', stack.region),
      ruleName: (peer, reason) => names.rule(`replicate-${reason}-${peer}`),
      topic: { arn: people.topicArn, keyArn: people.keyArn },
      lagAlarmSeconds: LAG_ALARM_SECONDS,
      logRetentionDays: config.logs.retentionDays,
      protect: input.protect,
    });
  }
  const pipeline = deliverFrom(region, { source, images, signatures, people });
  tellOfFailures(region, pipeline.name, people.topicArn);
  watchForDrift(region, people, states);
  output(stack, 'image-repository', images.uri);
  output(stack, 'pipeline', pipeline.name);
}

/**
 * What tasks and Fargate itself call, where the network has no way outside: the registry (whose layers come from S3, by the
 * gateway), logs, and what the configuration makes them call. Builds, functions and pipelines run outside the network.
 */
function endpointServices({ network, secrets, database, monitoring }: Config): string[] {
  const hasSecrets = Object.keys(secrets).length > 0 || !['none', 'dynamodb'].includes(database.engine);
  const needed =
    network.nat === 'none'
      ? [
          'ecr.api',
          'ecr.dkr',
          'logs',
          ...(hasSecrets ? ['secretsmanager'] : []),
          ...(monitoring.collector ? ['xray'] : []),
        ]
      : [];
  return [...new Set([...needed, ...network.endpoints])];
}

function watchAccount({ stack, config, names, accountId, protect }: Region): void {
  const { config: isRecorded, keepDays, guardDuty, securityHub, accessAnalyzer } = config.compliance;
  compliance(stack, 'compliance', {
    name: names.prefix,
    region: stack.region,
    accountId,
    guardDuty,
    securityHub,
    accessAnalyzer,
    ...(isRecorded && {
      config: {
        bucketName: names.bucket('config', stack.region),
        roleName: names.role('config', stack.region),
        keepDays,
        includesGlobalResources: stack.region === config.regions[0],
        protect,
      },
    }),
  });
}

function watchForDrift(
  { stack, config, names, accountId }: Region,
  { topicArn, keyArn }: NotificationsOutput,
  states: readonly string[],
): void {
  const { check, reapplyRoleArn } = config.drift;
  if (check === 'never' || states.length === 0) return;
  driftCheck(stack, 'drift', {
    name: names.driftProject,
    accountId,
    every: check,
    stacks: states,
    stateBucket: names.bucket('state', stack.region),
    secretArns:
      states.includes('foundation') || relational(config)
        ? [`arn:aws:secretsmanager:${stack.region}:${accountId}:secret:${names.prefix}/*`]
        : [],
    topic: { arn: topicArn, keyArn },
    ...(reapplyRoleArn !== '' && { reapplyRoleArn }),
    roleName: names.role('drift', stack.region),
    startRoleName: names.role('drift-start', stack.region),
    logRetentionDays: config.logs.retentionDays,
  });
}

function tellOfFailures({ stack, names }: Region, pipelineName: string, topicArn: string): void {
  eventNotification(stack, 'pipeline-failed', {
    name: names.rule('pipeline-failed'),
    description: `An action of the pipeline ${names.prefix} failed`,
    pattern: {
      source: ['aws.codepipeline'],
      'detail-type': ['CodePipeline Action Execution State Change'],
      detail: { pipeline: [pipelineName], state: ['FAILED'] },
    },
    topicArn,
    paths: {
      pipeline: '$.detail.pipeline',
      stage: '$.detail.stage',
      region: '$.region',
      execution: '$.detail.execution-id',
    },
    message: 'Pipeline <pipeline> in <region>: stage <stage> failed in execution <execution>.',
  });
}
