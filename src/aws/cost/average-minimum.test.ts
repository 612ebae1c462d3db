import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { averageMinimum } from './average-minimum.ts';

test('without schedules the minimum is what it always is', () => {
  expect(averageMinimum(2, [])).toBe(2);
});

test.each([
  [
    'a night from 20 to 6 on working days, and the weekend after Friday',
    [
      { schedule: 'cron(0 20 ? * MON-FRI *)', minimum: 0 },
      { schedule: 'cron(0 6 ? * MON-FRI *)', minimum: 1 },
    ],
    (5 * 14) / 168,
  ],
  [
    'every day, in AWS’s other way of writing it',
    [
      { schedule: 'cron(0 18 * * ? *)', minimum: 1 },
      { schedule: 'cron(0 6 * * ? *)', minimum: 3 },
    ],
    2,
  ],
  [
    'lists and steps',
    [
      { schedule: 'cron(0 0/12 ? * SUN,MON,TUE,WED,THU,FRI,SAT *)', minimum: 2 },
      { schedule: 'cron(0 6,18 ? * 1-7 *)', minimum: 4 },
    ],
    3,
  ],
  ['one change only, which then holds', [{ schedule: 'cron(0 20 ? * MON *)', minimum: 7 }], 7],
])('%s', (_name, schedules, expected) => {
  expect(averageMinimum(2, schedules)).toBeCloseTo(expected, 10);
});

test.each(['rate(1 day)', 'at(2027-01-01T00:00:00)', 'cron(0 8 1 * ? *)', 'cron()', 'nonsense'])(
  '%s says nothing about an ordinary week',
  schedule => expect(averageMinimum(2, [{ schedule, minimum: 9 }])).toBe(2),
);

test('an average lies between the least and the most of what is scheduled', () => {
  const schedules = fc.array(
    fc.record({
      schedule: fc
        .tuple(fc.nat(59), fc.nat(23), fc.constantFrom('*', 'MON-FRI', 'SAT', '1,7'))
        .map(([minute, hour, day]) => `cron(${minute} ${hour} ? * ${day} *)`),
      minimum: fc.nat(20),
    }),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(schedules, given => {
      const minimums = given.map(({ minimum }) => minimum);
      const average = averageMinimum(2, given);
      expect(average).toBeGreaterThanOrEqual(Math.min(...minimums) - 1e-9);
      expect(average).toBeLessThanOrEqual(Math.max(...minimums) + 1e-9);
    }),
  );
});
