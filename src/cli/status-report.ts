import { ENDED_DEPLOYMENT_STATUSES, type Deployment, type ServiceStatus } from '../model/deployment.ts';
import type { Execution } from '../model/execution.ts';
import type { RegionStatus, ReplicationStatus } from '../model/status.ts';
import { unreachable } from '../core/assert.ts';
import { formatDuration } from '../core/duration.ts';
import type { Instant } from '../core/instant.ts';
import type { Paint } from './context.ts';
import { executionName, executionRow } from './text/execution-text.ts';
import { printable } from './text/printable.ts';
import { table } from './text/table.ts';
import { ago, waitingText } from './text/time.ts';
import { healthWord, shortCommit, shortId } from './text/words.ts';

/** A region's status for programs; part of the contract: keys are added, never changed. */
export function statusAsJson(status: RegionStatus): object {
  const { region, health, problems, endpoint, gitUrl, services, execution, replication } = status;
  return {
    region,
    health,
    problems,
    endpoint,
    gitUrl,
    services: Object.fromEntries(services.map(service => [service.name, serviceAsJson(service)])),
    execution: execution ? executionAsJson(execution) : null,
    replication,
  };
}

function serviceAsJson({
  url,
  release,
  running,
  desired,
  pending,
  healthyTargets,
  deployment,
}: ServiceStatus) {
  return {
    url,
    /** The full commit id. */
    release: release?.commit ?? null,
    digest: release?.digest ?? null,
    running,
    desired,
    pending,
    healthyTargets,
    deployment: deployment
      ? {
          id: deployment.id,
          release: deployment.release.commit,
          status: deployment.status,
          cause: deployment.cause ?? null,
          waiting: deployment.waiting ?? null,
        }
      : null,
  };
}

function executionAsJson({ id, number, status, stage, stages, commit, cause, waiting }: Execution) {
  return {
    id,
    number: number === 0 ? null : number,
    status,
    stage,
    stages: stages.map(({ name, status: stageStatus }) => ({ name, status: stageStatus })),
    commit: commit.id,
    subject: commit.subject,
    cause: cause ?? null,
    waiting: waiting ?? null,
  };
}

/** A region's status for people, a block of lines. */
export function statusLines(
  status: RegionStatus,
  options: { isPrimary: boolean; now: Instant; paint: Paint },
): string[] {
  const { paint } = options;
  const primary = options.isPrimary ? ' (primary)' : '';
  const heading = `${paint.bold(status.region)}${primary}  ${healthWord(status.health, paint)}`;
  const problems = status.problems.map(problem => [paint.yellow('problem'), printable(problem)]);
  if (status.health === 'unreachable') return [heading, ...table(problems, '  ')];
  const rows = [
    ...problems,
    ...status.services.flatMap(service => serviceRows(service, paint)),
    ...executionRows(status.execution, options),
    ...status.replication.map((replication, index) => [
      index === 0 ? 'replication' : '',
      replicationText(replication, paint),
    ]),
  ];
  return [heading, ...table(rows, '  ')];
}

/**
 * How histories that have split are mended, once for each ref and pair of regions: both sides report it, and either
 * one's commands do.
 */
export function mendLines(statuses: readonly RegionStatus[], paint: Paint): string[] {
  const told = new Set<string>();
  return statuses.flatMap(({ region, replication }) =>
    replication.flatMap(({ peer, splits }) =>
      splits.flatMap(({ ref, mends }) => {
        const split = [ref, ...[region, peer].sort()].join(' ');
        if (told.has(split) || mends.length === 0) return [];
        told.add(split);
        return [
          '',
          `To mend ${paint.bold(printable(ref))}, in a clone of the repository, one of:`,
          ...mends.flatMap(({ keeps, command }) => [
            `  to keep ${printable(keeps)}:`,
            `    ${paint.cyan(printable(command))}`,
          ]),
        ];
      }),
    ),
  );
}

function serviceRows(service: ServiceStatus, paint: Paint): string[][] {
  const release = service.release ? paint.yellow(shortCommit(service.release.commit)) : paint.dim('nothing');
  const running = `${service.running}/${service.desired} running`;
  const remark = service.deployment && deploymentRemark(service.deployment, paint);
  return [
    [service.name, `${release}  ${running}  ${paint.cyan(service.url)}`],
    ...(remark === undefined ? [] : [['', remark]]),
  ];
}

function deploymentRemark(deployment: Deployment, paint: Paint): string | undefined {
  const release = shortCommit(deployment.release.commit);
  if (!ENDED_DEPLOYMENT_STATUSES.has(deployment.status)) {
    const verb = deployment.status.startsWith('ROLLBACK') ? 'rolling back' : 'deploying';
    const detail = deployment.waiting ? waitingText(deployment.waiting) : deployment.cause;
    return `${paint.cyan(verb)} ${release}${detail === undefined ? '' : `: ${printable(detail)}`}`;
  }
  if (deployment.status === 'SUCCESSFUL') return undefined;
  const word = deployment.status.toLowerCase().replace('_', ' ');
  return `last deployment (${release}): ${paint.red(word)}: ${printable(deployment.cause ?? 'no cause given')}`;
}

function executionRows(
  execution: Execution | undefined,
  { now, paint }: { now: Instant; paint: Paint },
): string[][] {
  if (!execution) return [['execution', paint.dim('none yet: git push tandem')]];
  const about = paint.dim(`${shortId(execution)}, ${ago(execution.startedAt, now)}`);
  return [
    ['execution', `${executionName(execution, paint)}  ${about}`],
    ['', executionRow(execution, paint)],
  ];
}

function replicationText(
  { peer, state, pendingRefs, lagMs, splits, message }: ReplicationStatus,
  paint: Paint,
) {
  switch (state) {
    case 'in-sync':
      return `${peer} in sync`;
    case 'behind':
      return `${peer} ${paint.yellow('behind')} by ${count(pendingRefs, 'ref')}, for ${formatDuration(lagMs)}`;
    case 'unreachable':
      return `${peer} ${paint.red('unreachable')}${message === undefined ? '' : `: ${printable(message)}`}`;
    case 'split':
      return `${peer} ${paint.red('split')}: ${printable(splits.map(({ ref }) => ref).join(', '))}`;
    default:
      return unreachable(state);
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
