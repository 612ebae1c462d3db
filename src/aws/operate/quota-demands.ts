import type { StackPlan } from '../../model/infrastructure.ts';
import type { RegionName } from '../../model/names.ts';
import { fargateDemand, type FargateCpus } from './fargate-demand.ts';
import { plannedResources, referencesOf } from './planned-resources.ts';

/** How much of something plans take in one region, or in one zone of it. */
export interface QuotaDemand {
  region: RegionName;
  /** Terraform's type, of which the resources are counted, or `fargate_vcpu` and `fargate_spot_vcpu`. */
  type: string;
  /** Absent where the quota is the region's, or where the plan does not know the zone. */
  zone?: string;
  /** Beyond what is in use. */
  adds: number;
  /** What the application itself has in use, where that makes room for none of what is added. */
  own?: number;
  /** Beyond what is in use, if autoscaling goes to its maximum; absent where the height of a deployment takes as much. */
  mayAdd?: number;
}

/** What applying plans takes, of every type: which of them have a quota that matters, `quotaUse` knows. */
export function quotaDemands(plans: readonly StackPlan[]): QuotaDemand[] {
  return [...createdDemands(plans), ...fargateDemands(plans)];
}

function createdDemands(plans: readonly StackPlan[]): QuotaDemand[] {
  const demands = new Map<string, QuotaDemand>();
  for (const plan of plans) {
    for (const { address, type, action } of plan.changes) {
      if (action !== 'create') continue;
      const { region } = plan;
      const zone = type === 'aws_nat_gateway' ? zoneOf(plan, address) : undefined;
      const key = `${region} ${type} ${zone}`;
      const { adds = 0 } = demands.get(key) ?? {};
      demands.set(key, { region, type, ...(zone !== undefined && { zone }), adds: adds + 1 });
    }
  }
  return [...demands.values()];
}

/** That of the subnet which it is in: the subnet may be made by the same plan. A regional gateway has none. */
function zoneOf(plan: StackPlan, address: string): string | undefined {
  const references = referencesOf(plan, address);
  const subnet = plannedResources(plan).find(
    resource => resource.type === 'aws_subnet' && references.includes(resource.address),
  );
  const zone = subnet?.values['availability_zone'];
  return typeof zone === 'string' ? zone : undefined;
}

/**
 * Of all services of a region together: their deployments may run at once, and all may grow. A standby region may grow as far
 * as any (`taskCounts`), so its maximum is also what it needs to take over the load of another.
 */
function fargateDemands(plans: readonly StackPlan[]): QuotaDemand[] {
  const regions = [...new Set(plans.map(({ region }) => region))];
  return regions.flatMap(region => {
    const found = plans.filter(plan => plan.region === region).map(fargateDemand);
    if (!found.some(({ isChanged }) => isChanged)) return [];
    const of = (type: string, kind: keyof FargateCpus): QuotaDemand[] => {
      const total = (which: 'own' | 'height' | 'ceiling') =>
        found.reduce((sum, demand) => sum + demand[which][kind], 0);
      const own = total('own');
      const adds = Math.max(0, total('height') - own);
      const mayAdd = total('ceiling') - own;
      if (adds === 0 && mayAdd <= 0) return [];
      return [{ region, type, adds, own, ...(mayAdd > adds && { mayAdd }) }];
    };
    return [...of('fargate_vcpu', 'onDemand'), ...of('fargate_spot_vcpu', 'spot')];
  });
}
