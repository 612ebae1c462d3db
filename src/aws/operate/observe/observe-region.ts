import type { Instant } from '../../../core/instant.ts';
import type { RegionObservation } from '../../../model/diagnosis.ts';
import type { RegionName } from '../../../model/names.ts';
import type { AwsSession } from '../aws-session.ts';
import { Looking } from './looking.ts';
import { observeBuild, type BuildPlace } from './observe-build.ts';
import { observeReplication, type ReplicationPlace } from './observe-replication.ts';
import { observeService, type ServicePlace } from './observe-service.ts';

export interface ObserveRegionRequest {
  region: RegionName;
  now: Instant;
  services: readonly ServicePlace[];
  build: BuildPlace;
  /** Absent where nothing is replicated. */
  replication?: ReplicationPlace;
}

/** What a region on AWS shows of an application, but for the locks of its states and what it costs. Never throws. */
export async function observeRegion(
  session: AwsSession,
  { region, now, ...places }: ObserveRegionRequest,
): Promise<Omit<RegionObservation, 'locks' | 'nat'>> {
  const looking = new Looking(session, region);
  const [services, build, replication] = await Promise.all([
    Promise.all(places.services.map(place => observeService(looking, place, now))),
    observeBuild(looking, places.build),
    places.replication === undefined ? [] : observeReplication(looking, places.replication, now),
  ]);
  return {
    region,
    at: now,
    services: services.filter(service => service !== undefined),
    ...(build && { build }),
    replication,
    unseen: looking.unseen,
  };
}
