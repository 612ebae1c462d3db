import type { Environment } from '../names.ts';
import type { Config, DeploymentConfig, ServiceConfig } from './schema.ts';

export interface EnvironmentConfig {
  service: ServiceConfig;
  deployment: DeploymentConfig;
}

/** The service and deployment settings of one environment: the file's own, with that environment's overrides laid over. */
export function environmentConfig(config: Config, environment: Environment): EnvironmentConfig {
  const override = config.environments[environment];
  return {
    service: {
      ...config.service,
      ...withoutUndefined(override.service),
      environment: { ...config.service.environment, ...override.service.environment },
    },
    deployment: { ...config.deployment, ...withoutUndefined(override.deployment) },
  };
}

function withoutUndefined<Section extends object>(
  section: Section,
): { [Key in keyof Section]: Exclude<Section[Key], undefined> } {
  const entries = Object.entries(section).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Section]: Exclude<Section[Key], undefined> };
}
