import type { Config } from '../../model/config/schema.ts';
import type { Environment, RegionName } from '../../model/names.ts';

/*
 * Every name is the domain's own or one label below it, so that one wildcard certificate covers them all, and all of
 * them prove themselves by the same DNS record.
 */

/** What people type: `shop.example.com` for production, `staging.shop.example.com` for staging. */
export function hostName(config: Config, environment: Environment): string {
  return environment === 'production' ? config.domain.name : `${environment}.${config.domain.name}`;
}

/** The environment in one region: `us-east-1.shop.example.com`, `staging-us-east-1.shop.example.com`. */
export function regionHostName(config: Config, environment: Environment, region: RegionName): string {
  const label = environment === 'production' ? region : `${environment}-${region}`;
  return `${label}.${config.domain.name}`;
}
