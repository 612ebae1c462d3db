import { serviceTiming } from '../../model/timing.ts';
import { environmentConfig } from '../../model/config/environment.ts';
import { MINUTE_MS, HOUR_MS } from '../../core/duration.ts';
import { PIPELINE_ENVIRONMENTS, type PipelineEnvironment } from '../../model/names.ts';
import type { Endpoint } from '../../platform/network.ts';
import type { BalancerConfig, TargetGroup } from '../balancer/contract.ts';
import type { ServiceContext } from '../context.ts';
import type { TaskRecord } from './task-record.ts';

/** ALB's own defaults; a body has no limit there, so this one only keeps a mistake from filling a machine. */
const LIMITS = { idleTimeoutMs: MINUTE_MS, clientKeepAliveMs: HOUR_MS, bodyBytes: 10 * 1024 ** 3 };

export function targetGroupName(application: string, service: PipelineEnvironment): string {
  return `${application}-${service}`;
}

/** A listener and a target group for each environment; one without tasks answers 503, as ALB does. */
export function balancerConfig(
  context: Pick<ServiceContext, 'config' | 'timing'>,
  listeners: Record<PipelineEnvironment, Endpoint>,
  tasks: readonly TaskRecord[],
): BalancerConfig {
  const { application, logs } = context.config;
  return {
    listeners: PIPELINE_ENVIRONMENTS.map(name => ({
      name,
      ...listeners[name],
      forward: [{ targetGroup: targetGroupName(application, name), weight: 1 }],
    })),
    targetGroups: PIPELINE_ENVIRONMENTS.map(name =>
      targetGroup(
        context,
        name,
        tasks.filter(({ service }) => service === name),
      ),
    ),
    limits: LIMITS,
    logsRequests: logs.accessLogs,
  };
}

function targetGroup(
  context: Pick<ServiceContext, 'config' | 'timing'>,
  name: PipelineEnvironment,
  tasks: readonly TaskRecord[],
): TargetGroup {
  const environment = environmentConfig(context.config, name);
  const { healthCheck } = environment.service;
  const timing = serviceTiming(context.timing, environment);
  return {
    name: targetGroupName(context.config.application, name),
    algorithm: 'round_robin',
    healthCheck: {
      path: healthCheck.path,
      matcher: healthCheck.matcher,
      healthyThreshold: healthCheck.healthyThreshold,
      unhealthyThreshold: healthCheck.unhealthyThreshold,
      intervalMs: timing.healthCheckIntervalMs,
      initialIntervalMs: timing.initialHealthCheckIntervalMs,
      timeoutMs: timing.healthCheckTimeoutMs,
      startAllowanceMs: timing.startAllowanceMs,
    },
    deregistrationDelayMs: timing.deregistrationDelayMs,
    drainingEndsWhenIdle: timing.drainingEndsWhenIdle,
    slowStartMs: 0,
    targets: tasks.flatMap(task => (isTarget(task) ? [{ id: task.id, ...task.endpoint }] : [])),
  };
}

/** Requests go to it: it is being registered or was, and nobody has told it to stop. */
export function isTarget(task: TaskRecord): task is TaskRecord & { endpoint: Endpoint } {
  const isServing = task.status === 'ACTIVATING' || task.status === 'RUNNING';
  return isServing && task.stoppingAt === undefined && task.endpoint !== undefined;
}
