import { environmentConfig } from '../../model/config/environment.ts';
import { repositoryPage } from '../../model/config/repository-page.ts';
import type { Config } from '../../model/config/schema.ts';
import { taskCounts } from '../../model/config/standby.ts';
import { PIPELINE_ENVIRONMENTS, type RegionName } from '../../model/names.ts';
import { environmentsIn } from './environments.ts';
import { regionHostName } from './host-names.ts';
import { createNames } from './names.ts';

/** How everything is called that `tandem doctor` looks at in a region. The configuration must have its account. */
export function observedPlaces(config: Config, region: RegionName) {
  const names = createNames(config);
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
      };
    }),
    build: { project: names.buildProject, pipeline: names.prefix },
    ...observedReplication(config, region),
  };
}

function observedReplication(config: Config, region: RegionName) {
  const names = createNames(config);
  const peers = config.regions.filter(other => other !== region);
  if (config.pipeline.source.provider !== 'codecommit' || peers.length === 0) return {};
  return {
    replication: { repository: names.prefix, functionName: names.function('replication'), peers },
  };
}

/** What the commands ask and steer in a region, beside what is observed there. The configuration must have its account. */
export function operatedPlaces(config: Config, region: RegionName) {
  const names = createNames(config);
  const { source, branch } = config.pipeline;
  return {
    region,
    pipeline: names.prefix,
    branch,
    registry: names.prefix,
    source:
      source.provider === 'codecommit'
        ? { kind: 'codecommit' as const, repository: names.prefix }
        : { kind: 'elsewhere' as const, url: `${repositoryPage(source.provider, source.repository)}.git` },
    projects: [
      names.buildProject,
      names.imageProject,
      ...PIPELINE_ENVIRONMENTS.map(environment => names.releaseProject(environment)),
    ],
    services: PIPELINE_ENVIRONMENTS.map(environment => ({
      environment,
      cluster: names.cluster(environment),
      service: names.service(environment),
      container: config.application,
      loadBalancer: names.loadBalancer(environment),
      logGroup: names.logGroup(environment),
      releaseProject: names.releaseProject(environment),
      isGated: config.deployment.gate.required && environment === 'production',
      /** The tasks that autoscaling keeps to. */
      counts: taskCounts(config, environment, region, environmentConfig(config, environment).service),
      /** Absent: the load balancer's own name. */
      ...(config.domain.name !== '' && { url: `https://${regionHostName(config, environment, region)}` }),
    })),
    ...(config.logs.accessLogs && {
      accessLogs: {
        bucket: names.bucket('access-logs', region),
        accountId: config.aws.accountId,
        retentionDays: config.logs.retentionDays,
      },
    }),
    ...observedReplication(config, region),
  };
}
