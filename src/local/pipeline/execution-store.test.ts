import { expect, test } from 'vitest';
import type { ExecutionRecord } from '../../control/pipeline/state.ts';
import { DAY_MS } from '../../core/duration.ts';
import { migrate, openDatabase } from '../../platform/database.ts';
import { ExecutionStore } from './execution-store.ts';
import { PIPELINE_MIGRATIONS } from './schema.ts';

test('ended executions are forgotten after twelve months, but never one of the newest thousand, nor one under way', () => {
  const database = openDatabase(':memory:');
  migrate(database, 'pipeline', PIPELINE_MIGRATIONS);
  const store = new ExecutionStore(database);
  const save = (number: number, startedAt: number, status: 'Succeeded' | 'Waiting') =>
    store.save(record(number, startedAt, status), number);
  save(1, 0, 'Waiting');
  save(2, 1, 'Succeeded');
  save(3, 366 * DAY_MS, 'Succeeded');
  for (let number = 4; number <= 1_001; number += 1) save(number, 367 * DAY_MS, 'Succeeded');
  expect(store.find('execution-2.').execution.number).toBe(2);
  save(1_002, 368 * DAY_MS, 'Succeeded');
  expect(() => store.find('execution-2.')).toThrow(/No execution has an id/);
  save(1_003, 369 * DAY_MS, 'Succeeded');
  expect(store.find('execution-1.').execution.number).toBe(1);
  expect(store.find('execution-3.').execution.number).toBe(3);
  expect(store.nextNumber()).toBe(1_004);
});

function record(number: number, startedAt: number, status: 'Succeeded' | 'Waiting'): ExecutionRecord {
  const execution = {
    id: `execution-${number}.`,
    number,
    startedAt,
    status,
    trigger: { kind: 'push' },
    commit: { id: 'a'.repeat(40) },
    stages: [],
  };
  return { execution } as unknown as ExecutionRecord;
}
