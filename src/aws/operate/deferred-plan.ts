import type {
  InfrastructureStack,
  PlannedChange,
  ResourceValues,
  StackPlan,
} from '../../model/infrastructure.ts';
import { forecastMs } from './forecast.ts';

/**
 * The plan of a stack that cannot be planned yet, for it looks up what is still to be made: everything that its document
 * describes, and its state does not have, is to be created. `isAsShown` tells whether that was all.
 */
export function deferredPlan(
  stack: InfrastructureStack,
  existing: readonly ResourceValues[] = [],
): StackPlan {
  const resources = resourcesOf(stack);
  const known = new Set(existing.map(({ address }) => address));
  const changes = resources
    .filter(({ address }) => !known.has(address))
    .map(({ address, type }): PlannedChange => ({ address, type, action: 'create', attributes: [] }));
  return {
    stack: stack.name,
    region: stack.region,
    changes,
    drift: [],
    existing,
    document: planDocument(stack, resources),
    isDeferred: true,
    durationMs: forecastMs(stack, changes),
    isApplicable: true,
  };
}

/** Whether a plan holds nothing that was not shown before: the same change of the same resource, or no change any more. */
export function isAsShown(plan: StackPlan, shown: StackPlan): boolean {
  const known = new Set(shown.changes.map(({ action, address }) => `${action} ${address}`));
  return plan.changes.every(({ action, address }) => known.has(`${action} ${address}`));
}

interface DescribedResource {
  address: string;
  type: string;
  values: unknown;
}

function resourcesOf({ document }: InfrastructureStack): DescribedResource[] {
  const resources = (document['resource'] ?? {}) as Record<string, Record<string, unknown>>;
  return Object.entries(resources).flatMap(([type, named]) =>
    Object.entries(named).map(([name, values]) => ({ address: `${type}.${name}`, type, values })),
  );
}

/** What Terraform would print, as far as the document tells. */
function planDocument({ region }: InfrastructureStack, resources: readonly DescribedResource[]): object {
  return {
    planned_values: {
      root_module: { resources: resources.map(resource => ({ ...resource, mode: 'managed' })) },
    },
    configuration: {
      provider_config: { aws: { expressions: { region: { constant_value: region } } } },
      root_module: {
        resources: resources.map(({ address, values }) => ({
          address,
          expressions: { references: mentioned(JSON.stringify(values)) },
        })),
      },
    },
  };
}

function mentioned(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(/\b(aws_\w+\.\w+)/g), ([, address]) => address!))];
}
