import type { Instant } from '../../core/instant.ts';
import type { TargetHealth } from '../../model/target.ts';
import type { ContainerHealth } from '../../model/task.ts';
import type { ObservedTask, TaskFailure } from './observed.ts';

export interface HealthEvidence {
  /** Absent where the balancer does not know it, or does not answer. */
  target?: TargetHealth;
  /** Absent where the image has no HEALTHCHECK, or it can not be run. */
  container?: ContainerHealth;
  startedAt: Instant;
  /** ECS `healthCheckGracePeriodSeconds`: so long after the start, failed checks of either kind do not count. */
  graceMs: number;
  targetGroup: string;
  /** The path that the balancer checks. */
  path: string;
}

/** ECS: with a load balancer a task is healthy when its target is, and its container too if that is checked. */
export function judgeHealth(
  evidence: HealthEvidence,
  now: Instant,
): Pick<ObservedTask, 'health'> & { failure?: TaskFailure } {
  const { target, container } = evidence;
  const isInGrace = now < evidence.startedAt + evidence.graceMs;
  if (target?.state === 'healthy' && (container === undefined || container === 'HEALTHY')) {
    return { health: 'healthy' };
  }
  if (isInGrace) return { health: 'unknown' };
  if (container === 'UNHEALTHY') {
    const reason = 'Task failed container health checks';
    return { health: 'unhealthy', failure: { reason, phrase: "failed the container's HEALTHCHECK" } };
  }
  if (target?.state !== 'unhealthy') return { health: 'unknown' };
  const reason = `Task failed ELB health checks in (target-group ${evidence.targetGroup})`;
  return { health: 'unhealthy', failure: { reason, phrase: describeTarget(target, evidence.path) } };
}

function describeTarget({ reason, description }: TargetHealth, path: string): string {
  const checks = `health checks on ${path}`;
  if (reason === 'Target.Timeout') return `did not answer ${checks} in time`;
  if (reason !== 'Target.ResponseCodeMismatch') {
    return `did not answer ${checks}: no connection, or no HTTP answer on it`;
  }
  const codes = /\[(.*)\]/.exec(description ?? '')?.[1];
  return codes === undefined ? `failed ${checks}` : `answered ${checks} with ${codes}`;
}
