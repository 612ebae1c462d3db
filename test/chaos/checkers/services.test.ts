import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RegionStatus } from '../../../src/model/status.ts';
import { unsettledServices } from './services.ts';
import { FakeCloud } from './testing/fake-cloud.ts';

let cloud: FakeCloud;
beforeEach(() => void (cloud = new FakeCloud()));
afterEach(() => cloud.remove());

test('services at their size, in sync, are settled; so is a split that is reported', async () => {
  expect(await unsettledServices(cloud)).toEqual([]);
  cloud.statuses['us-east-1'].replication[0]!.state = 'split';
  cloud.statuses['us-east-1'].problems.push('main differs between both regions');
  expect(await unsettledServices(cloud)).toEqual([]);
});

test.each<[string, (status: RegionStatus) => void, string]>([
  ['a task is missing', ({ services }) => (services[1]!.running = 1), 'production: 1 of 2 run'],
  ['one too many runs', ({ services }) => (services[1]!.running = 3), 'production: 3 of 2 run'],
  [
    'a task is not healthy',
    ({ services }) => (services[0]!.healthyTargets = 1),
    'staging: 2 of 2 run, 1 healthy',
  ],
  ['a task is still starting', ({ services }) => (services[0]!.pending = 1), 'staging'],
  ['a region is behind', ({ replication }) => (replication[0]!.state = 'behind'), 'is behind with us-east-1'],
  [
    'a region has a problem',
    ({ problems }) => problems.push('the load balancer does not answer'),
    'load balancer',
  ],
])('is told where %s', async (_what, change, words) => {
  change(cloud.statuses['us-west-2']);
  const [line, ...others] = await unsettledServices(cloud);
  expect(line).toContain('us-west-2');
  expect(line).toContain(words);
  expect(others).toEqual([]);
});
