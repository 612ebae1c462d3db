import { DAY_MS, MINUTE_MS, SECOND_MS } from '../core/duration.ts';
import type { EnvironmentConfig } from './config/environment.ts';
import type { Config } from './config/schema.ts';

export type TimingProfile = 'fast' | 'aws';

/** Every time that the local cloud's services go by, in milliseconds. */
export interface ServiceTiming {
  healthCheckIntervalMs: number;
  healthCheckTimeoutMs: number;
  /** A new target is checked at this pace until its first answer. */
  initialHealthCheckIntervalMs: number;
  healthCheckGraceMs: number;
  /** A new target is not made unhealthy earlier than this; see `serviceTiming`. */
  startAllowanceMs: number;
  deregistrationDelayMs: number;
  /** ALB keeps a target `draining` for the whole delay, even if idle; the fast profile ends with the last request. */
  drainingEndsWhenIdle: boolean;
  stopTimeoutMs: number;
  bakeTimeMs: number;
  /** First and longest wait before a task that keeps failing is started again. */
  restartBackoff: { firstMs: number; maximumMs: number };
}

export interface PipelineTiming {
  approvalExpiresAfterMs: number;
  buildTimeoutMs: number;
}

/** What an ordinary application may take to start on a busy machine. */
const START_ALLOWANCE_MS = 5 * SECOND_MS;

/**
 * `aws` goes by the config file's own numbers. `fast` is for one machine: health checks twice a second, and a
 * configured minute of bake lasts one second. What protects users' requests (stop timeout, deregistration
 * delay) and what people wait on (approval, build timeout) is never shortened. Nor does an application start any
 * quicker: with checks twice a second two failures would condemn it within the second, where AWS's usual settings
 * leave it a minute, so a new target has a start allowance.
 */
export function serviceTiming(profile: TimingProfile, environment: EnvironmentConfig): ServiceTiming {
  const { service, deployment } = environment;
  const protective = {
    deregistrationDelayMs: service.deregistrationDelaySeconds * SECOND_MS,
    stopTimeoutMs: service.stopTimeoutSeconds * SECOND_MS,
  };
  if (profile === 'aws') {
    return {
      ...protective,
      healthCheckIntervalMs: service.healthCheck.intervalSeconds * SECOND_MS,
      healthCheckTimeoutMs: service.healthCheck.timeoutSeconds * SECOND_MS,
      initialHealthCheckIntervalMs: service.healthCheck.intervalSeconds * SECOND_MS,
      healthCheckGraceMs: service.healthCheck.gracePeriodSeconds * SECOND_MS,
      startAllowanceMs: 0,
      drainingEndsWhenIdle: false,
      bakeTimeMs: deployment.bakeTimeMinutes * MINUTE_MS,
      restartBackoff: { firstMs: 5 * SECOND_MS, maximumMs: 15 * MINUTE_MS },
    };
  }
  return {
    ...protective,
    healthCheckIntervalMs: 500,
    healthCheckTimeoutMs: 2 * SECOND_MS,
    initialHealthCheckIntervalMs: 50,
    healthCheckGraceMs: (service.healthCheck.gracePeriodSeconds * SECOND_MS) / 15,
    startAllowanceMs: Math.max(START_ALLOWANCE_MS, service.healthCheck.gracePeriodSeconds * SECOND_MS),
    drainingEndsWhenIdle: true,
    bakeTimeMs: deployment.bakeTimeMinutes * SECOND_MS,
    restartBackoff: { firstMs: 200, maximumMs: 30 * SECOND_MS },
  };
}

export function pipelineTiming(config: Config): PipelineTiming {
  return {
    approvalExpiresAfterMs: config.pipeline.approval.expiresAfterDays * DAY_MS,
    buildTimeoutMs: config.build.timeoutMinutes * MINUTE_MS,
  };
}
