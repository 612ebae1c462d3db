import { Construct } from 'constructs';
import { environmentConfig } from '../../model/config/environment.ts';
import { PIPELINE_ENVIRONMENTS, type PipelineEnvironment } from '../../model/names.ts';
import { hostName, regionHostName } from './host-names.ts';
import { dashboard } from './modules/dashboard.ts';
import { dns } from './modules/dns.ts';
import { healthCheck } from './modules/health-check.ts';
import { auditTrail } from './modules/audit-trail.ts';
import { budget } from './modules/budget.ts';
import { accountIdOf, type StackInput } from './region-stack.ts';
import type { Stack } from './stack.ts';

/**
 * What spans regions. It knows them by their names only and reads nothing of them, so that it can be changed while any
 * of them is down.
 */
export function defineGlobal(stack: Stack, input: StackInput): void {
  const { config, names } = input;
  dashboard(stack, 'dashboard', {
    name: names.prefix,
    services: config.regions.flatMap(region =>
      [...PIPELINE_ENVIRONMENTS].reverse().map(environment => ({
        title: `${region} ${environment}`,
        region,
        clusterName: names.cluster(environment),
        serviceName: names.service(environment),
        loadBalancerName: names.loadBalancer(environment),
        ...(config.monitoring.collector && { metricsNamespace: names.service(environment) }),
      })),
    ),
  });
  if (config.domain.name !== '') {
    for (const environment of PIPELINE_ENVIRONMENTS) routeTo(stack, input, environment);
  }
  watch(stack, input);
}

/** Over the account, and over what it costs. */
function watch(stack: Stack, { config, names, protect }: StackInput): void {
  const [primary] = config.regions;
  const accountId = accountIdOf(stack, config);
  if (config.compliance.cloudTrail) {
    auditTrail(stack, 'audit', {
      name: names.prefix,
      accountId,
      bucketName: names.bucket('trail', primary!),
      keepDays: config.compliance.keepDays,
      protect,
    });
  }
  if (config.budget.monthlyUsd > 0) {
    budget(stack, 'budget', {
      ...config.budget,
      name: names.prefix,
      tag: { key: 'Application', value: config.application },
      topicArn: `arn:aws:sns:${primary}:${accountId}:${names.topic}`,
    });
  }
}

/** Staging has no checks of its own, which cost: it goes by what its load balancers say of their targets. */
function routeTo(stack: Stack, { config, names }: StackInput, environment: PipelineEnvironment): void {
  const scope = new Construct(stack, environment);
  const { routing, domain, regions } = config;
  const { path } = environmentConfig(config, environment).service.healthCheck;
  const isChecked = environment === 'production' && regions.length > 1;
  dns(scope, 'dns', {
    zoneId: domain.zoneId,
    hostName: hostName(config, environment),
    policy: routing.policy,
    endpoints: regions.map(region => ({
      region,
      hostName: regionHostName(config, environment, region),
      weight: routing.weights[region] ?? DEFAULT_WEIGHT,
      locations: routing.locations[region] ?? [],
      ...(isChecked && {
        healthCheckId: healthCheck(scope, `check-${region}`, {
          name: `${names.service(environment)}-${region}`,
          hostName: regionHostName(config, environment, region),
          path,
          ...routing.healthCheck,
          tags: { Environment: environment },
        }),
      }),
    })),
  });
}

const DEFAULT_WEIGHT = 100;
