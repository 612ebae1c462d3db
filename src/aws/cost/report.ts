import type { Config } from '../../model/config/schema.ts';
import type { CostEstimate, CostLever, CostReport } from '../../model/cost.ts';
import { estimate } from './estimate.ts';
import { LEVERS } from './levers.ts';
import { resourcesOfDocuments, type Document } from './resource.ts';

/** Every root module of a configuration: `src/aws/terraform` makes them. */
export type DocumentsOf = (config: Config) => Document[];

/** What a month of a configuration costs. */
export function estimateConfig(config: Config, documentsOf: DocumentsOf): CostEstimate {
  return estimate(resourcesOfDocuments(documentsOf(config)), config.usage);
}

/** The estimate, and what each lever saves: the difference to the same estimate with that one setting changed. */
export function costReport(config: Config, documentsOf: DocumentsOf): CostReport {
  const now = estimateConfig(config, documentsOf);
  const levers = LEVERS.map((lever): CostLever => {
    const isUsed = lever.isUsed(config);
    const other = estimateConfig(lever.toggle(config), documentsOf).total;
    const { name, setting, price } = lever;
    return { name, setting, price, isUsed, saves: isUsed ? other - now.total : now.total - other };
  });
  return { estimate: now, levers };
}
