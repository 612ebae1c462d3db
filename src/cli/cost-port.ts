import type { Config, Usage } from '../model/config/schema.ts';
import type { CostChange, CostReport } from '../model/cost.ts';

/** The port by which the command line gets to know what AWS would charge. */
export interface CostPort {
  report(config: Config): Promise<CostReport>;
  /** Of saved plans as `terraform show -json` writes them, one of each root module. Throws PLAN_INVALID. */
  change(plans: readonly object[], usage: Usage): Promise<CostChange>;
}
