import { CloudWatchClient, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import { CodeCommitClient, GetRepositoryCommand } from '@aws-sdk/client-codecommit';
import {
  DescribeLoadBalancersCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Instant } from '../../../core/instant.ts';
import type { ServiceStatus } from '../../../model/deployment.ts';
import { shownExecution, type Execution } from '../../../model/execution.ts';
import type { RegionStatus, ReplicationStatus } from '../../../model/status.ts';
import { Looking } from '../observe/looking.ts';
import { observeReplication } from '../observe/observe-replication.ts';
import { describeService, targetHealth } from '../observe/observe-service.ts';
import type { AwsSession } from '../aws-session.ts';
import type { DeploymentReader } from './deployment-reader.ts';
import type { Images } from './image-reader.ts';
import type { RegionCalls } from './region-calls.ts';
import type { OperatedService, RegionPlaces } from './region-places.ts';

export interface StatusSources {
  session: AwsSession;
  calls: RegionCalls;
  places: RegionPlaces;
  now: Instant;
  executions(limit: number): Promise<Execution[]>;
  deploymentsOf(service: OperatedService): DeploymentReader;
  images(): Promise<Images>;
}

/** How many executions are looked through for one that has not ended. */
const RECENT_EXECUTIONS = 20;
const EVENTS_SHOWN = 5;

/**
 * What a region shows. What could not be read is named among the problems, with the permission that it takes, and left
 * out: never guessed. Throws REGION_UNREACHABLE or CREDENTIALS_REFUSED where nothing at all answers.
 */
export async function readStatus(sources: StatusSources): Promise<RegionStatus> {
  const { session, places, now } = sources;
  const { region, pipeline } = places;
  const looking = new Looking(session, region);
  const [services, alarms, executions, replication, gitUrl] = await Promise.all([
    Promise.all(places.services.map(service => readService(looking, sources, service))),
    Promise.all(places.services.map(service => readAlarms(looking, sources, service))),
    looking.tolerate('executions', () => sources.executions(RECENT_EXECUTIONS)),
    places.replication === undefined ? [] : readReplication(looking, places.replication, now),
    places.source.kind === 'elsewhere'
      ? places.source.url
      : cloneUrl(looking, sources, places.source.repository),
  ]);
  looking.requireContact();
  const execution = shownExecution(executions ?? []);
  const problems = [
    ...alarms.flat(),
    ...looking.unseen.map(({ what, reason }) => `${what} could not be looked at: ${reason}`),
    ...replication.flatMap(({ state, peer, message }) =>
      state === 'split' ? [message ?? `split from ${peer}`] : [],
    ),
  ];
  return {
    region,
    health: problems.length === 0 ? 'healthy' : 'degraded',
    problems,
    endpoint: `https://${region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/${pipeline}/view?region=${region}`,
    gitUrl: gitUrl ?? '',
    branch: places.branch,
    services: services.filter(service => service !== undefined),
    ...(execution && { execution }),
    replication,
  };
}

async function readService(
  looking: Looking,
  sources: StatusSources,
  place: OperatedService,
): Promise<ServiceStatus | undefined> {
  const { environment } = place;
  const [service, url, deployments] = await Promise.all([
    describeService(looking, place),
    place.url ?? balancerUrl(looking, sources, place),
    looking.tolerate(`${environment}: deployments`, async () =>
      sources.deploymentsOf(place).read(await sources.images().catch(() => undefined)),
    ),
  ]);
  if (service === undefined) return undefined;
  const { healthyTargets = 0 } = await targetHealth(looking, place, service);
  const { desiredCount = 0, runningCount = 0, pendingCount = 0, events = [] } = service;
  return {
    name: environment,
    url: url ?? '',
    ...(deployments?.inService && { release: deployments.inService }),
    desired: desiredCount,
    running: runningCount,
    pending: pendingCount,
    healthyTargets,
    ...(deployments?.newest && { deployment: deployments.newest }),
    events: events
      .slice(0, EVENTS_SHOWN)
      .map(({ createdAt, message = '' }) => ({ at: createdAt?.getTime() ?? 0, message })),
  };
}

async function balancerUrl(
  looking: Looking,
  { calls }: StatusSources,
  { environment, loadBalancer }: OperatedService,
) {
  return looking.tolerate(`${environment}: its address`, () =>
    calls.ask(ElasticLoadBalancingV2Client, 'elasticloadbalancing:DescribeLoadBalancers', async client => {
      const { LoadBalancers = [] } = await client.send(
        new DescribeLoadBalancersCommand({ Names: [loadBalancer] }),
      );
      return `http://${LoadBalancers[0]?.DNSName}`;
    }),
  );
}

/** What alarms say, a line each. Those that only set autoscaling off are no trouble. */
async function readAlarms(
  looking: Looking,
  { calls }: StatusSources,
  { environment, service }: OperatedService,
): Promise<string[]> {
  const alarms = await looking.tolerate(`${environment}: alarms`, () =>
    calls.ask(CloudWatchClient, 'cloudwatch:DescribeAlarms', async client => {
      const found: string[] = [];
      const query = {
        AlarmNamePrefix: `${service}-`,
        AlarmTypes: ['MetricAlarm' as const],
      };
      for await (const { MetricAlarms = [] } of paginateDescribeAlarms({ client }, query)) {
        for (const { StateValue, AlarmName = '', AlarmDescription = '', AlarmActions = [] } of MetricAlarms) {
          const isScaling =
            AlarmActions.length > 0 && AlarmActions.every(action => action.includes(':autoscaling:'));
          if (StateValue !== 'ALARM' || isScaling) continue;
          found.push(`${environment}: the alarm ${AlarmName} is on: ${AlarmDescription}`);
        }
      }
      return found;
    }),
  );
  return alarms ?? [];
}

async function readReplication(
  looking: Looking,
  place: NonNullable<RegionPlaces['replication']>,
  now: Instant,
): Promise<ReplicationStatus[]> {
  const observed = await observeReplication(looking, place, now);
  return observed.map(({ peer, state, pendingRefs, lagMs, splits, message, commands }) => ({
    peer,
    state,
    pendingRefs,
    lagMs,
    splits: splits.map(({ ref }) => ({ ref, here: '', there: '', mends: [] })),
    ...(state === 'split'
      ? { message: `${splits.map(({ ref }) => ref).join(', ')} split from ${peer}: ${commands.merge}` }
      : message !== undefined && { message }),
  }));
}

async function cloneUrl(
  looking: Looking,
  { calls }: StatusSources,
  repositoryName: string,
): Promise<string | undefined> {
  return looking.tolerate('the repository', () =>
    calls.ask(CodeCommitClient, 'codecommit:GetRepository', async client => {
      const { repositoryMetadata } = await client.send(new GetRepositoryCommand({ repositoryName }));
      return repositoryMetadata?.cloneUrlHttp;
    }),
  );
}
