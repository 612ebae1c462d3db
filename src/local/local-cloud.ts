import { errorMessage, TandemError } from '../core/error.ts';
import type { Cloud, RegionOperations } from '../model/cloud.ts';
import { PIPELINE_ENVIRONMENTS } from '../model/names.ts';
import type { RegionStatus } from '../model/status.ts';
import { controlEndpoint, serviceUrl, type CloudAddresses, type RegionRecord } from './cloud-record.ts';

/** Makes the client of one region's API; handed in, because the local cloud knows nothing of the API. */
export type Connect = (region: string, endpoint: string) => RegionOperations;

/** The local cloud as commands see it: every question goes to the region itself, all regions in parallel. */
export function createLocalCloud(record: CloudAddresses, connect: Connect): Cloud {
  const clients = new Map(record.regions.map(own => [own.region, connect(own.region, controlEndpoint(own))]));
  const region = (name: string): RegionOperations => {
    const client = clients.get(name);
    if (client) return client;
    throw new TandemError(
      'REGION_UNKNOWN',
      `There is no region ${name} here; there is ${[...clients.keys()].join(', ')}.`,
    );
  };
  return {
    target: 'local',
    regions: () => record.regions.map(own => own.region),
    region,
    status: () =>
      Promise.all(
        record.regions.map(own =>
          region(own.region)
            .status()
            .catch((error: unknown) => unreachableStatus(record, own, error)),
        ),
      ),
  };
}

function unreachableStatus(record: CloudAddresses, own: RegionRecord, error: unknown): RegionStatus {
  return {
    region: own.region,
    health: 'unreachable',
    problems: [errorMessage(error)],
    endpoint: controlEndpoint(own),
    gitUrl: `${controlEndpoint(own)}/git/${record.config.application}.git`,
    branch: record.config.pipeline.branch,
    services: PIPELINE_ENVIRONMENTS.map(name => ({
      name,
      url: serviceUrl(own, name),
      desired: 0,
      running: 0,
      pending: 0,
      healthyTargets: 0,
      events: [],
    })),
    replication: [],
  };
}
