import { z } from 'zod';
import { MAXIMUM_TASKS } from '../fargate.ts';
import { scheduleFault } from '../schedule-expression.ts';
import { name } from './text.ts';

export const scalingSchema = z.strictObject({
  cpuPercent: z.int().min(1).max(100).default(70).describe('CPU, of what is reserved, that scaling aims at.'),
  memoryPercent: z.int().min(1).max(100).default(75).describe('Memory that scaling aims at.'),
  requestsPerTarget: z
    .int()
    .min(0)
    .default(0)
    .describe('Requests a minute for each task that scaling aims at; 0: not looked at.'),
  scaleInBelowPercent: z
    .int()
    .min(1)
    .max(100)
    .default(50)
    .describe(
      'A task is removed while CPU is below this for 5 minutes, and with one fewer all metrics would stay below their targets.',
    ),
  scaleOutCooldownSeconds: z.int().min(0).max(3600).default(60).describe('Rest after adding tasks.'),
  scaleInCooldownSeconds: z.int().min(0).max(3600).default(300).describe('Rest after removing tasks.'),
  schedules: z
    .array(
      z.strictObject({
        name,
        schedule: z.string().superRefine((expression, context) => {
          const allowed = scheduleFault(expression);
          if (allowed === undefined) return;
          context.addIssue({ code: 'custom', input: expression, message: allowed });
        }),
        timeZone: z
          .string()
          .refine(isTimeZone, { error: 'a time zone as `UTC` or `Europe/Berlin`' })
          .default('UTC'),
        minimumCount: z.int().min(0).max(MAXIMUM_TASKS),
        maximumCount: z.int().min(0).max(MAXIMUM_TASKS),
      }),
    )
    .default([])
    .superRefine((schedules, context) => {
      schedules.forEach(({ name, minimumCount, maximumCount }, index) => {
        if (minimumCount > maximumCount) {
          context.addIssue({
            code: 'custom',
            path: [index, 'minimumCount'],
            input: minimumCount,
            message: `at most maximumCount (${maximumCount})`,
          });
        }
        if (schedules.findIndex(other => other.name === name) < index) {
          context.addIssue({ code: 'custom', path: [index, 'name'], input: name, message: 'each name once' });
        }
      });
    })
    .describe('Other limits of the number of tasks, from set times on.'),
});

/** IANA's names as they are written: JavaScript takes offsets and any capitals as well, which AWS does not. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Z]/.test(name) || /\/[a-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
