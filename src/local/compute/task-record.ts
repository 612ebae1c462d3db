import type { ObservedTask, TaskFailure } from '../../control/deployment/observed.ts';
import { judgeHealth } from '../../control/deployment/task-health.ts';
import type { Instant } from '../../core/instant.ts';
import type { Task } from '../../model/task.ts';
import type { TargetStatus } from '../balancer/contract.ts';

/** A task as it is stored: what people see, and what its life cycle goes by. */
export interface TaskRecord extends Task {
  /** Counts up within the service; a number is started once. */
  number: number;
  /** The image has a HEALTHCHECK that can be run here. */
  hasHealthCheck: boolean;
  /** When it was first healthy. */
  healthySince?: Instant;
  /** The polite stop signal was sent; STOPPING began then. */
  signalledAt?: Instant;
  /** Why it stopped, where nobody had told it to. */
  failure?: TaskFailure;
  /** A decision that saw its end is stored. */
  isAccounted: boolean;
}

export interface HealthSettings {
  graceMs: number;
  targetGroup: string;
  path: string;
}

export function toTask(record: TaskRecord): Task {
  const {
    number: _number,
    hasHealthCheck: _hasHealthCheck,
    healthySince: _healthySince,
    signalledAt: _signalledAt,
    failure: _failure,
    isAccounted: _isAccounted,
    ...task
  } = record;
  return task;
}

export function observeTask(
  record: TaskRecord,
  target: TargetStatus | undefined,
  settings: HealthSettings,
  now: Instant,
): ObservedTask {
  const phase = phaseOf(record);
  const evidence = {
    ...settings,
    ...(target && { target: target.health }),
    ...(record.hasHealthCheck && { container: record.containerHealth }),
    startedAt: record.startedAt ?? now,
  };
  const judged = phase === 'running' ? judgeHealth(evidence, now) : { health: 'unknown' as const };
  return {
    id: record.id,
    deploymentId: record.deploymentId,
    zone: record.zone,
    phase,
    createdAt: record.createdAt,
    ...(record.healthySince !== undefined && { healthySince: record.healthySince }),
    ...(phase === 'stopped' && record.failure && { failure: record.failure }),
    ...judged,
    requestsInFlight: target?.outstanding ?? 0,
  };
}

function phaseOf({ status, stoppingAt }: TaskRecord): ObservedTask['phase'] {
  if (status === 'STOPPED' || status === 'DEPROVISIONING') return 'stopped';
  if (stoppingAt !== undefined) return 'stopping';
  return status === 'RUNNING' ? 'running' : 'starting';
}
