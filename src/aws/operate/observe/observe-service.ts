import { DescribeServicesCommand, ECSClient, type Service } from '@aws-sdk/client-ecs';
import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  type TargetHealthDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Instant } from '../../../core/instant.ts';
import type { ServiceObservation, TaskStop } from '../../../model/diagnosis.ts';
import type { Environment } from '../../../model/names.ts';
import { newestLines, tailCommand } from './log-tail.ts';
import type { Looking } from './looking.ts';
import { observePorts } from './observe-ports.ts';
import { pullFailuresOf, stoppedTasks } from './stopped-tasks.ts';

/** How one environment's service is called, and what it is configured to be. */
export interface ServicePlace {
  environment: Environment;
  cluster: string;
  service: string;
  container: string;
  loadBalancer: string;
  logGroup: string;
  memoryMb: number;
  port: number;
}

type Health = Pick<ServiceObservation, 'healthyTargets' | 'otherTargets'>;

/** In the order in which a request goes wrong: targets, security groups, tasks, logs. `undefined`: cannot be seen. */
export async function observeService(
  looking: Looking,
  place: ServicePlace,
  now: Instant,
): Promise<ServiceObservation | undefined> {
  const { environment, memoryMb } = place;
  const service = await describeService(looking, place);
  if (service === undefined) return undefined;
  const { desiredCount: desired = 0, runningCount: running = 0 } = service;
  const [health, ports, stops] = await Promise.all([
    targetHealth(looking, place, service),
    observePorts(looking, place, service.networkConfiguration?.awsvpcConfiguration?.securityGroups ?? []),
    stoppedTasks(looking, place),
  ]);
  const isWell = running >= desired && (health.healthyTargets ?? running) >= desired;
  const allStops = stops.length > 0 ? stops : pullFailuresOf(service, now);
  return {
    environment,
    desired,
    running,
    memoryMb,
    ...health,
    ...(ports && { ports }),
    stops: allStops,
    logs: isWell ? [] : await serviceLogs(looking, place, stops[0]),
    commands: commandsOf(looking.settings.region, place),
  };
}

/** Tandem's own, where it steers the service. */
function commandsOf(region: string, { environment, logGroup }: ServicePlace) {
  const there = `--target aws --region ${region}`;
  return {
    logs: environment === 'dev' ? tailCommand(region, logGroup) : `tandem logs ${environment} ${there}`,
    rollBack: environment === 'production' ? `tandem rollback ${there}` : 'git revert',
  };
}

export async function describeService(
  looking: Looking,
  place: Pick<ServicePlace, 'environment' | 'cluster' | 'service'>,
): Promise<Service | undefined> {
  const { environment, cluster, service: name } = place;
  const found = await looking.ask(
    { what: environment, permission: 'ecs:DescribeServices', client: new ECSClient(looking.settings) },
    client => client.send(new DescribeServicesCommand({ cluster, services: [name] })),
  );
  const service = found?.services?.find(({ status }) => status !== 'INACTIVE');
  if (found !== undefined && service === undefined) {
    const reason = `there is no service ${name} in the cluster ${cluster}: \`tandem deploy --target aws\` makes it`;
    looking.unseen.push({ what: environment, reason });
  }
  return service;
}

/** Of both target groups, where a deployment moves requests from one to the other: a task is in one of them. */
export async function targetHealth(
  looking: Looking,
  { environment }: Pick<ServicePlace, 'environment'>,
  { loadBalancers = [] }: Service,
): Promise<Health> {
  const arns = loadBalancers.flatMap(({ targetGroupArn, advancedConfiguration }) =>
    [targetGroupArn, advancedConfiguration?.alternateTargetGroupArn].filter(arn => arn !== undefined),
  );
  const descriptions = await looking.ask(
    {
      what: `${environment}: target health`,
      permission: 'elasticloadbalancing:DescribeTargetHealth',
      client: new ElasticLoadBalancingV2Client(looking.settings),
    },
    async client => {
      const answers = await Promise.all(
        arns.map(TargetGroupArn => client.send(new DescribeTargetHealthCommand({ TargetGroupArn }))),
      );
      return answers.flatMap(answer => answer.TargetHealthDescriptions ?? []);
    },
  );
  return descriptions === undefined ? { otherTargets: [] } : healthOf(descriptions);
}

function healthOf(descriptions: readonly TargetHealthDescription[]): Health {
  const targets = descriptions.map(({ Target, TargetHealth }) => ({
    id: Target?.Id ?? '',
    state: TargetHealth?.State ?? 'unknown',
    ...(TargetHealth?.Reason !== undefined && { reason: TargetHealth.Reason }),
  }));
  return {
    healthyTargets: new Set(targets.filter(({ state }) => state === 'healthy').map(({ id }) => id)).size,
    // What drains was taken out in good order.
    otherTargets: targets.filter(({ state }) => state !== 'healthy' && state !== 'draining'),
  };
}

/** What the task said that ended last, else what was said last at all. */
async function serviceLogs(
  looking: Looking,
  { environment, container, logGroup }: ServicePlace,
  newestStop: TaskStop | undefined,
): Promise<string[]> {
  const prefix = `task/${container}/`;
  return newestLines(looking, {
    what: `${environment}: logs`,
    logGroupName: logGroup,
    streamPrefix: newestStop === undefined ? prefix : `${prefix}${newestStop.taskId}`,
  });
}
