import { expect, test } from 'vitest';
import { emptyHistory, type History } from '../history.ts';
import { checkTraffic } from './traffic.ts';

const lost = { region: 'us-east-1', sentAt: 2_000, lostAt: 2_100, how: 'status 503' };

test('a request may be lost while its region has no load balancer', () => {
  expect(checkTraffic(historyOf({ region: 'us-east-1', from: 2_050, until: 5_000 }))).toEqual([]);
  expect(checkTraffic(historyOf({ region: 'us-east-1', from: 0, until: Number.POSITIVE_INFINITY }))).toEqual(
    [],
  );
});

test.each([
  ['without an outage', [], 'before any outage'],
  ['before the outage', [{ region: 'us-east-1', from: 2_101, until: 5_000 }], 'before any outage'],
  ['after the outage', [{ region: 'us-east-1', from: 0, until: 1_999 }], 'after the outage from 1970'],
  ['in an outage of another region', [{ region: 'us-west-2', from: 0, until: 5_000 }], 'before any outage'],
])('a request lost %s is told', (_when, outages, words) => {
  const [line, ...others] = checkTraffic(historyOf(...outages));
  expect(line).toContain('us-east-1 lost a request at 1970-01-01T00:00:02.100Z');
  expect(line).toContain(words);
  expect(line).toContain('status 503');
  expect(others).toEqual([]);
});

function historyOf(...outages: History['outages']): History {
  return { ...emptyHistory(), traffic: [lost], outages };
}
