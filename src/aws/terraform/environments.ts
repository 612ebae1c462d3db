import type { Config } from '../../model/config/schema.ts';
import { ENVIRONMENTS, PIPELINE_ENVIRONMENTS, type Environment, type RegionName } from '../../model/names.ts';

/** The pipeline's environments are in every region; `dev`, where it is wanted, in the primary only. */
export function environmentsIn(config: Config, region: RegionName): readonly Environment[] {
  return config.environments.dev.enabled && region === config.regions[0]
    ? ENVIRONMENTS
    : PIPELINE_ENVIRONMENTS;
}
