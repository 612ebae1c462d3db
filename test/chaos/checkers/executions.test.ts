import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyHistory } from '../history.ts';
import {
  checkDecisions,
  checkHonestEnds,
  checkPromisedExecutions,
  unfinishedExecutions,
} from './executions.ts';
import { executionOf, FakeCloud } from './testing/fake-cloud.ts';

const REGION = 'us-east-1';
const COMMIT = 'a'.repeat(40);

let cloud: FakeCloud;
beforeEach(() => void (cloud = new FakeCloud()));
afterEach(() => cloud.remove());

test('a push to main that has no execution is told, one to a branch needs none', async () => {
  const push = { region: REGION, ref: 'refs/heads/main', commit: COMMIT };
  const history = { ...emptyHistory(), pushes: [push, { ...push, ref: 'refs/heads/other' }] };
  expect(await checkPromisedExecutions(cloud, history)).toEqual([
    'us-east-1 acknowledged aaaaaaa and has no execution for it',
  ]);
  cloud.executions[REGION].push(executionOf('e1', COMMIT));
  expect(await checkPromisedExecutions(cloud, history)).toEqual([]);
});

test('a promised rollback or retry that is nowhere is told', async () => {
  const history = { ...emptyHistory(), executions: [{ region: REGION, id: 'e1' }] };
  expect(await checkPromisedExecutions(cloud, history)).toEqual([
    'us-east-1 promised execution e1, and has none of that id',
  ]);
  cloud.executions[REGION].push(executionOf('e1', COMMIT));
  expect(await checkPromisedExecutions(cloud, history)).toEqual([]);
});

test('a decision that was acknowledged and is forgotten or turned round is told, unless it was asked again', async () => {
  const decision = { region: REGION, executionId: 'e1', decision: 'Approved' as const };
  const history = { ...emptyHistory(), decisions: [decision] };
  const approval = { by: 'ann', comment: '', at: 0 };
  const told = async (...executions: ReturnType<typeof executionOf>[]) => {
    cloud.executions[REGION] = executions;
    return checkDecisions(cloud, history);
  };
  expect(await told()).toHaveLength(1);
  expect(await told(executionOf('e1', COMMIT))).toHaveLength(1);
  const rejected = executionOf('e1', COMMIT, { approval: { ...approval, decision: 'Rejected' } });
  expect(await told(rejected)).toEqual(['us-east-1 acknowledged that e1 is Approved, and now says Rejected']);
  const approved = executionOf('e1', COMMIT, { approval: { ...approval, decision: 'Approved' } });
  expect(await told(approved)).toEqual([]);
  history.executions.push({ region: REGION, id: 'e1' });
  expect(await told(executionOf('e1', COMMIT))).toEqual([]);
});

test('an execution that goes on for ever is told; one that waits for a person is not', async () => {
  cloud.executions[REGION] = [executionOf('e1', COMMIT), executionOf('e2', COMMIT, { status: 'Waiting' })];
  expect(await unfinishedExecutions(cloud)).toEqual([]);
  for (const status of ['InProgress', 'Queued', 'Stopping'] as const) {
    cloud.executions[REGION] = [executionOf('e3', COMMIT, { status, waiting: { for: 'a build' } })];
    expect(await unfinishedExecutions(cloud)).toEqual([
      `us-east-1 #1 is ${status} in Production, waiting for a build`,
    ]);
  }
});

test('an end that does not say why is told', async () => {
  for (const status of ['Failed', 'RolledBack', 'Stopped', 'Superseded'] as const) {
    cloud.executions[REGION] = [executionOf('e1', COMMIT, { status })];
    expect(await checkHonestEnds(cloud)).toEqual([`us-east-1 #1 is ${status} and does not say why`]);
    cloud.executions[REGION] = [executionOf('e1', COMMIT, { status, cause: 'a test failed' })];
    expect(await checkHonestEnds(cloud)).toEqual([]);
  }
});
