import { describe, expect, test } from 'vitest';
import { DAY_MS } from '../../core/duration.ts';
import type { LogQuery } from '../../model/cloud.ts';
import { systemClock } from '../../platform/clock.ts';
import { openDatabase } from '../../platform/database.ts';
import type { LoggedRequest, LogStore } from './contract.ts';
import { createEventLog } from './event-log.ts';
import { createLogStore } from './log-store.ts';
import { createRequestStore } from './request-store.ts';

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

describe('the log of requests', () => {
  test('is apart from the other groups, and read only by its name', async () => {
    const { store } = logStore(() => DAY_MS);
    store.append('production', 'task-1', ['GET /']);
    add(store, [requestAt(1, 'one'), requestAt(2, 'two', 'staging')]);
    expect(await texts(store, {})).toEqual(['GET /']);
    expect(await texts(store, { group: 'balancer' })).toEqual(['one', 'two']);
    expect(await texts(store, { group: 'balancer', stream: 'stag' })).toEqual(['two']);
    expect(await texts(store, { group: 'balancer', contains: 'ONE' })).toEqual(['one']);
    expect(await texts(store, { group: 'balancer', since: 2 })).toEqual(['two']);
    expect(await texts(store, { group: 'balancer', limit: 1 })).toEqual(['two']);
    expect(await texts(store, { group: 'balancer', after: 1 })).toEqual(['two']);
  });

  test('finds what is far back, and looks no further than it was asked to', async () => {
    const { store } = logStore(() => DAY_MS);
    add(store, [requestAt(1, 'needle')]);
    add(
      store,
      Array.from({ length: 30_000 }, (_, index) => requestAt(DAY_MS + index, 'hay')),
    );
    expect(await texts(store, { group: 'balancer', contains: 'needle' })).toEqual(['needle']);
    expect(await texts(store, { group: 'balancer', contains: 'needle', since: DAY_MS })).toEqual([]);
    expect(await texts(store, { group: 'balancer', limit: 25_000 })).toHaveLength(25_000);
  });

  test('a follower misses nothing, sees nothing twice, and none that it did not ask for', async () => {
    const { store } = logStore(() => DAY_MS);
    add(
      store,
      Array.from({ length: 25_000 }, (_, index) => requestAt(index, `old ${index}`)),
    );
    const leaving = new AbortController();
    const seen: string[] = [];
    const query = { group: 'balancer', follow: true, limit: 2, contains: '9' };
    for await (const { message } of store.read(query, leaving.signal)) {
      seen.push(message);
      if (message === 'old 24999') add(store, [requestAt(1, 'new 1'), requestAt(1, 'new 9')]);
      if (message === 'new 9') {
        add(
          store,
          Array.from({ length: 3_000 }, (_, index) => requestAt(1, `more ${index}`)),
        );
      }
      if (message === 'more 2999') leaving.abort();
    }
    const more = Array.from({ length: 3_000 }, (_, index) => `more ${index}`);
    expect(seen).toEqual(['old 24998', 'old 24999', 'new 9', ...more.filter(text => text.includes('9'))]);
  });

  test('forgets what is older than the retention, a little with each batch', async () => {
    const time = { now: 100 * DAY_MS };
    const { store } = logStore(() => time.now);
    add(
      store,
      Array.from({ length: 300 }, () => requestAt(time.now, 'old')),
    );
    time.now += 31 * DAY_MS;
    const left: number[] = [];
    for (let batch = 0; batch < 3; batch += 1) {
      add(
        store,
        Array.from({ length: 100 }, () => requestAt(time.now, 'new')),
      );
      left.push((await texts(store, { group: 'balancer', contains: 'old', limit: 1_000 })).length);
    }
    expect(left).toEqual([100, 0, 0]);
    expect(await texts(store, { group: 'balancer', limit: 1_000 })).toHaveLength(300);
  });

  test('knows which batch of a source it stored last', () => {
    const { store } = logStore();
    expect(store.lastBatch('a')).toBe(0);
    store.appendRequests({ source: 'a', number: 7, requests: [] });
    store.appendRequests({ source: 'b', number: 3, requests: [] });
    store.appendRequests({ source: 'a', number: 8, requests: [] });
    expect([store.lastBatch('a'), store.lastBatch('b')]).toEqual([8, 3]);
  });

  test('keeps no more than so many', async () => {
    const store = createRequestStore(openDatabase(':memory:'), 30, systemClock, 100);
    for (let batch = 0; batch < 5; batch += 1) {
      const requests = Array.from({ length: 60 }, (_, index) => requestAt(Date.now(), `${batch}-${index}`));
      store.append({ source: 'a', number: batch, requests });
    }
    const kept = await messages(store.read({ limit: 1_000 }, undefined));
    expect(kept).toHaveLength(100);
    expect(kept.at(-1)).toBe('4-59');
  });
});

function add(store: LogStore, requests: readonly LoggedRequest[]) {
  store.appendRequests({ source: 'a', number: 1, requests });
}

function requestAt(at: number, message: string, stream = 'production') {
  return { at, stream, message };
}

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
