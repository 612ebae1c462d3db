import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  advanceTask,
  applyReport,
  tellToStop,
  type TaskReport,
  type TaskSurroundings,
} from './task-lifecycle.ts';
import type { TaskRecord } from './task-record.ts';

const FAILURE = { reason: 'r', phrase: 'p' };
const STOP = { stopCode: 'ServiceSchedulerInitiated' as const, reason: 'Scaling activity' };
const ORDER = [
  'PROVISIONING',
  'PENDING',
  'ACTIVATING',
  'RUNNING',
  'DEACTIVATING',
  'STOPPING',
  'DEPROVISIONING',
  'STOPPED',
];

describe('a task', () => {
  test('is started, registered, and runs', () => {
    const started = advanceTask(task(), around(), 1);
    expect(started).toMatchObject({ record: { status: 'PENDING' }, effect: 'start' });
    const up = applyReport(started.record, { kind: 'started', task: running }, 2);
    expect(advanceTask(up, around(), 3).record.status).toBe('ACTIVATING');
    expect(advanceTask(up, around({ isRegistered: true }), 3).record.status).toBe('RUNNING');
  });

  test('that is told to stop gets its signal when it is drained, and SIGKILL after the stop timeout', () => {
    const told = advanceTask(tellToStop(task({ status: 'RUNNING' }), STOP, 10), around(), 10).record;
    expect(told.status).toBe('DEACTIVATING');
    expect(advanceTask(told, around(), 20)).toEqual({ record: told, at: 110 });
    const drained = advanceTask(told, around({ isDrained: true }), 20);
    expect(drained).toMatchObject({ record: { status: 'STOPPING' }, effect: 'stop' });
    expect(advanceTask(drained.record, around(), 21).effect).toBe('stop');
    const signalled = applyReport(drained.record, { kind: 'signalled' }, 30);
    expect(advanceTask(signalled, around(), 31)).toEqual({ record: signalled, at: 80 });
    expect(advanceTask(signalled, around(), 80).effect).toBe('kill');
  });

  test('that never drains is not waited for longer than the limit', () => {
    const told = advanceTask(tellToStop(task({ status: 'RUNNING' }), STOP, 10), around(), 10).record;
    expect(advanceTask(told, around(), 110).effect).toBe('stop');
  });

  test('that is told to stop before it was started never starts', () => {
    const step = advanceTask(tellToStop(task(), STOP, 1), around(), 1);
    expect(step.record.status).toBe('DEPROVISIONING');
    expect(step.effect).toBeUndefined();
  });

  test('that dies while it is stopped for a reason keeps the reason', () => {
    const told = tellToStop(task({ status: 'RUNNING' }), STOP, 1);
    const exited = applyReport(
      told,
      { kind: 'exited', exit: { exitCode: 1, outOfMemory: false }, failure: FAILURE },
      2,
    );
    expect(exited).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: 'Scaling activity',
      exitCode: 1,
    });
    expect(exited.failure).toBeUndefined();
  });
});

test('whatever is reported in whatever order, a task never goes back, except to be started again, and ends for good', () => {
  const report = fc.constantFrom<TaskReport>(
    { kind: 'started', task: { endpoint: { address: 'a', port: 1 }, hasHealthCheck: true } },
    { kind: 'start-failed', reason: 'r', failure: FAILURE },
    { kind: 'never-started' },
    { kind: 'signalled' },
    { kind: 'exited', exit: { outOfMemory: false }, failure: FAILURE },
    { kind: 'container-health', health: 'HEALTHY' },
    { kind: 'health-check-impossible' },
  );
  const event = fc.oneof(report, fc.constant('stop' as const), fc.constant('advance' as const));
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), fc.boolean(), (events, isDrained) => {
      let record = task();
      for (const [now, next] of events.entries()) {
        const before = ORDER.indexOf(record.status);
        if (next === 'stop') record = tellToStop(record, STOP, now);
        else if (next === 'advance')
          record = advanceTask(record, around({ isRegistered: true, isDrained }), now).record;
        else record = applyReport(record, next, now);
        const isStartedAgain = record.status === 'PROVISIONING' && ORDER[before] === 'PENDING';
        if (!isStartedAgain) expect(ORDER.indexOf(record.status)).toBeGreaterThanOrEqual(before);
        if (record.status === 'DEPROVISIONING') expect(record.stoppedAt).toBeDefined();
      }
    }),
  );
});

const running = { endpoint: { address: '127.0.0.1', port: 20_000 }, hasHealthCheck: false };

function task(overrides: Partial<TaskRecord> = {}): TaskRecord {
  return {
    id: 't1',
    number: 1,
    service: 'staging',
    deploymentId: 'd1',
    release: { commit: 'c', digest: 'd', builtIn: 'us-east-1', builtAt: 0 },
    zone: 'us-east-1a',
    status: 'PROVISIONING',
    containerHealth: 'UNKNOWN',
    createdAt: 0,
    hasHealthCheck: false,
    isAccounted: false,
    ...overrides,
  };
}

function around(overrides: Partial<TaskSurroundings> = {}): TaskSurroundings {
  return { isRegistered: false, isDrained: false, drainLimitMs: 100, stopTimeoutMs: 50, ...overrides };
}
