import { Construct } from 'constructs';
import { environmentConfig } from '../../model/config/environment.ts';
import { PIPELINE_ENVIRONMENTS, type PipelineEnvironment } from '../../model/names.ts';
import { hostName, regionHostName } from './host-names.ts';
import { dashboard } from './modules/dashboard.ts';
import { dns } from './modules/dns.ts';
import { HEALTH_CHECK_REGION, healthCheck, healthCheckAlarm } from './modules/health-check.ts';
import { notifications } from './modules/notifications.ts';
import { regionSwitch } from './modules/region-switch.ts';
import { impairedAlarmName } from './modules/service-alarms.ts';
import { auditTrail } from './modules/audit-trail.ts';
import { budget } from './modules/budget.ts';
import { accountIdOf, type Region, type StackInput } from './region-stack.ts';
import type { Stack } from './stack.ts';

/**
 * What spans regions. It knows them by their names only and reads nothing of them, so that it can be changed while any
 * of them is down.
 */
export function defineGlobal(stack: Stack, input: StackInput): void {
  const { config, names } = input;
  const place = { ...input, stack, accountId: accountIdOf(stack, config) };
  dashboard(stack, 'dashboard', {
    name: names.prefix,
    alarmArns: config.regions.flatMap(region =>
      PIPELINE_ENVIRONMENTS.map(
        environment =>
          `arn:aws:cloudwatch:${region}:${place.accountId}:alarm:${impairedAlarmName(names.service(environment))}`,
      ),
    ),
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
    const probes = productionProbes(place);
    const deciding = config.routing.regionSwitch.enabled ? planOfSwitch(place) : probes;
    for (const environment of PIPELINE_ENVIRONMENTS) {
      routeTo(place, environment, environment === 'production' ? deciding : new Map());
    }
  }
  watch(place);
}

/** Over the account, and over what it costs. */
function watch({ stack, config, names, protect, accountId }: Region): void {
  const [primary] = config.regions;
  if (config.compliance.cloudTrail) {
    auditTrail(stack, 'audit', {
      name: names.trail,
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

/**
 * Checks of production from all over the world, by region: they steer its records, and tell people. Staging has none,
 * for they cost: it goes by what its load balancers say of their targets.
 */
function productionProbes({ stack, config, names, accountId }: Region): ReadonlyMap<string, string> {
  const scope = new Construct(stack, 'probes');
  const { path } = environmentConfig(config, 'production').service.healthCheck;
  const topicArn = config.regions.includes(HEALTH_CHECK_REGION)
    ? `arn:aws:sns:${HEALTH_CHECK_REGION}:${accountId}:${names.topic}`
    : notifications(scope, 'notifications', {
        name: names.prefix,
        topicName: names.topic,
        topicKeyAlias: names.topicKey,
        accountId,
        emails: config.notifications.emails,
        region: HEALTH_CHECK_REGION,
      }).topicArn;
  return new Map(
    config.regions.map(region => {
      const name = regionHostName(config, 'production', region);
      const healthCheckId = healthCheck(scope, `check-${region}`, {
        name,
        hostName: name,
        path,
        ...config.routing.healthCheck,
        tags: { Environment: 'production' },
      });
      healthCheckAlarm(scope, `alarm-${region}`, { name, healthCheckId, topicArn });
      return [region, healthCheckId];
    }),
  );
}

/** A plan turns the checks of production's records then; the probes tell people, and set the plan off. */
function planOfSwitch({ stack, config, names, accountId }: Region): ReadonlyMap<string, string> {
  const { automatic, minutesBetween, recoveryTimeMinutes } = config.routing.regionSwitch;
  const [primary, standby] = config.regions.map(region => ({
    region,
    cluster: names.cluster('production'),
    service: names.service('production'),
    alarmArn: `arn:aws:cloudwatch:${HEALTH_CHECK_REGION}:${accountId}:alarm:${regionHostName(config, 'production', region)}`,
  }));
  return regionSwitch(stack, 'region-switch', {
    name: names.regionSwitch,
    accountId,
    roleName: names.role('region-switch', stack.region),
    places: [primary!, standby!],
    zoneId: config.domain.zoneId,
    hostName: hostName(config, 'production'),
    recoveryTimeMinutes,
    ...(automatic && { automatic: { minutesBetween } }),
  });
}

function routeTo(
  { stack, config }: Region,
  environment: PipelineEnvironment,
  healthCheckIds: ReadonlyMap<string, string>,
): void {
  const { routing, domain, regions } = config;
  dns(new Construct(stack, environment), 'dns', {
    zoneId: domain.zoneId,
    hostName: hostName(config, environment),
    policy: routing.policy,
    endpoints: regions.map(region => {
      const healthCheckId = healthCheckIds.get(region);
      return {
        region,
        hostName: regionHostName(config, environment, region),
        weight: routing.weights[region] ?? DEFAULT_WEIGHT,
        locations: routing.locations[region] ?? [],
        ...(healthCheckId !== undefined && { healthCheckId }),
      };
    }),
  });
}

const DEFAULT_WEIGHT = 100;
