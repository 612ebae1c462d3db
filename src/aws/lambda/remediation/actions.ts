/* What an alarm can set off. Each returns what was done, in a sentence for people. */
import {
  DescribeServiceRevisionsCommand,
  DescribeServicesCommand,
  ListServiceDeploymentsCommand,
  StopServiceDeploymentCommand,
  UpdateServiceCommand,
  type ECSClient,
  type Service,
  type ServiceDeploymentBrief,
} from '@aws-sdk/client-ecs';
import { earlierTaskDefinition } from '../../../control/remediation/rollback-choice.ts';
import { unreachable } from '../../../core/assert.ts';
import { TandemError } from '../../../core/error.ts';
import type { Remedy } from '../../../model/remediation.ts';
import { fetchHttp, timeLimit } from '../../../platform/http.ts';

export interface RemedyPlace {
  ecs: ECSClient;
  cluster: string;
  service: string;
  /** Autoscaling's own. */
  maximumCount: number;
  hookUrl: string;
}

export interface AlarmFacts {
  alarm: string;
  region: string;
  /** As CloudWatch says it. */
  reason: string;
  /** ISO 8601. */
  time: string;
}

const HOOK_TIMEOUT_MS = 10_000;

export function applyRemedy(remedy: Remedy, place: RemedyPlace, facts: AlarmFacts): Promise<string> {
  switch (remedy) {
    case 'restart':
      return restart(place);
    case 'scale-out':
      return scaleOut(place);
    case 'roll-back':
      return rollBack(place);
    case 'call':
      return call(place, facts);
    default:
      return unreachable(remedy);
  }
}

async function restart({ ecs, cluster, service }: RemedyPlace): Promise<string> {
  await ecs.send(new UpdateServiceCommand({ cluster, service, forceNewDeployment: true }));
  return `all tasks of ${service} are being replaced`;
}

/** Autoscaling takes it from there, and takes tasks away again when they are not needed. */
async function scaleOut(place: RemedyPlace): Promise<string> {
  const { ecs, cluster, service, maximumCount } = place;
  const { desiredCount = 0 } = await describe(place);
  if (desiredCount >= maximumCount)
    return `nothing: ${service} already has its maximum of ${maximumCount} tasks`;
  const wanted = Math.min(maximumCount, desiredCount + Math.max(1, Math.ceil(desiredCount / 2)));
  await ecs.send(new UpdateServiceCommand({ cluster, service, desiredCount: wanted }));
  return `${service} goes from ${desiredCount} to ${wanted} tasks`;
}

async function rollBack(place: RemedyPlace): Promise<string> {
  const { ecs, cluster, service } = place;
  const [underWay] = await deployments(place, ['PENDING', 'IN_PROGRESS']);
  if (underWay) {
    const { serviceDeploymentArn } = underWay;
    await ecs.send(new StopServiceDeploymentCommand({ serviceDeploymentArn, stopType: 'ROLLBACK' }));
    return `the deployment of ${service} that was under way is being rolled back`;
  }
  const [{ taskDefinition: running = '' }, history] = await Promise.all([describe(place), successes(place)]);
  const earlier = earlierTaskDefinition(history, running);
  if (earlier === undefined) {
    throw new TandemError(
      'REMEDIATION_IMPOSSIBLE',
      `${service} cannot be rolled back: ECS knows of no release before ${running}.`,
      { kind: 'system', data: { service, running } },
    );
  }
  await ecs.send(new UpdateServiceCommand({ cluster, service, taskDefinition: earlier }));
  return `${service} goes back from ${nameOf(running)} to ${nameOf(earlier)}`;
}

/** The newest of what stayed. What was rolled back left in force what had stayed before it. */
async function successes(place: RemedyPlace): Promise<{ taskDefinition: string }[]> {
  const revisionArns = (await deployments(place, ['SUCCESSFUL'])).flatMap(
    ({ targetServiceRevisionArn }) => targetServiceRevisionArn ?? [],
  );
  if (revisionArns.length === 0) return [];
  const { serviceRevisions = [] } = await place.ecs.send(
    new DescribeServiceRevisionsCommand({ serviceRevisionArns: [...new Set(revisionArns)] }),
  );
  return revisionArns.flatMap(arn => {
    const revision = serviceRevisions.find(({ serviceRevisionArn }) => serviceRevisionArn === arn);
    return revision?.taskDefinition === undefined ? [] : { taskDefinition: revision.taskDefinition };
  });
}

/** DescribeServiceRevisions takes 20 at once. */
const HISTORY = 20;

async function deployments(
  { ecs, cluster, service }: RemedyPlace,
  status: ('PENDING' | 'IN_PROGRESS' | 'SUCCESSFUL')[],
): Promise<ServiceDeploymentBrief[]> {
  const { serviceDeployments = [] } = await ecs.send(
    new ListServiceDeploymentsCommand({ cluster, service, status, maxResults: HISTORY }),
  );
  return serviceDeployments;
}

async function call({ service, hookUrl }: RemedyPlace, facts: AlarmFacts): Promise<string> {
  const response = await fetchHttp(hookUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ service, ...facts }),
    signal: timeLimit(HOOK_TIMEOUT_MS),
  });
  await response.body?.cancel();
  if (!response.ok) {
    throw new TandemError(
      'REMEDIATION_HOOK_FAILED',
      `The hook ${new URL(hookUrl).origin} answered ${facts.alarm} with status ${response.status}.`,
      { kind: 'system', data: { status: response.status } },
    );
  }
  return `the hook ${new URL(hookUrl).origin} was called`;
}

async function describe({ ecs, cluster, service }: RemedyPlace): Promise<Service> {
  const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
  return services[0] ?? {};
}

/** `storefront-production:7` of an ARN. */
function nameOf(taskDefinition: string): string {
  return taskDefinition.split('/').at(-1)!;
}
