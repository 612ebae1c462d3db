import { z } from 'zod';
import { containerFaults } from './collector.ts';
import { variableFaults } from './container-variables.ts';
import { namePrefixFaults } from './name-prefix.ts';
import { alarmsSchema } from './sections/alarms.ts';
import { awsSchema } from './sections/aws.ts';
import { budgetSchema } from './sections/budget.ts';
import { driftSchema, reapplyRoleFaults } from './sections/drift.ts';
import { buildSchema } from './sections/build.ts';
import { complianceSchema } from './sections/compliance.ts';
import { databaseSchema } from './sections/database.ts';
import { deploymentSchema } from './sections/deployment.ts';
import { domainSchema } from './sections/domain.ts';
import { devOverride, environmentOverride } from './sections/environment-override.ts';
import { localSchema } from './sections/local.ts';
import { migrationSchema } from './sections/migration.ts';
import { logsSchema } from './sections/logs.ts';
import { monitoringSchema } from './sections/monitoring.ts';
import { networkSchema } from './sections/network.ts';
import { notificationsSchema } from './sections/notifications.ts';
import { pipelineSchema } from './sections/pipeline.ts';
import { regionsSchema } from './sections/regions.ts';
import { registrySchema } from './sections/registry.ts';
import { routingFaults, routingSchema } from './sections/routing.ts';
import { remediationSchema } from './sections/remediation.ts';
import { scalingSchema } from './sections/scaling.ts';
import { secretsSchema } from './sections/secrets.ts';
import { serviceSchema } from './sections/service.ts';
import { name, tagValue } from './sections/text.ts';
import { usageSchema } from './sections/usage.ts';
import { wafSchema } from './sections/waf.ts';

/*
 * The shape of `tandem.config.ts`: one object per section, each in a file of `sections/`. Every key has a default and a
 * description: the configuration reference is generated from here. A section that a later version adds slots in beside these.
 */

export const configSchema = z
  .strictObject({
    application: name.describe('The application: names every resource. The one key without a default.'),
    customer: name.default('internal').describe('Whose platform this is.'),
    owner: tagValue.default('platform').describe('The Owner tag.'),
    costCenter: tagValue.default('unassigned').describe('The CostCenter tag.'),
    regions: regionsSchema.describe('Where it runs; the first is the primary.'),
    pipeline: pipelineSchema.prefault({}).describe('How a push becomes a release in production.'),
    build: buildSchema.prefault({}).describe('How a commit becomes an image.'),
    service: serviceSchema.prefault({}).describe('What runs, in every environment.'),
    deployment: deploymentSchema.prefault({}).describe('How a service changes from one release to the next.'),
    migration: migrationSchema.prefault({}).describe('What a release changes in the database first.'),
    replication: z
      .enum(['asynchronous', 'synchronous'])
      .default('asynchronous')
      .describe(
        'Synchronous: a push is acknowledged only when a second region has it. On AWS the other regions always follow after it.',
      ),
    registry: registrySchema.prefault({}).describe('The image registry of each region.'),
    logs: logsSchema.prefault({}).describe('The logs of tasks and builds.'),
    scaling: scalingSchema.prefault({}).describe('When tasks are added and removed.'),
    network: networkSchema.prefault({}).describe('The network of each region, on AWS.'),
    domain: domainSchema.prefault({}).describe('The host name, for HTTPS.'),
    routing: routingSchema.prefault({}).describe('Which region answers the host name.'),
    alarms: alarmsSchema.prefault({}).describe('What people are told of, in each environment.'),
    remediation: remediationSchema
      .prefault({})
      .describe('What alarms set off by themselves, on AWS; nothing unless it is asked for.'),
    notifications: notificationsSchema.prefault({}).describe('How people are told.'),
    monitoring: monitoringSchema.prefault({}).describe('What else is measured, on AWS.'),
    secrets: secretsSchema
      .default({})
      .describe(
        'Secret environment variables of the container, each with a value of its own in every environment.',
      ),
    database: databaseSchema.prefault({}).describe('Where the application keeps its data, on AWS.'),
    waf: wafSchema.prefault({}).describe('The web application firewall, on AWS.'),
    compliance: complianceSchema
      .prefault({})
      .describe('AWS’s own watchers: of several applications in one account, only one may switch each on.'),
    drift: driftSchema
      .prefault({})
      .describe('What is done about changes that somebody makes by hand, on AWS.'),
    budget: budgetSchema.prefault({}).describe('What AWS may cost.'),
    aws: awsSchema.prefault({}).describe('What only AWS has.'),
    local: localSchema.prefault({}).describe('What only the local cloud has.'),
    usage: usageSchema
      .prefault({})
      .describe('What `tandem cost` assumes of a month in each region; it changes nothing but the estimate.'),
    environments: z
      .strictObject({
        dev: devOverride.prefault({}),
        staging: environmentOverride.prefault({}),
        production: environmentOverride.prefault({}),
      })
      .prefault({})
      .describe('What differs in one environment.'),
  })
  .superRefine((config, context) => {
    const faults = [
      ...namePrefixFaults(config),
      ...routingFaults(config.routing, config.regions, config.domain.name),
      ...variableFaults(config),
      ...containerFaults(config),
      ...reapplyRoleFaults(config),
    ];
    for (const fault of faults) {
      context.addIssue({ code: 'custom', ...fault });
    }
    const { strategy = config.deployment.strategy } = config.environments.production.deployment;
    if (config.deployment.gate.required && strategy === 'rolling') {
      context.addIssue({
        code: 'custom',
        path: ['deployment', 'gate', 'required'],
        input: true,
        message: 'false while production’s strategy is rolling: there is no step to wait at',
      });
    }
    if (config.deployment.gate.required && config.pipeline.executionMode === 'PARALLEL') {
      context.addIssue({
        code: 'custom',
        path: ['pipeline', 'executionMode'],
        input: 'PARALLEL',
        message:
          'SUPERSEDED or QUEUED where deployment.gate.required is true: in PARALLEL another execution’s deployment ' +
          'may take the place of the one that a person is asked about',
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
/** What is assumed of a month in each region. */
export type Usage = Config['usage'];

/** Gives `tandem.config.ts` its types; the value is checked when Tandem reads the file. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
