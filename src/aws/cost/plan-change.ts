import { TandemError } from '../../core/error.ts';
import type { Usage } from '../../model/config/schema.ts';
import type { CostChange, CostEstimate } from '../../model/cost.ts';
import { estimate } from './estimate.ts';
import { environmentOf, first, textOf, type Resource, type Values } from './resource.ts';

/** `terraform show -json` of a saved plan, as far as it is read here. */
export interface PlanDocument {
  planned_values?: { root_module?: PlanModule };
  prior_state?: { values?: { root_module?: PlanModule } };
  configuration?: {
    provider_config?: Readonly<Record<string, { expressions?: Values }>>;
    root_module?: { resources?: readonly { address: string; expressions?: unknown }[] };
  };
  variables?: unknown;
}

interface PlanModule {
  resources?: readonly PlanResource[];
}

interface PlanResource {
  address: string;
  mode: string;
  type: string;
  values?: Values;
  depends_on?: readonly string[];
}

/**
 * What applying saved plans would change in a month's cost: each plan is one root module. Resources that exist are
 * priced as they are now, those to come as they are planned. Throws PLAN_INVALID for anything but plans in JSON.
 */
export function estimateChange(plans: readonly PlanDocument[], usage: Usage): CostChange {
  const before = estimate(plans.flatMap(existing), usage);
  const after = estimate(plans.flatMap(planned), usage);
  return {
    currency: 'USD',
    before: before.total,
    after: after.total,
    resources: changedResources(before, after),
    notCovered: after.notCovered,
  };
}

function existing(plan: PlanDocument, module: number): Resource[] {
  const region = regionOf(plan);
  return managed(plan.prior_state?.values?.root_module).map(resource =>
    toResource(resource, { module, region, references: resource.depends_on ?? [] }),
  );
}

function planned(plan: PlanDocument, module: number): Resource[] {
  const region = regionOf(plan);
  const references = new Map(
    (plan.configuration?.root_module?.resources ?? []).map(({ address, expressions }) => [
      address,
      referencesIn(expressions),
    ]),
  );
  return managed(plan.planned_values?.root_module).map(resource =>
    toResource(resource, {
      module,
      region,
      references: references.get(withoutIndex(resource.address)) ?? [],
    }),
  );
}

function managed(module: PlanModule | undefined): PlanResource[] {
  return (module?.resources ?? []).filter(({ mode }) => mode === 'managed');
}

function toResource(
  { address, type, values = {} }: PlanResource,
  { module, region, references }: Pick<Resource, 'module' | 'region' | 'references'>,
): Resource {
  return {
    module,
    address,
    type,
    region: textOf(values['region']) || region,
    environment: environmentOf(values['tags_all'] ?? values['tags']),
    values,
    references,
  };
}

function regionOf(plan: PlanDocument): string {
  const providers = plan.configuration?.provider_config;
  const region = textOf(first(providers?.['aws']?.expressions?.['region'])['constant_value']);
  if (region !== '') return region;
  throw new TandemError(
    'PLAN_INVALID',
    'this is no Terraform plan in JSON of a root module that names its region: ' +
      'make one with `terraform plan -out plan && terraform show -json plan`',
  );
}

/** References are `aws_lb.main.arn` and `aws_lb.main`, each listed: the latter counts. */
function referencesIn(expressions: unknown): string[] {
  if (Array.isArray(expressions)) return expressions.flatMap(referencesIn);
  if (typeof expressions !== 'object' || expressions === null) return [];
  return Object.entries(expressions).flatMap(([key, value]) =>
    key === 'references' && Array.isArray(value) ? value.map(String).filter(isAddress) : referencesIn(value),
  );
}

function isAddress(reference: string): boolean {
  return /^\w+\.\w+$/.test(reference);
}

function withoutIndex(address: string): string {
  return address.replace(/\[[^\]]*\]$/, '');
}

const SMALLEST_CHANGE = 0.005;

function changedResources(before: CostEstimate, after: CostEstimate): CostChange['resources'] {
  const changes = new Map<string, CostChange['resources'][number]>();
  for (const [key, estimated] of [['before', before] as const, ['after', after] as const]) {
    for (const { resource, region, usd } of estimated.lines) {
      const place = `${region} ${resource}`;
      const change = changes.get(place) ?? { resource, region, before: 0, after: 0 };
      changes.set(place, { ...change, [key]: change[key] + usd });
    }
  }
  return [...changes.values()]
    .filter(change => Math.abs(change.after - change.before) >= SMALLEST_CHANGE)
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
}
