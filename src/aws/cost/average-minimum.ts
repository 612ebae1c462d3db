/** From a point in time on, never fewer tasks than these. */
export interface ScheduledMinimum {
  /** `cron(0 20 ? * MON-FRI *)`, `rate(…)`, `at(…)`, as Application Auto Scaling takes them. */
  schedule: string;
  minimum: number;
}

const MINUTES_A_WEEK = 7 * 24 * 60;

/**
 * The minimum that is in force over a week on average, each schedule taken in its own local time. Only what repeats by
 * time of day and day of the week can be averaged: schedules of other forms (`at`, `rate`, days of the month) are left
 * out, for they say nothing about an ordinary week.
 */
export function averageMinimum(always: number, schedules: readonly ScheduledMinimum[]): number {
  const changes = schedules
    .flatMap(({ schedule, minimum }) => minutesOfWeek(schedule).map(minute => ({ minute, minimum })))
    .sort((a, b) => a.minute - b.minute);
  const last = changes.at(-1);
  if (!last) return always;
  let total = 0;
  let current = last;
  let since = 0;
  for (const change of changes) {
    total += current.minimum * (change.minute - since);
    current = change;
    since = change.minute;
  }
  return (total + current.minimum * (MINUTES_A_WEEK - since)) / MINUTES_A_WEEK;
}

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** When a weekly schedule fires, in minutes since Sunday 0:00; nothing for a schedule that is not weekly. */
function minutesOfWeek(schedule: string): number[] {
  const fields = /^cron\((.+)\)$/.exec(schedule.trim())?.[1]?.trim().split(/\s+/) ?? [];
  const [minute, hour, dayOfMonth, month, dayOfWeek] = fields;
  if (!['?', '*'].includes(dayOfMonth ?? '') || month !== '*') return [];
  const minutes = fieldValues(minute, { lowest: 0, highest: 59 });
  const hours = fieldValues(hour, { lowest: 0, highest: 23 });
  const days = fieldValues(withNumbers(dayOfWeek), { lowest: 1, highest: 7 });
  return days.flatMap(day => hours.flatMap(at => minutes.map(past => ((day - 1) * 24 + at) * 60 + past)));
}

/** AWS counts days of the week from 1, Sunday. */
function withNumbers(field = ''): string {
  return DAYS.reduce((text, name, index) => text.replaceAll(name, String(index + 1)), field.toUpperCase());
}

/** `*`, `?`, `5`, `1-5`, `0/15`, and lists of these. */
function fieldValues(field = '', { lowest, highest }: { lowest: number; highest: number }): number[] {
  const values = field.split(',').flatMap(part => {
    const [, from, to, step] = /^(\d+|[*?])(?:-(\d+))?(?:\/(\d+))?$/.exec(part) ?? [];
    if (from === undefined) return [];
    const isOpen = from === '*' || from === '?';
    const start = isOpen ? lowest : Number(from);
    const end = to === undefined ? (isOpen || step !== undefined ? highest : start) : Number(to);
    const by = Math.max(1, Number(step ?? 1));
    const count = Math.max(0, Math.floor((Math.min(end, highest) - start) / by) + 1);
    return Array.from({ length: count }, (_, index) => start + index * by);
  });
  return [...new Set(values)];
}
