import { expect, test } from 'vitest';
import { scheduleFault } from './schedule-expression.ts';

test.each([
  'at(2027-01-01T00:00:00)',
  'at(2028-02-29T23:59:59)',
  'rate(1 hour)',
  'rate(15 minutes)',
  'cron(0 20 ? * MON-FRI *)',
  'cron(0/15 8-18,20 1,15 JAN-MAR ? 2027-2030)',
  'cron(0 0 L * ? *)',
  'cron(0 0 15W * ? *)',
  'cron(0 9 ? * 2#1 *)',
  'cron(0 9 ? */2 fri-mon *)',
])('%s is one that AWS takes', expression => {
  expect(scheduleFault(expression)).toBeUndefined();
});

test.each([
  ['0 20 * * *', /as `cron/],
  ['cron(0 20 * * *)', /six fields/],
  ['cron(0 20  ? * MON *)', /six fields/],
  ['cron(60 20 ? * MON *)', /minutes from 0 to 59/],
  ['cron(0 24 ? * MON *)', /hours from 0 to 23/],
  ['cron(0 0 0 * ? *)', /day of month from 1 to 31/],
  ['cron(0 0 1 13 ? *)', /month from 1 to 12 or JAN to DEC/],
  ['cron(0 0 ? * 0 *)', /day of week from 1 to 7/],
  ['cron(0 0 ? * 2#6 *)', /day of week/],
  ['cron(0 0 1 * ? 1969)', /year from 1970 to 2199/],
  ['cron(30-10 0 1 * ? *)', /minutes/],
  ['cron(*/0 0 1 * ? *)', /minutes/],
  ['cron(1-2-3 0 1 * ? *)', /minutes/],
  ['cron(0 0 * * * *)', /\? as the day of month or as the day of week/],
  ['cron(0 0 ? * ? *)', /not as both/],
  ['rate(1 days)', /`rate\(1 day\)`/],
  ['rate(2 day)', /`rate\(1 day\)`/],
  ['rate(0 days)', /above 0/],
  ['rate(1 week)', /minute, hour or day/],
  ['at(2027-02-30T00:00:00)', /a moment that there is/],
  ['at(2027-01-01)', /a moment that there is/],
  ['at(2027-01-01T00:00:00Z)', /a moment that there is/],
])('%s is refused, and it is said why', (expression, allowed) => {
  expect(scheduleFault(expression)).toMatch(allowed);
});
