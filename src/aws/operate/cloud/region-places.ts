import type { RegionName } from '../../../model/names.ts';
import type { ReplicationPlace } from '../observe/observe-replication.ts';
import type { AccessLogPlace } from './access-log-objects.ts';
import type { DeployedService } from './deployment-reader.ts';

export interface OperatedService extends DeployedService {
  loadBalancer: string;
  logGroup: string;
  /** The build project that releases to it. */
  releaseProject: string;
  /** A person is asked in the middle of its deployments. */
  isGated: boolean;
  /** How many tasks it may have. */
  counts: { minimumCount: number; maximumCount: number };
  /** Absent where it has no name but its load balancer's. */
  url?: string;
}

/** How everything is called that is asked and steered in a region. */
export interface RegionPlaces {
  region: RegionName;
  pipeline: string;
  branch: string;
  /** The repository of images. */
  registry: string;
  /** `elsewhere`: where people push to. */
  source: { kind: 'codecommit'; repository: string } | { kind: 'elsewhere'; url: string };
  /** The build projects, whose logs are those of the pipeline. */
  projects: readonly string[];
  services: readonly OperatedService[];
  /** Absent where the load balancers keep none. */
  accessLogs?: AccessLogPlace;
  /** Absent where nothing is replicated. */
  replication?: ReplicationPlace;
}
