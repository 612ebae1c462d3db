import { expect, test } from 'vitest';
import type { AttributeChange, PlannedChange, StackPlan } from '../../model/infrastructure.ts';
import { realDrift } from './real-drift.ts';

const document = {
  resource: {
    aws_ecs_service: { web: { lifecycle: { ignore_changes: ['task_definition', 'desired_count'] } } },
    aws_appautoscaling_target: { web: {} },
    aws_appautoscaling_scheduled_action: { night: {} },
    aws_lb_listener_rule: { all: { lifecycle: { ignore_changes: 'all' } } },
  },
};
const stack = { name: 'us-east-1-production', region: 'us-east-1', document };

test.each<[string, string, string[], string[]]>([
  ['a release', 'aws_ecs_service.web', ['task_definition'], []],
  ['scaling', 'aws_ecs_service.web[0]', ['desired_count'], []],
  [
    'a release beside somebody’s hand',
    'aws_ecs_service.web',
    ['task_definition', 'propagate_tags'],
    ['propagate_tags'],
  ],
  ['an attribute of a similar name', 'aws_ecs_service.web', ['desired_count_limit'], ['desired_count_limit']],
  [
    'limits that scheduled scaling moves',
    'aws_appautoscaling_target.web',
    ['min_capacity', 'max_capacity'],
    [],
  ],
  ['weights of a deployment', 'aws_lb_listener_rule.all', ['action[0].weight'], []],
  ['a tag, which the provider tells twice', 'aws_vpc.main', ['tags.Owner', 'tags_all.Owner'], ['tags.Owner']],
  ['a default tag', 'aws_vpc.main', ['tags_all.Owner'], ['tags_all.Owner']],
])('%s', (_what, address, paths, left) => {
  const found = realDrift(planOf(update(address, paths)), stack);
  expect(found.flatMap(({ attributes }) => attributes.map(({ path }) => path))).toEqual(left);
  expect(found).toHaveLength(left.length === 0 ? 0 : 1);
});

test('what is gone is drift, whatever its changes are left to', () => {
  const gone: PlannedChange = { ...update('aws_lb_listener_rule.all', []), action: 'delete' };
  expect(realDrift(planOf(gone), stack)).toEqual([gone]);
});

function update(address: string, paths: string[]): PlannedChange {
  const attributes = paths.map((path): AttributeChange => ({
    path,
    before: 'a',
    after: 'b',
    forcesReplacement: false,
  }));
  return { address, type: address.split('.')[0]!, action: 'update', attributes };
}

function planOf(...drift: PlannedChange[]): StackPlan {
  return {
    stack: stack.name,
    region: stack.region,
    changes: [],
    drift,
    existing: [],
    document: {},
    isDeferred: false,
    durationMs: 0,
    isApplicable: false,
  };
}
