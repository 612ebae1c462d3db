import { errorMessage, TandemError } from '../../../core/error.ts';
import type { Cloud, RegionOperations } from '../../../model/cloud.ts';
import type { RegionStatus } from '../../../model/status.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { AwsSession } from '../aws-session.ts';
import { createAwsRegion } from './aws-region.ts';
import type { RegionPlaces } from './region-places.ts';

/** An application that runs on AWS, as commands see it: each region is asked by itself. */
export function createAwsCloud(session: AwsSession, places: readonly RegionPlaces[], clock: Clock): Cloud {
  const regions = new Map(places.map(place => [place.region, createAwsRegion(session, place, clock)]));
  const region = (name: string): RegionOperations => {
    const found = regions.get(name);
    if (found) return found;
    const known = [...regions.keys()];
    throw new TandemError('REGION_UNKNOWN', `there is no region ${name} here, only ${known.join(', ')}`);
  };
  return {
    target: 'aws',
    regions: () => [...regions.keys()],
    region,
    status: () =>
      Promise.all(
        places.map(place =>
          region(place.region)
            .status()
            .catch((error: unknown) => unreachableStatus(place, error)),
        ),
      ),
  };
}

function unreachableStatus({ region, branch }: RegionPlaces, error: unknown): RegionStatus {
  return {
    region,
    health: 'unreachable',
    problems: [errorMessage(error)],
    endpoint: '',
    gitUrl: '',
    branch,
    services: [],
    replication: [],
  };
}
