import { z } from 'zod';

/** CloudWatch Logs API reference, PutRetentionPolicy. */
export const RETENTION_DAYS: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
const ALLOWED = `one of ${RETENTION_DAYS.join(', ')}`;

export const logsSchema = z.strictObject({
  retentionDays: z
    .int()
    .refine(days => RETENTION_DAYS.includes(days), { error: ALLOWED })
    .default(30)
    .describe('Older log events are deleted.')
    .meta({ allowed: ALLOWED }),
  accessLogs: z
    .boolean()
    .default(true)
    .describe(
      'Log the requests at the load balancers, on AWS in S3, as long; `tandem logs balancer` shows them.',
    ),
});
