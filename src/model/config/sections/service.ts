import { z } from 'zod';
import { FARGATE_MEMORY_MB, isFargatePair, MAXIMUM_TASKS } from '../fargate.ts';
import { environmentVariables, formed } from './text.ts';

/**
 * A check of Route 53 asks for it too, and takes 255 characters. Only what a URL may hold (RFC 3986), without a fragment,
 * which is never sent, and without the segments that one program drops and another keeps: `.`, `..` and nothing.
 */
export const HEALTH_CHECK_PATH_FORM =
  /^(?![^?]*\/\.{0,2}\/)(?![^?]*\/\.{1,2}(\?|$))\/[\w.~!$&'()*+,;=:@%/?-]{0,254}$/;

const healthCheckSchema = z
  .strictObject({
    path: formed(
      HEALTH_CHECK_PATH_FORM,
      'a path as `/health`, at most 255 characters, only those of URLs (no space, no #), and no segment `.`, `..` or empty',
    )
      .default('/health')
      .describe('What the load balancer requests from each target.'),
    intervalSeconds: z.int().min(5).max(300).default(30).describe('Seconds between checks of one target.'),
    timeoutSeconds: z
      .int()
      .min(2)
      .max(120)
      .default(5)
      .describe('Seconds without an answer that count as a failure.'),
    healthyThreshold: z
      .int()
      .min(2)
      .max(10)
      .default(5)
      .describe('Successes in a row that bring a target back.'),
    unhealthyThreshold: z
      .int()
      .min(2)
      .max(10)
      .default(2)
      .describe('Failures in a row that take a target out.'),
    matcher: formed(
      /^[2-4]\d\d(-[2-4]\d\d)?(,[2-4]\d\d(-[2-4]\d\d)?)*$/,
      'status codes as `200`, `200-299` or `200,202`',
    )
      .default('200')
      .describe('Status codes that count as healthy.'),
    gracePeriodSeconds: z
      .int()
      .min(0)
      .max(2_147_483_647)
      .default(0)
      .describe('Seconds after a task starts in which failed checks do not count.'),
  })
  .superRefine(({ timeoutSeconds, intervalSeconds, matcher }, context) => {
    if (timeoutSeconds >= intervalSeconds) {
      context.addIssue({
        code: 'custom',
        path: ['timeoutSeconds'],
        input: timeoutSeconds,
        message: `less than intervalSeconds (${intervalSeconds})`,
      });
    }
    const [reversed] = matcher.split(',').filter(part => {
      const [first, last = first] = part.split('-');
      return first! > last!;
    });
    if (reversed !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['matcher'],
        input: matcher,
        message: `ranges from the lower to the higher code, which ${reversed} is not`,
      });
    }
  });

export const serviceSchema = z
  .strictObject({
    port: z
      .int()
      .min(1)
      .max(65_535)
      .default(8080)
      .describe('The port that the container listens on (`PORT`).'),
    cpu: z
      .int()
      .default(256)
      .describe('CPU units: 256 is a quarter of a virtual CPU.')
      .meta({ allowed: `one of ${[...FARGATE_MEMORY_MB.keys()].join(', ')}` }),
    memoryMb: z
      .int()
      .default(512)
      .describe('Memory limit in MiB; a task above it is killed.')
      .meta({ allowed: 'a size that Fargate offers for this cpu: for 256, one of 512, 1024, 2048' }),
    desiredCount: z
      .int()
      .min(0)
      .max(MAXIMUM_TASKS)
      .default(2)
      .describe('Tasks to run until autoscaling says otherwise.'),
    minimumCount: z.int().min(0).max(MAXIMUM_TASKS).default(2).describe('Autoscaling never goes below.'),
    maximumCount: z.int().min(1).max(MAXIMUM_TASKS).default(10).describe('Autoscaling never goes above.'),
    environment: environmentVariables.default({}).describe('Plain environment variables of the container.'),
    healthCheck: healthCheckSchema
      .prefault({})
      .describe('How the load balancer tells whether a target may get requests.'),
    stopTimeoutSeconds: z
      .int()
      .min(2)
      .max(120)
      .default(30)
      .describe('Seconds between SIGTERM and SIGKILL when a task stops.'),
    deregistrationDelaySeconds: z
      .int()
      .min(0)
      .max(3600)
      .default(60)
      .describe('How long requests in flight may take to finish on a target that is leaving.'),
  })
  .superRefine((service, context) => {
    if (!isFargatePair(service.cpu, service.memoryMb)) {
      const allowed = FARGATE_MEMORY_MB.get(service.cpu);
      context.addIssue({
        code: 'custom',
        path: [allowed ? 'memoryMb' : 'cpu'],
        input: allowed ? service.memoryMb : service.cpu,
        message: allowed
          ? `with cpu ${service.cpu}, one of ${describeChoices(allowed)}`
          : `one of ${[...FARGATE_MEMORY_MB.keys()].join(', ')}`,
      });
    }
    if (service.minimumCount > service.maximumCount) {
      context.addIssue({
        code: 'custom',
        path: ['minimumCount'],
        input: service.minimumCount,
        message: `at most maximumCount (${service.maximumCount})`,
      });
    } else if (service.desiredCount < service.minimumCount || service.desiredCount > service.maximumCount) {
      context.addIssue({
        code: 'custom',
        path: ['desiredCount'],
        input: service.desiredCount,
        message: `from minimumCount (${service.minimumCount}) to maximumCount (${service.maximumCount})`,
      });
    }
  });

function describeChoices(values: readonly number[]): string {
  return values.length <= 4
    ? values.join(', ')
    : `${values[0]} to ${values.at(-1)} in steps of ${values[1]! - values[0]!}`;
}
