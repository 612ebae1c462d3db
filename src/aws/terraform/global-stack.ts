import { Construct } from 'constructs';
import { environmentConfig } from '../../model/config/environment.ts';
import type { Config } from '../../model/config/schema.ts';
import { PIPELINE_ENVIRONMENTS, type PipelineEnvironment } from '../../model/names.ts';
import { hostName, regionHostName } from './host-names.ts';
import { dashboard } from './modules/dashboard.ts';
import { dns } from './modules/dns.ts';
import { healthCheck } from './modules/health-check.ts';
import type { Names } from './names.ts';
import type { Stack } from './stack.ts';

export interface GlobalStackInput {
  config: Config;
  names: Names;
}

/**
 * What spans regions. It knows them by their names only and reads nothing of them, so that it can be changed while any
 * of them is down.
 */
export function defineGlobal(stack: Stack, { config, names }: GlobalStackInput): void {
  dashboard(stack, 'dashboard', {
    name: names.prefix,
    services: config.regions.flatMap(region =>
      [...PIPELINE_ENVIRONMENTS].reverse().map(environment => ({
        title: `${region} ${environment}`,
        region,
        clusterName: names.cluster(environment),
        serviceName: names.service(environment),
        loadBalancerName: names.loadBalancer(environment),
      })),
    ),
  });
  if (config.domain.name !== '') {
    for (const environment of PIPELINE_ENVIRONMENTS) routeTo(stack, { config, names }, environment);
  }
}

/** Staging has no checks of its own, which cost: it goes by what its load balancers say of their targets. */
function routeTo(stack: Stack, { config, names }: GlobalStackInput, environment: PipelineEnvironment): void {
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
