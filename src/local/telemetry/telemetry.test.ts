import { describe, expect, test } from 'vitest';
import { DAY_MS } from '../../core/duration.ts';
import type { LogQuery } from '../../model/cloud.ts';
import { systemClock } from '../../platform/clock.ts';
import { openDatabase } from '../../platform/database.ts';
import type { LogStore } from './contract.ts';
import { createEventLog } from './event-log.ts';
import { createLogStore } from './log-store.ts';

describe('the event log', () => {
  test('gives the newest events, oldest first, and numbers them in order', async () => {
    const log = eventLog();
    for (let count = 1; count <= 5; count += 1) append(log, `event ${count}`);
    expect(await messages(log.read({ limit: 2 }))).toEqual(['event 4', 'event 5']);
  });

  test('a follower that resumes misses nothing and sees nothing twice', async () => {
    const log = eventLog();
    for (let count = 1; count <= 700; count += 1) append(log, `event ${count}`);
    const leaving = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const event of log.read({ after: 0, follow: true }, leaving.signal)) {
        seen.push(event.sequence);
        if (event.sequence === 700) append(log, 'late');
        if (event.sequence === 701) leaving.abort();
      }
    })();
    await reading;
    expect(seen).toEqual(Array.from({ length: 701 }, (_, index) => index + 1));
  });

  test('forgets what is older than the retention, and goes on counting', async () => {
    const time = { now: 100 * DAY_MS };
    const log = eventLog(() => time.now);
    append(log, 'old');
    time.now += 31 * DAY_MS;
    for (let count = 0; count < 1_000; count += 1) append(log, 'new');
    const kept = await messages(log.read({ after: 0, limit: 2_000 }));
    expect(kept).not.toContain('old');
    const newest: number[] = [];
    for await (const { sequence } of log.read({ limit: 1 })) newest.push(sequence);
    expect(newest).toEqual([1_001]);
  });

  test('ends every follower that its signal aborts, also one that waits', async () => {
    const log = eventLog();
    const leaving = new AbortController();
    const reading = messages(log.read({ follow: true }, leaving.signal));
    leaving.abort();
    expect(await reading).toEqual([]);
  });
});

describe('the log store', () => {
  test('finds by group, stream prefix and text, ignoring case', async () => {
    const { store } = logStore();
    store.append('staging', 'task-1', ['GET / 200', 'Error: no']);
    store.append('staging', 'task-2', ['error: yes']);
    store.append('build', 'task-1', ['error: other group']);
    expect(await texts(store, { group: 'staging', contains: 'ERROR' })).toEqual(['Error: no', 'error: yes']);
    expect(await texts(store, { group: 'staging', stream: 'task-1' })).toEqual(['GET / 200', 'Error: no']);
    expect(store.tail('staging', 'task-1', 1).map(event => event.message)).toEqual(['Error: no']);
  });

  test('a stream name is taken literally, not as a pattern', async () => {
    const { store } = logStore();
    store.append('build', 'abc', ['one']);
    expect(await texts(store, { stream: 'a%' })).toEqual([]);
    expect(await texts(store, { stream: 'ab' })).toEqual(['one']);
  });

  test('cuts a message at 256 KiB', () => {
    const { store } = logStore();
    store.append('build', 'b', ['x'.repeat(300_000)]);
    expect(store.tail('build', 'b', 1)[0]!.message).toHaveLength(262_144);
  });

  test('deletes what is older than the retention', async () => {
    const time = { now: 100 * DAY_MS };
    const { store } = logStore(() => time.now);
    store.append('build', 'b', ['old']);
    time.now += 31 * DAY_MS;
    for (let count = 0; count < 1_000; count += 1) store.append('build', 'b', ['new']);
    expect(await texts(store, { contains: 'old', limit: 10 })).toEqual([]);
  });
});

function eventLog(now = systemClock.now) {
  return createEventLog(openDatabase(':memory:'), 'us-east-1', 30, { ...systemClock, now });
}

function append(log: ReturnType<typeof eventLog>, message: string) {
  log.append({ source: 'region', type: 'Test', severity: 'info', message, data: {} });
}

function logStore(now = systemClock.now) {
  return { store: createLogStore(openDatabase(':memory:'), 30, { ...systemClock, now }) };
}

async function texts(store: LogStore, query: LogQuery) {
  return messages(store.read(query));
}

async function messages(items: AsyncIterable<{ message: string }>) {
  const found: string[] = [];
  for await (const item of items) found.push(item.message);
  return found;
}
