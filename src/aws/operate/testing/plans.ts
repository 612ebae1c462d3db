import type { PlannedChange, StackPlan } from '../../../model/infrastructure.ts';

/** A plan that does nothing, but for what a test says. */
export function planOf(given: Partial<StackPlan> = {}): StackPlan {
  return {
    stack: 'eu-west-1',
    region: 'eu-west-1',
    changes: [],
    drift: [],
    existing: [],
    document: {},
    isDeferred: false,
    durationMs: 0,
    isApplicable: true,
    ...given,
  };
}

export function change(address: string, action: PlannedChange['action'] = 'create'): PlannedChange {
  return { address, type: address.split('.')[0]!, action, attributes: [] };
}

/** What Terraform shows of a plan: resources by address, and what each refers to. */
export function planDocument(
  resources: Readonly<Record<string, Record<string, unknown>>>,
  references: Readonly<Record<string, string[]>> = {},
): object {
  return {
    planned_values: {
      root_module: {
        resources: Object.entries(resources).map(([address, values]) => ({
          address,
          mode: 'managed',
          type: address.split('.')[0],
          values,
        })),
      },
    },
    configuration: {
      root_module: {
        resources: Object.entries(references).map(([address, named]) => ({
          address,
          expressions: { named: { references: named } },
        })),
      },
    },
  };
}
