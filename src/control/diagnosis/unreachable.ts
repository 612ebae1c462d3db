import type { Instant } from '../../core/instant.ts';
import type { Finding, ServiceObservation } from '../../model/diagnosis.ts';
import { isOutOfMemory, isPullFailure, recentStops } from './stopped-tasks.ts';

type Evidence = Finding['evidence'];

interface Explanation {
  cause: string;
  mend: string;
}

/**
 * An application that people cannot reach, or reach on too few tasks. Looked at in the order in which a request goes
 * wrong: target health, security groups, tasks, logs. The first that is wrong is the cause; what comes before it is
 * evidence.
 */
export function unreachableFindings(service: ServiceObservation, region: string, now: Instant): Finding[] {
  if (service.desired === 0) return [];
  const isClosed = service.ports !== undefined && !service.ports.isBalancerOpen;
  const serving = service.healthyTargets ?? service.running;
  if (serving >= service.desired && !isClosed) return [];
  const evidence: Evidence = targetsSeen(service);
  const explained =
    portsExplain(service, evidence) ??
    tasksExplain(service, { now, evidence }) ??
    logsExplain(service, evidence);
  const isDown = serving === 0 || isClosed;
  return [
    {
      case: 'unreachable',
      severity: isDown ? 'error' : 'warning',
      region,
      subject: service.environment,
      cause: `${isDown ? 'the application cannot be reached' : 'too few tasks serve'}: ${explained.cause}`,
      evidence,
      mend: explained.mend,
    },
  ];
}

function targetsSeen({ healthyTargets, desired, otherTargets }: ServiceObservation): Evidence {
  if (healthyTargets === undefined) return [];
  const reasons = [...new Set(otherTargets.map(({ state, reason }) => reason ?? state))];
  const others = reasons.length === 0 ? '' : `; the others: ${reasons.join(', ')}`;
  return [{ what: 'targets', seen: `${healthyTargets} of ${desired} healthy${others}` }];
}

function portsExplain({ ports }: ServiceObservation, evidence: Evidence): Explanation | undefined {
  if (!ports) return undefined;
  const mend = 'put the rule back: `tandem drift` shows it, `tandem deploy --target aws` mends it';
  if (!ports.isBalancerOpen) {
    evidence.push({ what: 'security groups', seen: `${ports.balancerGroup} lets nobody in from outside` });
    return { cause: 'the load balancer’s security group is closed', mend };
  }
  if (!ports.isBalancerOpenToTasks) {
    const seen = `${ports.balancerGroup} lets nothing out to ${ports.tasksGroup} on port ${ports.port}`;
    evidence.push({ what: 'security groups', seen });
    return {
      cause: `the load balancer’s security group is closed towards the tasks on port ${ports.port}`,
      mend,
    };
  }
  if (!ports.areTasksOpen) {
    const seen = `${ports.tasksGroup} lets ${ports.balancerGroup} not in on port ${ports.port}`;
    evidence.push({ what: 'security groups', seen });
    return { cause: `the tasks’ security group is closed to the load balancer on port ${ports.port}`, mend };
  }
  evidence.push({ what: 'security groups', seen: `open from outside to the tasks, port ${ports.port}` });
  return undefined;
}

function tasksExplain(
  service: ServiceObservation,
  { now, evidence }: { now: Instant; evidence: Evidence },
): Explanation | undefined {
  const stops = recentStops(service, now);
  const newest = stops[0];
  const ends =
    newest === undefined ? '' : `, ${stops.length} ended in the last hour, the newest: ${newest.reason}`;
  evidence.push({ what: 'tasks', seen: `${service.running} of ${service.desired} running${ends}` });
  if (service.running >= service.desired || !newest) return undefined;
  if (isPullFailure(newest)) {
    return { cause: 'no image for its tasks', mend: 'see the finding about the image' };
  }
  if (isOutOfMemory(newest)) {
    return { cause: 'its tasks run out of memory', mend: 'see the finding about memory' };
  }
  const line = tellingLine(service.logs);
  if (line !== undefined) evidence.push({ what: 'logs', seen: line });
  const code = newest.exitCode === undefined ? '' : ` with exit code ${newest.exitCode}`;
  return {
    cause: `its tasks end${code}${line === undefined ? '' : `: ${line}`}`,
    mend: `read \`${service.commands.logs}\`; \`${service.commands.rollBack}\` goes back to a good release`,
  };
}

/** Tasks run, nothing is closed, and still they are not well: only the application can say why. */
function logsExplain(service: ServiceObservation, evidence: Evidence): Explanation {
  const line = tellingLine(service.logs);
  evidence.push({ what: 'logs', seen: line ?? 'nothing that names an error' });
  const reason = service.otherTargets.find(target => target.reason !== undefined)?.reason;
  return {
    cause: `${healthCause(reason)}${line === undefined ? '' : `; it says: ${line}`}`,
    mend:
      `read \`${service.commands.logs}\`, compare service.port and service.healthCheck with what the ` +
      `application does; \`${service.commands.rollBack}\` goes back to a good release`,
  };
}

/** Reasons of target health that say more than that it is bad (Elastic Load Balancing API, TargetHealth). */
const HEALTH_CAUSES: Readonly<Record<string, string>> = {
  'Target.ResponseCodeMismatch': 'its health check is answered, but not as service.healthCheck.matcher says',
  'Target.Timeout': 'its health check is not answered in time',
  'Target.FailedHealthChecks': 'nothing listens on the port of the service',
};

function healthCause(reason = ''): string {
  return HEALTH_CAUSES[reason] ?? 'its tasks are not found healthy';
}

/** The last line that names an error, else nothing: a line of ordinary work explains nothing. */
function tellingLine(lines: readonly string[]): string | undefined {
  return lines
    .map(line => line.trim())
    .findLast(line => /\b(\w*Error|Exception|panic|fatal|EADDRINUSE|ECONNREFUSED)\b/i.test(line));
}
