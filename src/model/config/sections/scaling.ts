import { z } from 'zod';
import { formed, name } from './text.ts';

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
        schedule: formed(
          /^(cron|rate|at)\(.+\)$/,
          'as `cron(0 20 ? * MON-FRI *)`, `rate(1 day)` or `at(2027-01-01T00:00:00)`',
        ),
        timeZone: z.string().min(1).default('UTC'),
        minimumCount: z.int().min(0),
        maximumCount: z.int().min(0),
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
