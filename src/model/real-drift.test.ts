import { expect, test } from 'vitest';
import type { AttributeChange, PlannedChange, StackPlan } from './infrastructure.ts';
import { realDrift } from './real-drift.ts';

const stack = { name: 'us-east-1-production', region: 'us-east-1', document: {} };
const withSchedules = {
  ...stack,
  document: { resource: { aws_appautoscaling_scheduled_action: { night: {} } } },
};

test.each<[string, string[], string[], string[]]>([
  ['what AWS filled in by itself', ['tags', 'arn_suffix'], [], []],
  ['a release, which is left to the pipeline', ['task_definition'], [], []],
  [
    'a release beside somebody’s hand',
    ['task_definition', 'propagate_tags'],
    ['propagate_tags'],
    ['propagate_tags'],
  ],
  ['an attribute of a similar name', ['description_prefix'], ['description'], []],
  ['what has other places in a list', ['rule[1].port'], ['rule[0].port', 'rule[0].name'], ['rule[1].port']],
  ['a whole block, of which one value comes back', ['rule[0]'], ['rule[0].port'], ['rule[0]']],
  [
    'a tag, which the provider tells twice',
    ['tags.Owner', 'tags_all.Owner'],
    ['tags.Owner', 'tags_all.Owner'],
    ['tags.Owner'],
  ],
  ['a default tag', ['tags_all.Owner'], ['tags_all.Owner'], ['tags_all.Owner']],
])('%s', (_what, drifted, planned, left) => {
  expect(pathsOf(realDrift(planOf('aws_vpc.main', drifted, planned), stack))).toEqual(left);
});

test('what has not drifted, but is to be changed, is no drift', () => {
  expect(realDrift(planOf('aws_vpc.main', [], ['tags.Owner']), stack)).toEqual([]);
});

test('limits that scheduled scaling moves are no drift, without schedules they are', () => {
  const plan = planOf('aws_appautoscaling_target.web', ['min_capacity'], ['min_capacity']);
  expect(realDrift(plan, withSchedules)).toEqual([]);
  expect(pathsOf(realDrift(plan, stack))).toEqual(['min_capacity']);
});

test('what is gone and would be made again is drift', () => {
  const gone: PlannedChange = { ...update('aws_vpc.main', []), action: 'delete' };
  const made: PlannedChange = { ...update('aws_vpc.main', []), action: 'create' };
  expect(realDrift({ ...planOf('aws_vpc.main', [], []), drift: [gone], changes: [made] }, stack)).toEqual([
    gone,
  ]);
});

function pathsOf(found: readonly PlannedChange[]): string[] {
  return found.flatMap(({ attributes }) => attributes.map(({ path }) => path));
}

function update(address: string, paths: readonly string[]): PlannedChange {
  const attributes = paths.map((path): AttributeChange => ({
    path,
    before: 'a',
    after: 'b',
    forcesReplacement: false,
  }));
  return { address, type: address.split('.')[0]!, action: 'update', attributes };
}

function planOf(address: string, drifted: readonly string[], planned: readonly string[]): StackPlan {
  return {
    stack: stack.name,
    region: stack.region,
    changes: planned.length === 0 ? [] : [update(address, planned)],
    drift: drifted.length === 0 ? [] : [update(address, drifted)],
    existing: [],
    document: {},
    isDeferred: false,
    durationMs: 0,
    isApplicable: false,
  };
}
