import type { Environment } from '../names.ts';
import type { Config, ServiceConfig } from './schema.ts';

const STANDBY_TASKS = { warm: 1, 'pilot-light': 0 } as const;

export interface TaskCounts extends Pick<ServiceConfig, 'desiredCount' | 'minimumCount' | 'maximumCount'> {
  /** None in a standby region: they would fill it up again. */
  schedules: Config['scaling']['schedules'];
}

/** How many tasks a service runs in one region on AWS: a standby region keeps fewer, and may grow as far as any. */
export function taskCounts(
  config: Config,
  environment: Environment,
  region: string,
  { desiredCount, minimumCount, maximumCount }: ServiceConfig,
): TaskCounts {
  const { standby } = config.aws;
  const isStandby = standby !== 'full' && environment === 'production' && region !== config.regions[0];
  if (!isStandby) return { desiredCount, minimumCount, maximumCount, schedules: config.scaling.schedules };
  const tasks = Math.min(STANDBY_TASKS[standby], minimumCount);
  return { desiredCount: tasks, minimumCount: tasks, maximumCount, schedules: [] };
}
