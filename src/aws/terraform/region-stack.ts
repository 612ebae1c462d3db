import { DataAwsCallerIdentity } from '@cdktn/provider-aws/lib/data-aws-caller-identity/index.js';
import { TerraformOutput } from 'cdktn';
import { environmentConfig } from '../../model/config/environment.ts';
import type { Config } from '../../model/config/schema.ts';
import { PIPELINE_ENVIRONMENTS, type PipelineEnvironment } from '../../model/names.ts';
import { hostName, regionHostName } from './host-names.ts';
import { certificate } from './modules/certificate.ts';
import { codecommit } from './modules/codecommit.ts';
import { dashboard } from './modules/dashboard.ts';
import { regionRecord } from './modules/dns.ts';
import { ecr } from './modules/ecr.ts';
import { ecsCluster } from './modules/ecs-cluster.ts';
import { ecsService, type EcsServiceOutput } from './modules/ecs-service.ts';
import { eventNotification } from './modules/event-notification.ts';
import { notifications } from './modules/notifications.ts';
import { deploymentAlarmNames, serviceAlarms } from './modules/service-alarms.ts';
import { vpc } from './modules/vpc.ts';
import { Construct } from 'constructs';
import { deliverFrom } from './delivery.ts';
import type { Names } from './names.ts';
import { tagAll, type Stack } from './stack.ts';

export interface RegionStackInput {
  config: Config;
  names: Names;
  /** Whether AWS and Terraform refuse to delete what holds state, and production's load balancer. */
  protect: boolean;
}

/** What the modules of one region have in common. */
export interface Region extends RegionStackInput {
  stack: Stack;
  accountId: string;
}

/** Everything of one region. It refers to no other region, so that it can be made, changed and deleted by itself. */
export function defineRegion(stack: Stack, input: RegionStackInput): void {
  const { config, names } = input;
  const accountId =
    config.aws.accountId === ''
      ? new DataAwsCallerIdentity(stack, 'account', {}).accountId
      : config.aws.accountId;
  const region: Region = { ...input, stack, accountId };

  const network = vpc(stack, 'network', {
    name: names.prefix,
    region: stack.region,
    accountId,
    block: config.network.firstBlock + config.regions.indexOf(stack.region as Config['regions'][number]),
    nat: config.network.nat,
    flowLogs: config.network.flowLogs,
    flowLogRoleName: names.role('flow-log', stack.region),
    logRetentionDays: config.logs.retentionDays,
  });
  const images = ecr(stack, 'images', {
    name: names.prefix,
    accountId,
    keepImages: config.registry.keepImages,
    replicateTo: config.regions.filter(other => other !== stack.region),
    protect: input.protect,
  });
  const people = notifications(stack, 'notifications', {
    name: names.prefix,
    accountId,
    emails: config.notifications.emails,
  });
  const cluster = ecsCluster(stack, 'cluster', { name: names.prefix });
  const https = config.domain.name !== '' && {
    https: { certificateArn: certificate(stack, 'domain', { hostName: config.domain.name }) },
  };
  const environments = PIPELINE_ENVIRONMENTS.map(environment => {
    const scope = new Construct(stack, environment);
    const service = defineService(scope, region, {
      environment,
      cluster,
      network,
      repositoryArn: images.arn,
      ...https,
    });
    if (https) {
      regionRecord(scope, 'record', {
        zoneId: config.domain.zoneId,
        hostName: regionHostName(config, environment, stack.region),
        loadBalancer: service.loadBalancer,
      });
    }
    serviceAlarms(scope, 'alarms', {
      name: names.service(environment),
      clusterName: cluster.name,
      loadBalancerDimension: service.loadBalancer.dimension,
      targetGroupDimension: service.loadBalancer.targetGroupDimension,
      thresholds: config.alarms,
      topicArn: people.topicArn,
    });
    tagAll(scope, { Environment: environment });
    output(stack, `${environment}-url`, urlOf(config, environment, service));
    return { environment, service };
  });
  dashboard(stack, 'dashboard', {
    name: `${names.prefix}-${stack.region}`,
    services: PIPELINE_ENVIRONMENTS.map(environment => ({
      title: environment,
      region: stack.region,
      clusterName: names.prefix,
      serviceName: names.service(environment),
      loadBalancerName: names.loadBalancer(environment),
    })),
  });
  const repository = codecommit(stack, 'repository', {
    name: names.prefix,
    description: `${config.application} of ${config.customer}`,
    protect: input.protect,
  });
  const pipeline = deliverFrom(region, { repository, images, people, cluster, environments });
  tellOfFailures(region, pipeline.name, people.topicArn);
  output(stack, 'repository-url', repository.cloneUrl);
  output(stack, 'image-repository', images.uri);
  output(stack, 'pipeline', pipeline.name);
}

interface ServiceSurroundings {
  environment: PipelineEnvironment;
  cluster: { name: string; arn: string };
  network: { id: string; privateSubnetIds: string[]; publicSubnetIds: string[] };
  repositoryArn: string;
  https?: { certificateArn: string };
}

function defineService(
  scope: Construct,
  { config, names, stack, accountId, protect }: Region,
  { environment, cluster, network, repositoryArn, https }: ServiceSurroundings,
): EcsServiceOutput {
  const { service, deployment } = environmentConfig(config, environment);
  const { scaling, aws, logs } = config;
  return ecsService(scope, 'service', {
    name: names.service(environment),
    region: stack.region,
    accountId,
    cluster,
    vpcId: network.id,
    privateSubnetIds: network.privateSubnetIds,
    loadBalancer: {
      name: names.loadBalancer(environment),
      targetGroupName: names.targetGroup(environment),
      publicSubnetIds: network.publicSubnetIds,
      healthCheck: service.healthCheck,
      deregistrationDelaySeconds: service.deregistrationDelaySeconds,
      ...(https && { https }),
      deletionProtection: protect && environment === 'production',
    },
    container: {
      name: config.application,
      port: service.port,
      environment: {
        ...service.environment,
        PORT: String(service.port),
        APPLICATION: config.application,
        ENVIRONMENT: environment,
      },
      stopTimeoutSeconds: service.stopTimeoutSeconds,
    },
    cpu: service.cpu,
    memoryMb: service.memoryMb,
    architecture: aws.architecture,
    spotPercent: aws.spotPercent,
    repositoryArn,
    executionRoleName: names.role(`${environment}-execution`, stack.region),
    taskRoleName: names.role(`${environment}-task`, stack.region),
    logGroupName: names.logGroup(environment),
    logRetentionDays: logs.retentionDays,
    desiredCount: service.desiredCount,
    gracePeriodSeconds: service.healthCheck.gracePeriodSeconds,
    minimumHealthyPercent: deployment.minimumHealthyPercent,
    maximumPercent: deployment.maximumPercent,
    circuitBreaker: deployment.circuitBreaker,
    deploymentAlarmNames: deploymentAlarmNames(names.service(environment)),
    scaling: { ...scaling, minimumCount: service.minimumCount, maximumCount: service.maximumCount },
  });
}

function urlOf(config: Config, environment: PipelineEnvironment, service: EcsServiceOutput): string {
  return config.domain.name === ''
    ? `http://${service.loadBalancer.dnsName}`
    : `https://${hostName(config, environment)}`;
}

function tellOfFailures({ stack, names, accountId }: Region, pipelineName: string, topicArn: string): void {
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
  eventNotification(stack, 'deployment-failed', {
    name: names.rule('deployment-failed'),
    description: `A deployment in the cluster ${names.prefix} failed`,
    pattern: {
      source: ['aws.ecs'],
      'detail-type': ['ECS Deployment State Change'],
      resources: [{ prefix: `arn:aws:ecs:${stack.region}:${accountId}:service/${names.prefix}/` }],
      detail: { eventName: ['SERVICE_DEPLOYMENT_FAILED'] },
    },
    topicArn,
    paths: { resource: '$.resources[0]', region: '$.region', reason: '$.detail.reason' },
    message: 'A deployment of <resource> in <region> failed: <reason>',
  });
}

function output(stack: Stack, name: string, value: string): void {
  new TerraformOutput(stack, `output-${name}`, { value }).overrideLogicalId(name.replaceAll('-', '_'));
}
