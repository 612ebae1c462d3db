import type { TaskFailure } from '../../control/deployment/observed.ts';
import { unreachable } from '../../core/assert.ts';
import type { Instant } from '../../core/instant.ts';
import type { TaskStopCode } from '../../model/task.ts';
import type { TaskRecord } from './task-record.ts';
import type { RunningTask, TaskExit } from './task-runtime.ts';

/** What was learned of a task since its record was stored. */
export type TaskReport =
  | { kind: 'started'; task: RunningTask }
  | { kind: 'start-failed'; reason: string; failure: TaskFailure }
  /** It was being started when the region process ended, and nothing runs. */
  | { kind: 'never-started' }
  | { kind: 'signalled' }
  | { kind: 'exited'; exit: TaskExit; failure: TaskFailure }
  | { kind: 'container-health'; health: TaskRecord['containerHealth'] }
  | { kind: 'health-check-impossible' }
  | { kind: 'removed' };

/** How the balancer stands to a task. */
export interface TaskSurroundings {
  isRegistered: boolean;
  /** It gets no request any more, and has none. */
  isDrained: boolean;
  /** A task that does not drain is not waited for longer than this after it was told to stop. */
  drainLimitMs: number;
  stopTimeoutMs: number;
}

export type TaskEffect = 'start' | 'stop' | 'kill' | 'remove';

export interface TaskStep {
  record: TaskRecord;
  effect?: TaskEffect;
  /** Look again then. */
  at?: Instant;
}

/** ECS: the life of a task as far as its own report tells it. */
export function applyReport(record: TaskRecord, report: TaskReport, now: Instant): TaskRecord {
  const isOver = record.status === 'STOPPED' || record.status === 'DEPROVISIONING';
  if (isOver && report.kind !== 'removed') return record;
  switch (report.kind) {
    case 'started':
      if (record.status !== 'PENDING') return record;
      return {
        ...record,
        status: 'ACTIVATING',
        endpoint: report.task.endpoint,
        hasHealthCheck: report.task.hasHealthCheck,
        startedAt: now,
      };
    case 'start-failed':
      return end(record, { stopCode: 'TaskFailedToStart', ...report }, now);
    case 'never-started':
      return record.status === 'PENDING' ? { ...record, status: 'PROVISIONING' } : record;
    case 'signalled':
      return record.signalledAt === undefined ? { ...record, signalledAt: now } : record;
    case 'exited': {
      const { exitCode, outOfMemory } = report.exit;
      const reason = outOfMemory
        ? 'OutOfMemoryError: Container killed due to memory usage'
        : 'Essential container in task exited';
      const ended = end(
        record,
        { stopCode: 'EssentialContainerExited', reason, failure: report.failure },
        now,
      );
      return exitCode === undefined ? ended : { ...ended, exitCode };
    }
    case 'container-health':
      return { ...record, containerHealth: report.health };
    case 'health-check-impossible':
      return { ...record, containerHealth: 'UNKNOWN', hasHealthCheck: false };
    case 'removed':
      return { ...record, status: 'STOPPED' };
    default:
      return unreachable(report);
  }
}

/** Its process is gone; a task that had been told to stop keeps the reason that it was given. */
function end(
  record: TaskRecord,
  cause: { stopCode: TaskStopCode; reason: string; failure: TaskFailure },
  now: Instant,
): TaskRecord {
  const ended: TaskRecord = { ...record, status: 'DEPROVISIONING', stoppedAt: now };
  if (record.stoppingAt !== undefined) return ended;
  return { ...ended, stopCode: cause.stopCode, stoppedReason: cause.reason, failure: cause.failure };
}

/** Notes that it is to stop; `advanceTask` brings it there. Nothing changes where it stops already. */
export function tellToStop(
  record: TaskRecord,
  stop: { stopCode: TaskStopCode; reason: string },
  now: Instant,
): TaskRecord {
  const isEnding = record.status === 'DEPROVISIONING' || record.status === 'STOPPED';
  if (isEnding || record.stoppingAt !== undefined) return record;
  return { ...record, stoppingAt: now, stopCode: stop.stopCode, stoppedReason: stop.reason };
}

/**
 * The next step of a task: PROVISIONING → PENDING (being started) → ACTIVATING (being registered) → RUNNING →
 * DEACTIVATING (being deregistered and drained) → STOPPING (signal sent) → DEPROVISIONING → STOPPED. The effect is
 * carried out after the record is stored; all effects may be repeated.
 */
export function advanceTask(record: TaskRecord, around: TaskSurroundings, now: Instant): TaskStep {
  const { status, stoppingAt } = record;
  switch (status) {
    case 'PROVISIONING':
      if (stoppingAt === undefined) return { record: { ...record, status: 'PENDING' }, effect: 'start' };
      return { record: { ...record, status: 'DEPROVISIONING', stoppedAt: now } };
    case 'PENDING':
      return { record };
    case 'ACTIVATING':
      if (stoppingAt !== undefined) return { record: { ...record, status: 'DEACTIVATING' } };
      return around.isRegistered ? { record: { ...record, status: 'RUNNING' } } : { record };
    case 'RUNNING':
      return stoppingAt === undefined ? { record } : { record: { ...record, status: 'DEACTIVATING' } };
    case 'DEACTIVATING': {
      const limit = (stoppingAt ?? now) + around.drainLimitMs;
      if (!around.isDrained && now < limit) return { record, at: limit };
      return { record: { ...record, status: 'STOPPING' }, effect: 'stop' };
    }
    case 'STOPPING': {
      if (record.signalledAt === undefined) return { record, effect: 'stop' };
      const killAt = record.signalledAt + around.stopTimeoutMs;
      return now < killAt ? { record, at: killAt } : { record, effect: 'kill' };
    }
    case 'DEPROVISIONING':
      return { record, effect: 'remove' };
    case 'STOPPED':
      return { record };
    default:
      return unreachable(status);
  }
}
