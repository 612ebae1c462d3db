import { HOUR_MS } from '../../core/duration.ts';
import type { Instant } from '../../core/instant.ts';
import type { Finding, ServiceObservation, TaskStop } from '../../model/diagnosis.ts';
import { nextMemoryMb } from '../../model/config/fargate.ts';

/** ECS itself forgets stopped tasks after an hour. */
const RECENT_MS = HOUR_MS;

export function recentStops({ stops }: ServiceObservation, now: Instant): TaskStop[] {
  return stops.filter(({ at }) => now - at <= RECENT_MS);
}

export function isPullFailure({ reason }: TaskStop): boolean {
  return /CannotPullContainer|CannotPullImage|ImageNotFound|pull image manifest/i.test(reason);
}

export function isOutOfMemory({ reason }: TaskStop): boolean {
  return /OutOfMemory/i.test(reason);
}

interface PullCause {
  sign: RegExp;
  cause: string;
  mend: string;
  /** Going back to an earlier release helps. */
  isOfRelease?: boolean;
}

/** What registries and the network answer, the most telling first. */
const PULL_CAUSES: readonly PullCause[] = [
  {
    sign: /toomanyrequests|rate limit/i,
    cause: 'the registry limits how often images are pulled',
    mend: 'use a base image from a registry without limits, such as public.ecr.aws, and push again',
  },
  {
    sign: /no matching manifest|platform|exec format/i,
    cause: 'the image is for other processors than the tasks have',
    mend: 'build for `aws.architecture` of the configuration, and push again',
  },
  {
    sign: /AccessDenied|not authorized|no basic auth|403|401/i,
    cause: 'the registry refuses the task’s execution role',
    mend: 'put the role back as Terraform made it: `tandem drift`, then `tandem deploy --target aws`',
  },
  {
    sign: /timeout|dial tcp|deadline|no such host|connection/i,
    cause: 'the registry cannot be reached from the private subnets',
    mend: 'put NAT gateways, routes and VPC endpoints back as Terraform made them: `tandem drift`, then `tandem deploy --target aws`',
  },
  {
    sign: /not found|manifest unknown|404|unavailable|lacks|no longer/i,
    cause: 'the image is not in the registry',
    mend: 'push the commit again, or go back to a release that has its image',
    isOfRelease: true,
  },
];

/** Tasks that cannot start because their image cannot be had. */
export function imagePullFindings(service: ServiceObservation, region: string, now: Instant): Finding[] {
  const failures = recentStops(service, now).filter(isPullFailure);
  const newest = failures[0];
  if (!newest) return [];
  const known = PULL_CAUSES.find(({ sign }) => sign.test(newest.reason));
  return [
    {
      case: 'image-pull',
      severity: service.running < service.desired || service.healthyTargets === 0 ? 'error' : 'warning',
      region,
      subject: service.environment,
      cause: `tasks cannot start: ${known?.cause ?? 'their image cannot be pulled'}`,
      evidence: [
        { what: 'stopped tasks', seen: `${failures.length} in the last hour` },
        { what: 'newest', seen: newest.reason },
      ],
      mend: pullMend(known, service.commands.rollBack),
    },
  ];
}

function pullMend(known: PullCause | undefined, rollBack: string): string {
  if (known === undefined) return `read the reason above; \`${rollBack}\` goes back to a release that ran`;
  return known.isOfRelease === true ? `${known.mend}: \`${rollBack}\`` : known.mend;
}

/** Tasks that are killed for using more memory than they have. */
export function memoryFindings(service: ServiceObservation, region: string, now: Instant): Finding[] {
  const kills = recentStops(service, now).filter(isOutOfMemory);
  if (kills.length === 0) return [];
  const next = nextMemoryMb(service.memoryMb);
  const more = next === undefined ? '' : `set service.memoryMb to ${next} in the configuration, or `;
  return [
    {
      case: 'memory',
      severity: kills.length > 1 ? 'error' : 'warning',
      region,
      subject: service.environment,
      cause: `tasks are killed for using more than ${service.memoryMb} MB of memory`,
      evidence: [
        { what: 'killed tasks', seen: `${kills.length} in the last hour` },
        { what: 'newest', seen: kills[0]!.reason },
      ],
      mend: `${more}find what keeps memory; \`${service.commands.rollBack}\` if the newest release began it`,
    },
  ];
}
