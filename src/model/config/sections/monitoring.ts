import { z } from 'zod';

export const monitoringSchema = z.strictObject({
  collector: z
    .boolean()
    .default(false)
    .describe(
      'An OpenTelemetry collector beside every task: traces go to X-Ray, the application’s own metrics to CloudWatch.',
    ),
  tracePercent: z
    .number()
    .min(0)
    .max(100)
    .default(5)
    .describe('Of requests, how many are traced, unless the caller says otherwise.'),
});
