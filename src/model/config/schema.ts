import { z } from 'zod';
import { awsRegions } from './regions.ts';
import { FARGATE_MEMORY_MB, isFargatePair } from './fargate.ts';

/*
 * The shape of `tandem.config.ts`, one object per section. Every key has a default and a description: the
 * configuration reference is generated from here. A section that a later version adds slots in beside these.
 */

/** Text of one form, the form in words: what a fault and the configuration reference say is allowed. */
function formed(form: RegExp, allowed: string) {
  return z.string().regex(form, allowed).meta({ allowed });
}

const name = formed(
  /^[a-z][a-z0-9-]{0,29}[a-z0-9]$/,
  '2 to 31 lower-case letters, digits and hyphens, a letter first, no hyphen last',
);

const environmentVariables = z.record(
  formed(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name of letters, digits and underscores, no digit first'),
  z.string(),
);

const healthCheckSchema = z.strictObject({
  path: z
    .string()
    .startsWith('/')
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
  unhealthyThreshold: z.int().min(2).max(10).default(2).describe('Failures in a row that take a target out.'),
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
});

const serviceSchema = z
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
    desiredCount: z.int().min(0).default(2).describe('Tasks to run until autoscaling says otherwise.'),
    minimumCount: z.int().min(0).default(2).describe('Autoscaling never goes below.'),
    maximumCount: z.int().min(1).default(10).describe('Autoscaling never goes above.'),
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

const deploymentSchema = z
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

const buildSchema = z.strictObject({
  buildspec: z.string().min(1).default('buildspec.yml').describe('Path of the buildspec in the repository.'),
  timeoutMinutes: z.number().positive().max(2160).default(60).describe('A build that runs longer is ended.'),
  environment: environmentVariables
    .default({})
    .describe("The project's environment variables; they win over the buildspec's."),
});

const pipelineSchema = z.strictObject({
  branch: z.string().min(1).default('main').describe('Pushes to this branch start an execution.'),
  executionMode: z
    .enum(['SUPERSEDED', 'QUEUED', 'PARALLEL'])
    .default('SUPERSEDED')
    .describe('What a newer execution does to an older one that is under way.'),
  approval: z
    .strictObject({
      required: z.boolean().default(true).describe('Ask a person before production.'),
      expiresAfterDays: z
        .number()
        .positive()
        .max(30)
        .default(7)
        .describe('An unanswered approval then fails.'),
    })
    .prefault({})
    .describe('The question to a person before production.'),
});

/** Every section whose values an environment may override. */
const environmentOverride = z.strictObject({
  service: z
    .strictObject({
      cpu: z.int(),
      memoryMb: z.int(),
      desiredCount: z.int().min(0),
      minimumCount: z.int().min(0),
      maximumCount: z.int().min(1),
      environment: environmentVariables,
      deregistrationDelaySeconds: z.int().min(0).max(3600),
    })
    .partial()
    .default({}),
  deployment: z
    .strictObject({
      minimumHealthyPercent: z.int().min(0).max(100),
      maximumPercent: z.int().min(100).max(400),
      bakeTimeMinutes: z.number().min(0).max(1440),
    })
    .partial()
    .default({}),
});

export const configSchema = z.strictObject({
  application: name.describe('The application: names every resource. The one key without a default.'),
  customer: name.default('internal').describe('Whose platform this is.'),
  owner: z.string().min(1).max(256).default('platform').describe('The Owner tag.'),
  costCenter: z.string().min(1).max(256).default('unassigned').describe('The CostCenter tag.'),
  regions: z
    .array(z.enum(awsRegions))
    .min(1)
    .default(['us-east-1', 'us-west-2'])
    .superRefine((regions, context) => {
      regions.forEach((region, index) => {
        if (regions.indexOf(region) < index) {
          context.addIssue({ code: 'custom', path: [index], input: region, message: 'each region once' });
        }
      });
    })
    .describe('Where it runs; the first is the primary.'),
  pipeline: pipelineSchema.prefault({}).describe('How a push becomes a release in production.'),
  build: buildSchema.prefault({}).describe('How a commit becomes an image.'),
  service: serviceSchema.prefault({}).describe('What runs, in every environment.'),
  deployment: deploymentSchema.prefault({}).describe('How a service changes from one release to the next.'),
  replication: z
    .enum(['asynchronous', 'synchronous'])
    .default('asynchronous')
    .describe('Synchronous: a push is acknowledged only when a second region has it.'),
  registry: z
    .strictObject({
      keepImages: z.int().min(1).max(1000).default(10).describe('Newest images kept, besides those in use.'),
    })
    .prefault({})
    .describe('The image registry of each region.'),
  logs: z
    .strictObject({
      retentionDays: z.int().min(1).max(3653).default(30).describe('Older log events are deleted.'),
    })
    .prefault({})
    .describe('The logs of tasks and builds.'),
  environments: z
    .strictObject({
      dev: environmentOverride.prefault({}),
      staging: environmentOverride.prefault({}),
      production: environmentOverride.prefault({}),
    })
    .prefault({})
    .describe('What differs in one environment.'),
});

/** What a user writes. */
export type ConfigInput = z.input<typeof configSchema>;
/** The same with every default filled in. */
export type Config = z.output<typeof configSchema>;
export type ServiceConfig = Config['service'];
export type DeploymentConfig = Config['deployment'];

/** Gives `tandem.config.ts` its types; the value is checked when Tandem reads the file. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}

function describeChoices(values: readonly number[]): string {
  return values.length <= 4
    ? values.join(', ')
    : `${values[0]} to ${values.at(-1)} in steps of ${values[1]! - values[0]!}`;
}
