import type { Config } from '../../model/config/schema.ts';
import type { CostLever } from '../../model/cost.ts';

/** A change of settings that makes it cheaper. What it saves is found by estimating again with it. */
export interface Lever extends Pick<CostLever, 'name' | 'setting' | 'price'> {
  isUsed(config: Config): boolean;
  /** The configuration with the lever pulled; where it is pulled already, without. */
  toggle(config: Config): Config;
}

const NIGHTS_AND_WEEKENDS: Config['scaling']['schedules'] = [
  {
    name: 'evening',
    schedule: 'cron(0 20 ? * MON-FRI *)',
    timeZone: 'UTC',
    minimumCount: 1,
    maximumCount: 10,
  },
  {
    name: 'morning',
    schedule: 'cron(0 6 ? * MON-FRI *)',
    timeZone: 'UTC',
    minimumCount: 2,
    maximumCount: 10,
  },
];
const SPOT_PERCENT = 50;
const FEW_DAYS = 7;
const ORDINARY_DAYS = 30;

export const LEVERS: readonly Lever[] = [
  {
    name: 'ARM processors',
    setting: "aws.architecture: 'ARM64'",
    price: 'images must be built for ARM64',
    isUsed: ({ aws }) => aws.architecture === 'ARM64',
    toggle: config =>
      withAws(config, { architecture: config.aws.architecture === 'ARM64' ? 'X86_64' : 'ARM64' }),
  },
  {
    name: 'half of the tasks on Spot',
    setting: `aws.spotPercent: ${SPOT_PERCENT}`,
    price: 'AWS may stop them with two minutes’ notice; the first task of a service is never on Spot',
    isUsed: ({ aws }) => aws.spotPercent > 0,
    toggle: config => withAws(config, { spotPercent: config.aws.spotPercent > 0 ? 0 : SPOT_PERCENT }),
  },
  nat('single', 'one NAT gateway a region', 'a failing zone takes the other’s way out with it'),
  nat(
    'none',
    'VPC endpoints, no NAT gateway',
    'tasks reach AWS services that have an endpoint (network.endpoints), nothing else outside',
  ),
  {
    name: `logs kept for ${FEW_DAYS} days`,
    setting: `logs.retentionDays: ${FEW_DAYS}`,
    price: 'older logs are gone',
    isUsed: ({ logs }) => logs.retentionDays <= FEW_DAYS,
    toggle: config => ({
      ...config,
      logs: {
        ...config.logs,
        retentionDays: config.logs.retentionDays <= FEW_DAYS ? ORDINARY_DAYS : FEW_DAYS,
      },
    }),
  },
  {
    name: `artifacts kept for ${FEW_DAYS} days`,
    setting: `pipeline.artifactDays: ${FEW_DAYS}`,
    price: 'an older execution cannot be retried',
    isUsed: ({ pipeline }) => pipeline.artifactDays <= FEW_DAYS,
    toggle: config => ({
      ...config,
      pipeline: {
        ...config.pipeline,
        artifactDays: config.pipeline.artifactDays <= FEW_DAYS ? ORDINARY_DAYS : FEW_DAYS,
      },
    }),
  },
  {
    name: 'one task at night and at weekends',
    setting: 'scaling.schedules',
    price: 'a zone that fails then is an interruption',
    isUsed: ({ scaling }) => scaling.schedules.length > 0,
    toggle: config => ({
      ...config,
      scaling: {
        ...config.scaling,
        schedules: config.scaling.schedules.length > 0 ? [] : NIGHTS_AND_WEEKENDS,
      },
    }),
  },
  {
    name: 'one task in staging',
    setting: 'environments.staging.service: { desiredCount: 1, minimumCount: 1 }',
    price: 'staging stands still while its task is replaced after a failure',
    isUsed: ({ environments }) => (environments.staging.service.minimumCount ?? Infinity) <= 1,
    toggle: config => {
      const { service } = config.environments.staging;
      const { desiredCount: _desired, minimumCount: _minimum, ...others } = service;
      const isUsed = (service.minimumCount ?? Infinity) <= 1;
      const staging = {
        ...config.environments.staging,
        service: isUsed ? others : { ...service, desiredCount: 1, minimumCount: 1 },
      };
      return { ...config, environments: { ...config.environments, staging } };
    },
  },
  standby(
    'warm',
    'warm standby: one task in the other regions',
    'they need a minute or two to take all traffic',
  ),
  standby('pilot-light', 'pilot light: no task in the other regions', 'a failover must start them first'),
];

function nat(mode: 'single' | 'none', name: string, price: string): Lever {
  return {
    name,
    setting: `network.nat: '${mode}'`,
    price,
    isUsed: ({ network }) => network.nat === mode,
    toggle: config => ({
      ...config,
      network: { ...config.network, nat: config.network.nat === mode ? 'per-zone' : mode },
    }),
  };
}

function standby(kind: 'warm' | 'pilot-light', name: string, price: string): Lever {
  return {
    name,
    setting: `aws.standby: '${kind}'`,
    price,
    isUsed: ({ aws }) => aws.standby === kind,
    toggle: config => withAws(config, { standby: config.aws.standby === kind ? 'full' : kind }),
  };
}

function withAws(config: Config, changes: Partial<Config['aws']>): Config {
  return { ...config, aws: { ...config.aws, ...changes } };
}
