import { z } from 'zod';

export const strategySchema = z.enum(['rolling', 'blue-green', 'canary', 'linear']);

/** ECS: `stepPercent` of a linear deployment. */
const SMALLEST_STEP_PERCENT = 3;

/** The largest equal step by which every given share is reached: ECS itself knows one canary step, or equal ones. */
export function stepOf(steps: readonly { percent: number }[]): number {
  return steps.map(({ percent }) => percent).reduce(divisor);
}

function divisor(one: number, other: number): number {
  return other === 0 ? one : divisor(other, one % other);
}

/** The release looks again after ten seconds: it must not sleep longer between two requests. */
const SMALLEST_RATE = 0.1;
const LARGEST_RATE = 100;
const RATES = `a number from ${SMALLEST_RATE} to ${LARGEST_RATE}, or 0`;

/** A build, which a release is, ends after 36 hours (CodeBuild quotas); two are left for tasks to start and to drain. */
const LONGEST_RELEASE_MINUTES = 34 * 60;

interface Waits {
  strategy: z.output<typeof strategySchema>;
  canary: { steps: readonly { bakeTimeMinutes: number }[] };
  linear: { stepPercent: number; stepBakeTimeMinutes: number };
  samples: { minimumRequests: number; withinMinutes: number };
  bakeTimeMinutes: number;
}

/** All that a deployment waits for on purpose, for as long as it may take, a person's answer left out. */
export function waitMinutes({ strategy, canary, linear, samples, bakeTimeMinutes }: Waits): number {
  const sampleMinutes = samples.minimumRequests === 0 ? 0 : samples.withinMinutes;
  const bake = Math.ceil(bakeTimeMinutes);
  if (strategy === 'canary') {
    return canary.steps.reduce((total, step) => total + step.bakeTimeMinutes + sampleMinutes, bake);
  }
  if (strategy !== 'linear') return bake;
  const shifts = Math.ceil(100 / linear.stepPercent) - 1;
  return bake + shifts * (linear.stepBakeTimeMinutes + sampleMinutes);
}

export const deploymentSchema = z
  .strictObject({
    strategy: strategySchema
      .default('rolling')
      .describe(
        'How a new release replaces the old one: task by task; all at once; a first share of requests, then the rest; or share by share. The local cloud rehearses all of them as rolling.',
      ),
    canary: z
      .strictObject({
        steps: z
          .array(
            z.strictObject({
              percent: z.int().min(1).max(99),
              bakeTimeMinutes: z.int().min(0).max(1440),
            }),
          )
          .min(1)
          .default([
            { percent: 10, bakeTimeMinutes: 10 },
            { percent: 50, bakeTimeMinutes: 10 },
          ])
          .describe('Shares of requests before all of them, and how long each must go well.')
          .meta({
            allowed:
              'a list of steps, each with a higher `percent` and with `bakeTimeMinutes`; of several, percentages that share a divisor of at least 3',
          }),
      })
      .prefault({})
      .describe('For `canary`.'),
    linear: z
      .strictObject({
        stepPercent: z.int().min(3).max(99).default(10).describe('What each step adds to the share.'),
        stepBakeTimeMinutes: z.int().min(0).max(1440).default(6).describe('How long each step must go well.'),
      })
      .prefault({})
      .describe('For `linear`.'),
    gate: z
      .strictObject({
        required: z
          .boolean()
          .default(false)
          .describe(
            'Ask a person as well, in production on AWS: after the first step, or before requests go to green.',
          ),
        expiresAfterMinutes: z
          .int()
          .min(5)
          .max(1440)
          .default(1440)
          .describe('An unanswered question then rolls the deployment back.'),
      })
      .prefault({})
      .describe('A person inside a deployment that is not rolling, beside the alarms.'),
    samples: z
      .strictObject({
        minimumRequests: z
          .int()
          .min(0)
          .max(10_000_000)
          .default(100)
          .describe(
            'Requests that the new release must have had at a step of `canary` or `linear` before the step counts as gone well; 0: none.',
          ),
        withinMinutes: z
          .int()
          .min(1)
          .max(720)
          .default(15)
          .describe(
            'How long they may take to come, after the time of the step itself; then the deployment is rolled back.',
          ),
        syntheticPerSecond: z
          .number()
          .refine(rate => rate === 0 || (rate >= SMALLEST_RATE && rate <= LARGEST_RATE), { error: RATES })
          .default(5)
          .describe(
            'Requests a second that the release sends to the path of the health check while there are too few; 0: none.',
          )
          .meta({ allowed: RATES }),
      })
      .prefault({})
      .describe('When a step has been seen by enough requests to go by, on AWS.'),
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
    const { steps } = deployment.canary;
    const falling = steps.findIndex(
      ({ percent }, index) => index > 0 && percent <= steps[index - 1]!.percent,
    );
    if (falling > 0) {
      context.addIssue({
        code: 'custom',
        path: ['canary', 'steps'],
        input: steps.map(({ percent }) => percent),
        message: 'steps each with a higher percent than the one before',
      });
    } else if (steps.length > 1 && stepOf(steps) < SMALLEST_STEP_PERCENT) {
      context.addIssue({
        code: 'custom',
        path: ['canary', 'steps'],
        input: steps.map(({ percent }) => percent),
        message: `percentages that share a divisor of at least ${SMALLEST_STEP_PERCENT}: ECS shifts in equal steps, and stops where a step of yours is`,
      });
    }
    const minutes = waitMinutes(deployment);
    if (['canary', 'linear'].includes(deployment.strategy) && minutes > LONGEST_RELEASE_MINUTES) {
      const isCanary = deployment.strategy === 'canary';
      context.addIssue({
        code: 'custom',
        path: isCanary ? ['canary', 'steps'] : ['linear', 'stepBakeTimeMinutes'],
        input: isCanary ? steps : deployment.linear.stepBakeTimeMinutes,
        message: `times that are at most ${LONGEST_RELEASE_MINUTES} minutes together, with samples and bake, and these are ${minutes}: a release ends after a day and a half`,
      });
    }
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
