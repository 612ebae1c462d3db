import { z } from 'zod';
import { awsRegions } from './regions.ts';
import { FARGATE_MEMORY_MB, isFargatePair } from './fargate.ts';
import { LONGEST_NAME_PREFIX, namePrefix } from './name-prefix.ts';

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

/** AWS: "Tag naming limits and requirements". */
const tagValue = formed(
  /^[\p{L}\p{N} _.:/=+\-@]{1,256}$/u,
  '1 to 256 letters, digits, spaces and _ . : / = + - @',
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

const scalingSchema = z.strictObject({
  cpuPercent: z.int().min(1).max(100).default(70).describe('CPU, of what is reserved, that scaling aims at.'),
  memoryPercent: z.int().min(1).max(100).default(75).describe('Memory that scaling aims at.'),
  requestsPerTarget: z
    .int()
    .min(0)
    .default(0)
    .describe('Requests a minute for each task that scaling aims at; 0: not looked at.'),
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

const networkSchema = z.strictObject({
  firstBlock: z
    .int()
    .min(0)
    .max(255)
    .default(0)
    .describe('The first region’s network is 10.<this>.0.0/16, each further region’s the next.'),
  nat: z
    .enum(['per-zone', 'single', 'regional', 'none'])
    .default('per-zone')
    .describe('NAT gateways: one a zone, one for all, AWS’s regional one, or VPC endpoints instead.'),
  flowLogs: z.boolean().default(true).describe('Log who spoke to whom in the network.'),
});

const domainSchema = z
  .strictObject({
    name: formed(
      /^(([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})?$/,
      'a host name as `shop.example.com`, or empty',
    )
      .default('')
      .describe('Production’s host name, staging’s is `staging.` before it; empty: HTTP only.'),
    zoneId: formed(/^(Z[A-Z0-9]{5,31})?$/, 'the id of a Route 53 zone as `Z0123456789ABC`, or empty')
      .default('')
      .describe('The Route 53 zone that the name is in.'),
  })
  .superRefine(({ name, zoneId }, context) => {
    if ((name === '') === (zoneId === '')) return;
    const missing = name === '' ? 'name' : 'zoneId';
    context.addIssue({
      code: 'custom',
      path: [missing],
      input: '',
      message: 'set: domain.name and domain.zoneId go together, a certificate needs both',
    });
  });

const alarmsSchema = z.strictObject({
  cpuPercent: z.int().min(1).max(100).default(80).describe('CPU above this for 2 minutes.'),
  memoryPercent: z.int().min(1).max(100).default(80).describe('Memory above this for 2 minutes.'),
  serverErrors: z.int().min(0).default(10).describe('More answers of 5xx than this in 5 minutes.'),
  responseTimeSeconds: z
    .number()
    .positive()
    .default(1)
    .describe('Average response time above this in 3 of 5 minutes.'),
});

const awsSchema = z.strictObject({
  accountId: formed(/^(\d{12})?$/, '12 digits, or empty')
    .default('')
    .describe('The account it belongs in: Terraform then works in no other. Also keeps bucket names unique.'),
  namePrefix: formed(
    new RegExp(`^([a-z][a-z0-9-]{0,${LONGEST_NAME_PREFIX - 2}}[a-z0-9])?$`),
    `2 to ${LONGEST_NAME_PREFIX} lower-case letters, digits and hyphens, a letter first, no hyphen last; or empty`,
  )
    .default('')
    .describe('What every resource’s name begins with; empty: customer and application.'),
  architecture: z
    .enum(['X86_64', 'ARM64'])
    .default('X86_64')
    .describe('The processors that images are built for, and run on.'),
  spotPercent: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe('Of tasks beyond the first, how many in a hundred run on Fargate Spot.'),
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

export const configSchema = z
  .strictObject({
    application: name.describe('The application: names every resource. The one key without a default.'),
    customer: name.default('internal').describe('Whose platform this is.'),
    owner: tagValue.default('platform').describe('The Owner tag.'),
    costCenter: tagValue.default('unassigned').describe('The CostCenter tag.'),
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
        keepImages: z
          .int()
          .min(1)
          .max(1000)
          .default(10)
          .describe('Newest images kept, besides those in use.'),
      })
      .prefault({})
      .describe('The image registry of each region.'),
    logs: z
      .strictObject({
        retentionDays: z.int().min(1).max(3653).default(30).describe('Older log events are deleted.'),
      })
      .prefault({})
      .describe('The logs of tasks and builds.'),
    scaling: scalingSchema.prefault({}).describe('When tasks are added and removed.'),
    network: networkSchema.prefault({}).describe('The network of each region, on AWS.'),
    domain: domainSchema.prefault({}).describe('The host name, for HTTPS.'),
    alarms: alarmsSchema.prefault({}).describe('What people are told of, in each environment.'),
    notifications: z
      .strictObject({
        emails: z
          .array(formed(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an e-mail address'))
          .default([])
          .describe('Who is told of alarms, failures and approvals; AWS asks each to agree first.'),
      })
      .prefault({})
      .describe('How people are told.'),
    aws: awsSchema.prefault({}).describe('What only AWS has.'),
    environments: z
      .strictObject({
        dev: environmentOverride.prefault({}),
        staging: environmentOverride.prefault({}),
        production: environmentOverride.prefault({}),
      })
      .prefault({})
      .describe('What differs in one environment.'),
  })
  .superRefine((config, context) => {
    const prefix = namePrefix(config);
    if (prefix.length > LONGEST_NAME_PREFIX) {
      context.addIssue({
        code: 'custom',
        path: ['aws', 'namePrefix'],
        input: '',
        message:
          `a shorter name than ${prefix}: load balancers' names leave ${LONGEST_NAME_PREFIX} characters, ` +
          `and these are ${prefix.length}`,
      });
    }
    const lastBlock = config.network.firstBlock + config.regions.length - 1;
    if (lastBlock > 255) {
      context.addIssue({
        code: 'custom',
        path: ['network', 'firstBlock'],
        input: config.network.firstBlock,
        message: `at most ${256 - config.regions.length}: each of ${config.regions.length} regions needs a block`,
      });
    }
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
