import { environmentConfig } from '../../model/config/environment.ts';
import type { Config } from '../../model/config/schema.ts';
import type { RegionName } from '../../model/names.ts';
import { environmentsIn } from './environments.ts';
import { createNames } from './names.ts';

/** How everything is called that `tandem doctor` looks at in a region. The configuration must have its account. */
export function observedPlaces(config: Config, region: RegionName) {
  const names = createNames(config);
  const peers = config.regions.filter(other => other !== region);
  return {
    services: environmentsIn(config, region).map(environment => {
      const { memoryMb, port } = environmentConfig(config, environment).service;
      return {
        environment,
        cluster: names.cluster(environment),
        service: names.service(environment),
        container: config.application,
        loadBalancer: names.loadBalancer(environment),
        logGroup: names.logGroup(environment),
        memoryMb,
        port,
        ...(environment !== 'dev' && {
          release: { pipeline: names.prefix, stage: environment === 'staging' ? 'Staging' : 'Production' },
        }),
      };
    }),
    build: { project: names.buildProject, pipeline: names.prefix },
    ...(config.pipeline.source.provider === 'codecommit' &&
      peers.length > 0 && {
        replication: {
          repository: names.prefix,
          functionName: names.function('replication'),
          peers,
        },
      }),
  };
}
