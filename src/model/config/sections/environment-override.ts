import { z } from 'zod';
import { MAXIMUM_TASKS } from '../fargate.ts';
import { strategySchema } from './deployment.ts';
import { environmentVariables } from './text.ts';

/** Every section whose values an environment may override. */
export const environmentOverride = z.strictObject({
  service: z
    .strictObject({
      cpu: z.int(),
      memoryMb: z.int(),
      desiredCount: z.int().min(0).max(MAXIMUM_TASKS),
      minimumCount: z.int().min(0).max(MAXIMUM_TASKS),
      maximumCount: z.int().min(1).max(MAXIMUM_TASKS),
      environment: environmentVariables,
      deregistrationDelaySeconds: z.int().min(0).max(3600),
    })
    .partial()
    .default({}),
  deployment: z
    .strictObject({
      strategy: strategySchema,
      minimumHealthyPercent: z.int().min(0).max(100),
      maximumPercent: z.int().min(100).max(400),
      bakeTimeMinutes: z.number().min(0).max(1440),
    })
    .partial()
    .default({}),
});

/** `dev` is one more environment on AWS, for trying things out: it costs as much as another, so it is asked for. */
export const devOverride = environmentOverride.extend({
  enabled: z
    .boolean()
    .default(false)
    .describe('Whether there is a `dev` on AWS, in the primary region; the pipeline does not deploy to it.'),
});
