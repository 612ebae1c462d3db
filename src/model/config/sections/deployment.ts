import { z } from 'zod';

export const deploymentSchema = z
  .strictObject({
    strategy: z.enum(['rolling']).default('rolling').describe('How a new release replaces the old one.'),
    minimumHealthyPercent: z
      .int()
      .min(0)
      .max(100)
      .default(100)
      .describe('Healthy tasks kept, of the desired count.'),
    maximumPercent: z
      .int()
      .min(100)
      .max(400)
      .default(200)
      .describe('Tasks allowed at once, of the desired count.'),
    bakeTimeMinutes: z
      .number()
      .min(0)
      .max(1440)
      .default(5)
      .describe('How long the new release must stay healthy before the deployment counts as successful.'),
    circuitBreaker: z
      .strictObject({
        enabled: z.boolean().default(true).describe('End a deployment whose tasks keep failing.'),
        rollback: z.boolean().default(true).describe('…and go back to the last good release.'),
        threshold: z
          .strictObject({
            type: z
              .enum(['BOUNDED_PERCENT', 'UNBOUNDED_PERCENT', 'COUNT'])
              .default('BOUNDED_PERCENT')
              .describe('Bounded: a percentage of the desired count, at least 3 and at most 200 failures.'),
            value: z.int().min(1).max(200).default(50).describe('Per cent, or failures for COUNT.'),
          })
          .prefault({})
          .describe('How many failed tasks are too many.'),
        resetOnHealthyTask: z.boolean().default(true).describe('Count only failures in a row.'),
      })
      .prefault({})
      .describe('What ends a deployment that cannot succeed.'),
  })
  .superRefine((deployment, context) => {
    if (deployment.minimumHealthyPercent === 100 && deployment.maximumPercent === 100) {
      context.addIssue({
        code: 'custom',
        path: ['maximumPercent'],
        input: deployment.maximumPercent,
        message:
          'more than 100 while minimumHealthyPercent is 100: otherwise no task may stop and none may start',
      });
    }
  });
