import type { Instant } from '../core/instant.ts';
import type { RegionOperations } from '../model/cloud.ts';
import type { Config } from '../model/config/schema.ts';
import type { Finding, RegionObservation } from '../model/diagnosis.ts';
import type { RegionName } from '../model/names.ts';

/** The port by which the command line has a region looked at, and what is wrong there told. */
export interface Doctor {
  /** Looks at a region of the local cloud. What cannot be seen is said in `unseen`, never thrown. */
  observe(request: {
    region: RegionName;
    operations: RegionOperations;
    config: Config;
    now: Instant;
  }): Promise<RegionObservation>;
  /** The worst first. */
  diagnose(observation: RegionObservation): Promise<Finding[]>;
}
