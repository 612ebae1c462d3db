import type { StackPlan } from '../../model/infrastructure.ts';

/** What a plan says of a resource that will be there when it is applied; values that are not known yet are left out. */
export interface PlannedResource {
  address: string;
  type: string;
  values: Readonly<Record<string, unknown>>;
}

/** A plan's document, as far as it is read here: of Terraform's format and of `deferredPlan`. */
interface PlanDocument {
  planned_values?: {
    root_module?: {
      resources?: { address: string; mode: string; type: string; values?: Record<string, unknown> }[];
    };
  };
  configuration?: { root_module?: { resources?: { address: string; expressions?: unknown }[] } };
}

export function plannedResources({ document }: StackPlan): PlannedResource[] {
  const { resources = [] } = (document as PlanDocument).planned_values?.root_module ?? {};
  return resources
    .filter(({ mode }) => mode === 'managed')
    .map(({ address, type, values = {} }) => ({ address, type, values }));
}

/** Addresses and attributes that a resource refers to: `aws_subnet.public_a`, `aws_subnet.public_a.id`. */
export function referencesOf({ document }: StackPlan, address: string): string[] {
  const { resources = [] } = (document as PlanDocument).configuration?.root_module ?? {};
  return referencesIn(resources.find(resource => resource.address === address)?.expressions);
}

function referencesIn(expressions: unknown): string[] {
  if (Array.isArray(expressions)) return expressions.flatMap(referencesIn);
  if (typeof expressions !== 'object' || expressions === null) return [];
  return Object.entries(expressions).flatMap(([key, value]) =>
    key === 'references' && Array.isArray(value) ? value.map(String) : referencesIn(value),
  );
}

/** The blocks of one kind, which Terraform shows as a list, and a document may write as a single object. */
export function blocksOf(value: unknown): Readonly<Record<string, unknown>>[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter(
    (block): block is Readonly<Record<string, unknown>> => typeof block === 'object' && block !== null,
  );
}
