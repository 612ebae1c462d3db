import { formatInstant, parseInstant } from '../../core/instant.ts';

/*
 * When Application Auto Scaling acts: `at(…)`, `rate(…)` or `cron(…)` (Application Auto Scaling user guide, "Schedule
 * scaling actions using cron expressions"; Amazon EventBridge user guide, "Cron expressions" for the fields).
 */

const FORMS = 'as `cron(0 20 ? * MON-FRI *)`, `rate(1 day)` or `at(2027-01-01T00:00:00)`';

interface Field {
  name: string;
  from: number;
  to: number;
  /** Names for `from`, `from + 1`, … */
  names?: readonly string[];
  /** What else the field takes by itself. */
  also?: RegExp;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const FIELDS: readonly Field[] = [
  { name: 'minutes', from: 0, to: 59 },
  { name: 'hours', from: 0, to: 23 },
  { name: 'day of month', from: 1, to: 31, also: /^(\?|L|LW|([1-9]|[12]\d|3[01])W)$/ },
  { name: 'month', from: 1, to: 12, names: MONTHS },
  { name: 'day of week', from: 1, to: 7, names: WEEKDAYS, also: /^(\?|L|([1-7]|[A-Z]{3})(L|#[1-5]))$/ },
  { name: 'year', from: 1970, to: 2199 },
];
const DAY_OF_MONTH = 2;
const DAY_OF_WEEK = 4;

/** What AWS would refuse in such an expression, as what is allowed instead; `undefined`: nothing. */
export function scheduleFault(expression: string): string | undefined {
  const [, kind, body] = /^(at|rate|cron)\(([^()]*)\)$/.exec(expression) ?? [];
  if (kind === 'at') return atFault(body!);
  if (kind === 'rate') return rateFault(body!);
  if (kind === 'cron') return cronFault(body!);
  return FORMS;
}

function atFault(body: string): string | undefined {
  const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(body) ? parseInstant(`${body}Z`) : undefined;
  // What reads the 30th of February takes it for the 1st of March.
  const exists = moment !== undefined && formatInstant(moment).startsWith(body);
  return exists ? undefined : 'a moment that there is, as `at(2027-01-01T00:00:00)`';
}

function rateFault(body: string): string | undefined {
  const [, value, plural] = /^([1-9]\d{0,8}) (?:minute|hour|day)(s?)$/.exec(body) ?? [];
  if (value !== undefined && (value === '1') === (plural === '')) return undefined;
  return '`rate(1 day)` or `rate(2 days)`: a whole number above 0, then minute, hour or day, with s unless it is 1';
}

function cronFault(body: string): string | undefined {
  const values = body.split(' ');
  if (values.length !== FIELDS.length) {
    return `six fields with one space between: ${FIELDS.map(({ name }) => name).join(', ')}`;
  }
  const wrong = FIELDS.find((field, index) => !takes(field, values[index]!));
  if (wrong) return `${wrong.name} ${describe(wrong)}`;
  const questions = [values[DAY_OF_MONTH], values[DAY_OF_WEEK]].filter(value => value === '?').length;
  return questions === 1 ? undefined : '? as the day of month or as the day of week, and not as both';
}

function describe({ from, to, names }: Field): string {
  const named = names ? ` or ${names[0]} to ${names.at(-1)}` : '';
  return `from ${from} to ${to}${named}, *, or a list, range or step of these`;
}

function takes(field: Field, value: string): boolean {
  if (field.also?.test(value)) return true;
  return value.split(',').every(part => {
    const [, range, step] = /^([^/]+)(?:\/([1-9]\d*))?$/.exec(part) ?? [];
    if (range === undefined || (step !== undefined && Number(step) > field.to)) return false;
    if (range === '*') return true;
    const [first, last, ...more] = range.split('-').map(end => valueOf(field, end));
    if (first === undefined || more.length > 0) return false;
    // Days and months go round: SAT-MON. Years do not.
    return !range.includes('-') || (last !== undefined && (first <= last || field.names !== undefined));
  });
}

/** `undefined` for what the field does not know. */
function valueOf({ from, to, names }: Field, text: string): number | undefined {
  const index = names?.indexOf(text.toUpperCase()) ?? -1;
  if (index >= 0) return from + index;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value >= from && value <= to ? value : undefined;
}
