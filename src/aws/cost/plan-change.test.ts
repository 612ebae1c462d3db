import { expect, test } from 'vitest';
import { configSchema } from '../../model/config/schema.ts';
import { estimateChange, type PlanDocument } from './plan-change.ts';

const { usage } = configSchema.parse({ application: 'storefront' });
const TASK_USD = (0.25 * 0.04048 + 0.5 * 0.004445) * 730;

test('a first plan makes everything new, with what a service refers to found by reference', () => {
  const change = estimateChange([planOf({ after: [definition(256), service(2), address] })], usage);
  expect(change.before).toBe(0);
  expect(change.after).toBeCloseTo(2 * TASK_USD + 0.005 * 730, 6);
  expect(change.resources).toEqual([
    {
      resource: 'aws_ecs_service.web',
      region: 'us-east-1',
      before: 0,
      after: expect.closeTo(2 * TASK_USD, 6) as number,
    },
    { resource: 'aws_eip.nat', region: 'us-east-1', before: 0, after: expect.closeTo(3.65, 6) as number },
  ]);
});

test('a service that grows with its task definition costs more, though the service itself does not change', () => {
  const plan = planOf({
    before: [definition(256), service(2), address],
    after: [definition(512), service(2)],
  });
  const { before, after, resources } = estimateChange([plan], usage);
  expect(after - before).toBeCloseTo(2 * 0.25 * 0.04048 * 730 - 3.65, 6);
  expect(resources.map(({ resource }) => resource)).toEqual(['aws_ecs_service.web', 'aws_eip.nat']);
});

test('a plan without changes changes nothing, and several plans are one change', () => {
  const same = [definition(256), service(2)];
  const plans = [planOf({ before: same, after: same }), planOf({ after: [address] }, 'eu-central-1')];
  const { before, after, resources } = estimateChange(plans, usage);
  expect(after - before).toBeCloseTo(3.65, 6);
  expect(resources).toHaveLength(1);
});

test('what has no price is said, not taken for nothing', () => {
  const plan = planOf({ after: [{ ...address, address: 'aws_mainframe.x', type: 'aws_mainframe' }] });
  expect(estimateChange([plan], usage).notCovered).toEqual([
    { resource: 'aws_mainframe.x', region: 'us-east-1', reason: 'no price rule for aws_mainframe' },
  ]);
});

test.each([{}, { planned_values: {} }, { configuration: { provider_config: {} } }])('refuses %j', plan => {
  expect(() => estimateChange([plan], usage)).toThrow('no Terraform plan in JSON');
});

interface Planned {
  address: string;
  mode: string;
  type: string;
  values: Record<string, unknown>;
  depends_on?: string[];
}

function definition(cpu: number): Planned {
  return {
    address: 'aws_ecs_task_definition.web',
    mode: 'managed',
    type: 'aws_ecs_task_definition',
    values: { cpu: String(cpu), memory: '512', runtime_platform: [{ cpu_architecture: 'X86_64' }] },
  };
}

function service(desired: number): Planned {
  return {
    address: 'aws_ecs_service.web',
    mode: 'managed',
    type: 'aws_ecs_service',
    values: {
      desired_count: desired,
      capacity_provider_strategy: [{ base: 1, capacity_provider: 'FARGATE', weight: 100 }],
      tags_all: { Environment: 'production' },
    },
    depends_on: ['aws_ecs_task_definition.web'],
  };
}

const address: Planned = { address: 'aws_eip.nat', mode: 'managed', type: 'aws_eip', values: {} };

/** In the shape of `terraform show -json`, format 1.2. */
function planOf(
  { before = [], after }: { before?: Planned[]; after: Planned[] },
  region = 'us-east-1',
): PlanDocument {
  return {
    prior_state: { values: { root_module: { resources: before } } },
    planned_values: {
      root_module: { resources: after.map(({ depends_on: _state, ...planned }) => planned) },
    },
    configuration: {
      provider_config: { aws: { expressions: { region: { constant_value: region } } } },
      root_module: {
        resources: [
          {
            address: 'aws_ecs_service.web',
            expressions: {
              task_definition: {
                references: ['aws_ecs_task_definition.web.arn', 'aws_ecs_task_definition.web'],
              },
            },
          },
        ],
      },
    },
  };
}
