import { environmentConfig } from '../../model/config/environment.ts';
import type { Config } from '../../model/config/schema.ts';
import { taskCounts } from '../../model/config/standby.ts';
import type { Environment, RegionName } from '../../model/names.ts';
import { deploymentPlan } from './deployment-plan.ts';
import { defineData, type EnvironmentData } from './environment-data.ts';
import type { ServiceAlarm } from '../../model/remediation.ts';
import { hostName, regionHostName } from './host-names.ts';
import { certificate } from './modules/certificate.ts';
import { regionRecord } from './modules/dns.ts';
import { ecsCluster, type EcsClusterOutput } from './modules/ecs-cluster.ts';
import { ecsService, type EcsServiceOutput } from './modules/ecs-service.ts';
import { movesRequests } from './modules/ecs-deployment.ts';
import { eventNotification } from './modules/event-notification.ts';
import { logQueries } from './modules/log-queries.ts';
import { remediation } from './modules/remediation.ts';
import { alarmName, deploymentAlarmNames, serviceAlarms } from './modules/service-alarms.ts';
import { waf } from './modules/waf.ts';
import { lookUpRegion, type RegionLookup } from './region-lookup.ts';
import { accountIdOf, type StackInput } from './region-stack.ts';
import { releaseProject } from './release.ts';
import { output, type Stack } from './stack.ts';
import { supportImages } from './support-images.ts';

/** What the parts of one environment in one region have in common. */
export interface EnvironmentPlace extends StackInput {
  stack: Stack;
  accountId: string;
  environment: Environment;
  shared: RegionLookup;
}

/** One environment in one region: the service, its alarms, and what releases to it. The region's own stack comes first. */
export function defineEnvironment(stack: Stack, input: StackInput & { environment: Environment }): void {
  const { config, names, environment } = input;
  const accountId = accountIdOf(stack, config);
  const shared = lookUpRegion(stack, names, accountId);
  const place: EnvironmentPlace = { ...input, stack, accountId, shared };
  const cluster = ecsCluster(stack, 'cluster', { name: names.cluster(environment) });
  const data = defineData(place);
  const service = defineService(place, cluster, data);
  data.admit(service.tasksSecurityGroupId);
  if (config.domain.name !== '') {
    regionRecord(stack, 'record', {
      zoneId: config.domain.zoneId,
      hostName: recordName(config, environment, stack.region),
      loadBalancer: service.loadBalancer,
    });
  }
  if (config.waf.environments.includes(environment)) {
    waf(stack, 'waf', {
      name: names.service(environment),
      loadBalancerArns: [service.loadBalancer.arn],
      requestsPerClient: config.waf.requestsPerClient,
      managedRuleGroups: config.waf.ruleGroups.map(group => MANAGED_RULE_GROUPS[group]),
      logRetentionDays: config.logs.retentionDays,
    });
  }
  serviceAlarms(stack, 'alarms', {
    name: names.service(environment),
    clusterName: cluster.name,
    loadBalancerDimension: service.loadBalancer.dimension,
    targetGroupDimensions: service.loadBalancer.targetGroups.map(({ dimension }) => dimension),
    thresholds: config.alarms,
    topicArn: shared.topicArn,
  });
  logQueries(stack, 'queries', {
    name: names.service(environment),
    logGroupNames: [service.taskDefinition.logGroupName],
  });
  remedy(place, cluster);
  releaseProject(place, service, ownUrlOf(place, service));
  tellOfFailures(place);
  output(stack, 'url', urlOf(config, environment, service));
}

/** AWS's names of its rule groups (AWS WAF developer guide, AWS Managed Rules rule groups list). */
const MANAGED_RULE_GROUPS: Record<Config['waf']['ruleGroups'][number], string> = {
  common: 'AWSManagedRulesCommonRuleSet',
  'known-bad-inputs': 'AWSManagedRulesKnownBadInputsRuleSet',
  'ip-reputation': 'AWSManagedRulesAmazonIpReputationList',
  'anonymous-ip': 'AWSManagedRulesAnonymousIpList',
  sql: 'AWSManagedRulesSQLiRuleSet',
  linux: 'AWSManagedRulesLinuxRuleSet',
};

/** Nothing, where no alarm sets anything off. */
function remedy(
  { stack, config, names, accountId, environment, shared }: EnvironmentPlace,
  cluster: EcsClusterOutput,
): void {
  const { actions, hookUrl, maximumActions, withinMinutes } = config.remediation;
  const service = names.service(environment);
  const remedies = Object.entries(actions).map(
    ([alarm, action]) => [alarmName(service, alarm as ServiceAlarm), action] as const,
  );
  if (remedies.length === 0) return;
  remediation(stack, 'remediation', {
    name: names.function(`${environment}-remediation`),
    region: stack.region,
    accountId,
    cluster: cluster.name,
    service,
    maximumCount: environmentConfig(config, environment).service.maximumCount,
    remedies: Object.fromEntries(remedies),
    hookUrl,
    limit: { maximumActions, withinMinutes },
    roleName: names.role(`${environment}-remediation`, stack.region),
    ruleName: names.rule(`${environment}-remediation`),
    topic: { arn: shared.topicArn, keyAlias: shared.topicKeyAlias },
    logRetentionDays: config.logs.retentionDays,
  });
}

function defineService(
  { stack, config, names, accountId, protect, environment, shared }: EnvironmentPlace,
  cluster: EcsClusterOutput,
  data: EnvironmentData,
): EcsServiceOutput {
  const { service, deployment } = environmentConfig(config, environment);
  const { scaling, domain, aws, logs } = config;
  const { desiredCount, ...limits } = taskCounts(config, environment, stack.region, service);
  const plan = deploymentPlan(config, environment);
  const { collector, placeholder } = supportImages(config);
  const { uri } = shared.repository;
  return ecsService(stack, 'service', {
    name: names.service(environment),
    region: stack.region,
    accountId,
    cluster,
    vpcId: shared.network.id,
    privateSubnetIds: shared.network.privateSubnetIds,
    loadBalancer: {
      name: names.loadBalancer(environment),
      targetGroupNames: movesRequests(plan.ecs)
        ? [names.targetGroup(environment, 'blue'), names.targetGroup(environment, 'green')]
        : [names.targetGroup(environment, 'blue')],
      ...(logs.accessLogs && { accessLogs: { bucket: shared.accessLogBucket, prefix: environment } }),
      publicSubnetIds: shared.network.publicSubnetIds,
      healthCheck: service.healthCheck,
      deregistrationDelaySeconds: service.deregistrationDelaySeconds,
      ...(domain.name !== '' && {
        https: { certificateArn: certificate(stack, 'domain', { hostName: domain.name }) },
      }),
      deletionProtection: protect && environment === 'production',
    },
    container: {
      name: config.application,
      port: service.port,
      environment: {
        ...data.variables,
        ...service.environment,
        PORT: String(service.port),
        APPLICATION: config.application,
        ENVIRONMENT: environment,
      },
      secrets: data.secrets,
      stopTimeoutSeconds: service.stopTimeoutSeconds,
    },
    taskStatements: data.statements,
    cpu: service.cpu,
    memoryMb: service.memoryMb,
    architecture: aws.architecture,
    spotPercent: aws.spotPercent,
    repositoryArn: shared.repository.arn,
    executionRoleName: names.role(`${environment}-execution`, stack.region),
    taskRoleName: names.role(`${environment}-task`, stack.region),
    logGroupName: names.logGroup(environment),
    logRetentionDays: logs.retentionDays,
    ...(placeholder && { placeholderImage: `${uri}:${placeholder.tag}` }),
    ...(collector && {
      collector: {
        image: `${uri}:${collector.tag}`,
        metricsNamespace: names.service(environment),
        tracePercent: config.monitoring.tracePercent,
      },
    }),
    desiredCount,
    gracePeriodSeconds: service.healthCheck.gracePeriodSeconds,
    minimumHealthyPercent: deployment.minimumHealthyPercent,
    maximumPercent: deployment.maximumPercent,
    deployment: plan.ecs,
    infrastructureRoleName: names.role(`${environment}-shift`, stack.region),
    circuitBreaker: deployment.circuitBreaker,
    deploymentAlarmNames: deploymentAlarmNames(names.service(environment)),
    scaling: { ...scaling, ...limits },
  });
}

/** `dev` is in one region, so its own name leads there; of the others `global` says which region answers. */
function recordName(config: Config, environment: Environment, region: RegionName): string {
  return environment === 'dev' ? hostName(config, environment) : regionHostName(config, environment, region);
}

function urlOf(config: Config, environment: Environment, service: EcsServiceOutput): string {
  return config.domain.name === ''
    ? `http://${service.loadBalancer.dnsName}`
    : `https://${hostName(config, environment)}`;
}

/** Of this region, whichever region answers people. */
function ownUrlOf({ config, environment, stack }: EnvironmentPlace, service: EcsServiceOutput): string {
  return config.domain.name === ''
    ? `http://${service.loadBalancer.dnsName}`
    : `https://${recordName(config, environment, stack.region)}`;
}

function tellOfFailures({ stack, names, accountId, environment, shared }: EnvironmentPlace): void {
  const cluster = names.cluster(environment);
  eventNotification(stack, 'deployment-failed', {
    name: names.rule(`${environment}-deployment-failed`),
    description: `A deployment in the cluster ${cluster} failed`,
    pattern: {
      source: ['aws.ecs'],
      'detail-type': ['ECS Deployment State Change'],
      resources: [{ prefix: `arn:aws:ecs:${stack.region}:${accountId}:service/${cluster}/` }],
      detail: { eventName: ['SERVICE_DEPLOYMENT_FAILED'] },
    },
    topicArn: shared.topicArn,
    paths: { resource: '$.resources[0]', region: '$.region', reason: '$.detail.reason' },
    message: 'A deployment of <resource> in <region> failed: <reason>',
  });
}
