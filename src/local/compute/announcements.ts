import type { Announcement } from '../../control/deployment/decide.ts';
import { unreachable } from '../../core/assert.ts';
import { formatDuration } from '../../core/duration.ts';
import type { Deployment } from '../../model/deployment.ts';
import type { NewRegionEvent } from '../../model/event.ts';
import type { PipelineEnvironment } from '../../model/names.ts';
import type { Release } from '../../model/release.ts';
import type { TaskRecord } from './task-record.ts';

/** As ECS words its service events. */
export function serviceEventOf(service: PipelineEnvironment, announcement: Announcement): string | undefined {
  const prefix = `(service ${service})`;
  switch (announcement.kind) {
    case 'service-steady':
      return `${prefix} has reached a steady state.`;
    case 'deployment-succeeded':
      return `${prefix} (deployment ${announcement.deployment.id}) deployment completed.`;
    case 'deployment-rolled-back':
      return `${prefix} (deployment ${announcement.to.deploymentId}) rollback completed.`;
    case 'rollback-started':
      return `${prefix} rolling back to (deployment ${announcement.to.deploymentId}).`;
    case 'deployment-failed':
      return `${prefix} (deployment ${announcement.deployment.id}) deployment failed: ${announcement.deployment.cause}.`;
    case 'deployment-stopped':
      return `${prefix} (deployment ${announcement.deployment.id}) deployment stopped: ${announcement.deployment.cause}.`;
    case 'deployment-blocked':
      return (
        `${prefix} was unable to stop or start tasks during a deployment because of the service deployment ` +
        'configuration. Update the minimumHealthyPercent or maximumPercent value and try again.'
      );
    case 'tasks-keep-failing':
      return `${prefix} is unable to consistently start tasks successfully: ${announcement.cause}.`;
    case 'deployment-steady':
      return undefined;
    default:
      return unreachable(announcement);
  }
}

/** What the region's event log is told; `undefined` where the service's own events say enough. */
export function regionEventOf(announcement: Announcement): NewRegionEvent | undefined {
  switch (announcement.kind) {
    case 'deployment-steady':
      return deploymentEvent(
        'DeploymentSteady',
        'info',
        announcement.deployment,
        'runs on every task and bakes',
      );
    case 'deployment-succeeded': {
      const { deployment } = announcement;
      const took = formatDuration((deployment.endedAt ?? deployment.startedAt) - deployment.startedAt);
      return deploymentEvent('DeploymentSucceeded', 'info', deployment, `is in service after ${took}`);
    }
    case 'deployment-rolled-back': {
      const { deployment, to } = announcement;
      const what = `was rolled back to ${shortRelease(to.release)}: ${deployment.cause}`;
      return deploymentEvent('DeploymentRolledBack', 'warning', deployment, what);
    }
    case 'deployment-failed':
      return deploymentEvent(
        'DeploymentFailed',
        'error',
        announcement.deployment,
        `failed: ${announcement.deployment.cause}`,
      );
    case 'deployment-stopped':
      return deploymentEvent(
        'DeploymentStopped',
        'warning',
        announcement.deployment,
        `was stopped: ${announcement.deployment.cause}`,
      );
    case 'rollback-started': {
      const what = `failed and goes back to ${shortRelease(announcement.to.release)}: ${announcement.deployment.cause}`;
      return deploymentEvent('DeploymentRollbackStarted', 'warning', announcement.deployment, what);
    }
    case 'service-steady':
    case 'deployment-blocked':
    case 'tasks-keep-failing':
      return undefined;
    default:
      return unreachable(announcement);
  }
}

export function deploymentStarted(deployment: Deployment): NewRegionEvent {
  return deploymentEvent('DeploymentStarted', 'info', deployment, 'is being deployed');
}

function deploymentEvent(
  type: string,
  severity: NewRegionEvent['severity'],
  deployment: Deployment,
  what: string,
): NewRegionEvent {
  const { id, service, release, status, cause } = deployment;
  return {
    source: 'compute',
    type,
    severity,
    message: `${service}: ${shortRelease(release)} ${what}`,
    data: {
      deploymentId: id,
      service,
      commit: release.commit,
      digest: release.digest,
      status,
      ...(cause !== undefined && { cause }),
    },
  };
}

export function taskStarted(task: TaskRecord): NewRegionEvent {
  const where = task.endpoint ? ` at ${task.endpoint.address}:${task.endpoint.port}` : '';
  return taskEvent('TaskStarted', 'info', task, `runs ${shortRelease(task.release)} in ${task.zone}${where}`);
}

/** 128 + 9: what a shell makes of an end by SIGKILL. */
const KILLED_EXIT_CODE = 137;

export function taskStopped(task: TaskRecord): NewRegionEvent {
  const killed = !task.failure && task.exitCode === KILLED_EXIT_CODE;
  const words = killed ? 'SIGKILL: it did not end within the stop timeout' : task.failure?.phrase;
  const detail = words === undefined ? '' : ` (${words})`;
  const severity = words === undefined ? 'info' : 'warning';
  return taskEvent('TaskStopped', severity, task, `stopped: ${task.stoppedReason ?? 'it ended'}${detail}`);
}

export function healthCheckImpossible(task: TaskRecord, why: string): NewRegionEvent {
  const what = `has a HEALTHCHECK that can not be run on this machine (${why}); the load balancer's checks decide alone`;
  return taskEvent('ContainerHealthCheckSkipped', 'warning', task, what);
}

function taskEvent(
  type: string,
  severity: NewRegionEvent['severity'],
  task: TaskRecord,
  what: string,
): NewRegionEvent {
  return {
    source: 'compute',
    type,
    severity,
    message: `${task.service}: task ${task.id.slice(0, 8)} ${what}`,
    data: {
      taskId: task.id,
      service: task.service,
      deploymentId: task.deploymentId,
      commit: task.release.commit,
      ...(task.stopCode !== undefined && { stopCode: task.stopCode }),
      ...(task.stoppedReason !== undefined && { stoppedReason: task.stoppedReason }),
      ...(task.exitCode !== undefined && { exitCode: task.exitCode }),
    },
  };
}

/** What the life of tasks adds to the service's events, as ECS words it. */
export function serviceEventsOfTasks(
  service: PipelineEnvironment,
  targetGroup: string,
  changes: readonly { before: TaskRecord['status'] | undefined; task: TaskRecord }[],
): string[] {
  const reached = (status: TaskRecord['status']) =>
    changes.filter(({ before, task }) => task.status === status && before !== status);
  const prefix = `(service ${service})`;
  const list = (found: readonly { task: TaskRecord }[]) =>
    found.map(({ task }) => `(task ${task.id})`).join(' ');
  const started = changes.filter(({ before }) => before === undefined);
  const registered = reached('RUNNING');
  const draining = reached('DEACTIVATING');
  const stopped = reached('DEPROVISIONING').filter(({ task }) => task.startedAt !== undefined);
  const events: string[] = [];
  if (started.length > 0) events.push(`${prefix} has started ${started.length} tasks: ${list(started)}.`);
  if (registered.length > 0) {
    events.push(`${prefix} registered ${registered.length} targets in (target-group ${targetGroup})`);
  }
  if (draining.length > 0) {
    events.push(
      `${prefix} deregistered ${draining.length} targets in (target-group ${targetGroup})`,
      `${prefix} has begun draining connections on ${draining.length} tasks.`,
    );
  }
  if (stopped.length > 0) {
    events.push(`${prefix} has stopped ${stopped.length} running tasks: ${list(stopped)}.`);
  }
  return events;
}

function shortRelease(release: Release): string {
  return `release ${release.commit.slice(0, 7)}`;
}
