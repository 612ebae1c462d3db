import { PIPELINE_ENVIRONMENTS } from '../names.ts';
import { environmentConfig } from './environment.ts';
import type { Config } from './schema.ts';

/** What the local cloud does otherwise than AWS will with this configuration: a sentence each, for people. */
export function rehearsedOtherwise(config: Config): string[] {
  const strategies = PIPELINE_ENVIRONMENTS.flatMap(environment => {
    const { strategy } = environmentConfig(config, environment).deployment;
    return strategy === 'rolling'
      ? []
      : [`${environment} is deployed to as rolling here, and as ${strategy} on AWS`];
  });
  const { provider } = config.pipeline.source;
  return [
    ...strategies,
    ...(config.deployment.gate.required
      ? ['the question in the middle of a deployment to production is asked on AWS only']
      : []),
    ...(config.migration.command.length > 0 ? ['the migration is run on AWS only'] : []),
    ...(provider === 'codecommit' ? [] : [`commits come by git push here, and from ${provider} on AWS`]),
  ];
}
