import {
  DescribeServiceDeploymentsCommand,
  DescribeServiceRevisionsCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  ListServiceDeploymentsCommand,
  type ServiceDeployment,
  type ServiceDeploymentBrief,
} from '@aws-sdk/client-ecs';
import type { Instant } from '../../../core/instant.ts';
import type { Deployment, DeploymentStatus } from '../../../model/deployment.ts';
import type { PipelineEnvironment } from '../../../model/names.ts';
import type { Release } from '../../../model/release.ts';
import type { Waiting } from '../../../model/waiting.ts';
import type { Images } from './image-reader.ts';
import { dateOf } from '../../../platform/clock.ts';
import type { RegionCalls } from './region-calls.ts';
import { at, type ReleaseEnding } from './stage-of.ts';

export interface DeployedService {
  environment: PipelineEnvironment;
  cluster: string;
  service: string;
  container: string;
}

/** What a service runs and moves to. */
export interface ServiceDeployments {
  newest?: Deployment;
  /** That of the last deployment that succeeded; absent where that was of no release of the pipeline. */
  inService?: Release;
}

/** One page: ECS lists the newest first, and keeps them for 90 days. */
const PAGE = 100;

/** Reads the native deployments of one service. */
export class DeploymentReader {
  readonly #calls: RegionCalls;
  readonly place: DeployedService;
  /** By the ARN of their revision; revisions never change. `undefined`: of no release. */
  readonly #releases = new Map<string, Pick<Release, 'commit' | 'digest' | 'builtAt'> | undefined>();

  constructor(calls: RegionCalls, place: DeployedService) {
    this.#calls = calls;
    this.place = place;
  }

  /** Newest first. */
  list(createdAfter?: Instant): Promise<ServiceDeploymentBrief[]> {
    const { cluster, service } = this.place;
    return this.#calls.ask(ECSClient, 'ecs:ListServiceDeployments', async client => {
      const { serviceDeployments = [] } = await client.send(
        new ListServiceDeploymentsCommand({
          cluster,
          service,
          maxResults: PAGE,
          ...(createdAfter !== undefined && { createdAt: { after: dateOf(createdAfter) } }),
        }),
      );
      return serviceDeployments.sort((one, other) => at(other.createdAt) - at(one.createdAt));
    });
  }

  async read(images: Images | undefined): Promise<ServiceDeployments> {
    const listed = await this.list();
    const [newest] = listed;
    if (newest?.serviceDeploymentArn === undefined) return {};
    const good = listed.find(({ status }) => status === 'SUCCESSFUL');
    const detail = await this.describe(newest.serviceDeploymentArn);
    const target = await this.#releaseOf(newest.targetServiceRevisionArn, images);
    const inService = await this.#releaseOf(good?.targetServiceRevisionArn, images);
    return {
      ...(target && detail && { newest: this.#deploymentOf(detail, target, inService) }),
      ...(inService && { inService }),
    };
  }

  describe(arn: string): Promise<ServiceDeployment | undefined> {
    return this.#calls.ask(ECSClient, 'ecs:DescribeServiceDeployments', async client => {
      const { serviceDeployments = [] } = await client.send(
        new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [arn] }),
      );
      return serviceDeployments[0];
    });
  }

  /** The release script writes both into the task definition: so they are known when the image is gone, too. */
  async #releaseOf(
    revisionArn: string | undefined,
    images: Images | undefined,
  ): Promise<Release | undefined> {
    if (revisionArn === undefined) return undefined;
    if (!this.#releases.has(revisionArn))
      this.#releases.set(revisionArn, await this.#readRevision(revisionArn));
    const found = this.#releases.get(revisionArn);
    if (found === undefined) return undefined;
    return { ...found, builtIn: '', builtAt: images?.ofDigest(found.digest)?.builtAt ?? found.builtAt };
  }

  async #readRevision(arn: string) {
    const taskDefinition = await this.#calls.ask(ECSClient, 'ecs:DescribeServiceRevisions', async client => {
      const { serviceRevisions = [] } = await client.send(
        new DescribeServiceRevisionsCommand({ serviceRevisionArns: [arn] }),
      );
      return serviceRevisions[0]?.taskDefinition;
    });
    if (taskDefinition === undefined) return undefined;
    const { registeredAt, containerDefinitions = [] } =
      (await this.#calls.ask(ECSClient, 'ecs:DescribeTaskDefinition', async client => {
        const answer = await client.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
        return answer.taskDefinition;
      })) ?? {};
    const { environment = [] } = containerDefinitions.find(({ name }) => name === this.place.container) ?? {};
    const valueOf = (key: string) => environment.find(({ name }) => name === key)?.value;
    const commit = valueOf('RELEASE');
    const digest = valueOf('RELEASE_DIGEST');
    if (commit === undefined || digest === undefined) return undefined;
    return { commit, digest, builtAt: at(registeredAt) };
  }

  #deploymentOf(detail: ServiceDeployment, release: Release, previous: Release | undefined): Deployment {
    const status: DeploymentStatus = detail.status ?? 'PENDING';
    const waiting = waitingOf(detail);
    const {
      serviceDeploymentArn = '',
      statusReason,
      rollback,
      deploymentCircuitBreaker,
      finishedAt,
    } = detail;
    const cause = rollback?.reason ?? statusReason;
    return {
      id: serviceDeploymentArn.split('/').at(-1)!,
      service: this.place.environment,
      release,
      ...(previous && { previous }),
      status,
      ...(status !== 'SUCCESSFUL' && cause !== undefined && { cause }),
      ...(waiting && { waiting }),
      failedTasks: deploymentCircuitBreaker?.failureCount ?? 0,
      startedAt: at(detail.startedAt ?? detail.createdAt),
      ...(finishedAt && { endedAt: at(finishedAt) }),
    };
  }
}

/** What a deployment under way waits for. */
function waitingOf({
  status,
  lifecycleStage,
  lifecycleHookDetails = [],
  targetServiceRevision,
  deploymentConfiguration,
}: ServiceDeployment): Waiting | undefined {
  if (status === 'ROLLBACK_IN_PROGRESS' || status === 'ROLLBACK_REQUESTED') {
    return { for: 'the release before to be back' };
  }
  if (status !== 'IN_PROGRESS' && status !== 'PENDING') return undefined;
  const paused = lifecycleHookDetails.find(hook => hook.status === 'AWAITING_ACTION');
  if (paused !== undefined) {
    const share = Math.floor(targetServiceRevision?.requestedProductionTrafficWeight ?? 0);
    return {
      for: `its pause at ${share} % of requests to end`,
      ...(paused.expiresAt && { until: at(paused.expiresAt) }),
    };
  }
  if (lifecycleStage === 'BAKE_TIME') {
    return { for: `its bake of ${deploymentConfiguration?.bakeTimeInMinutes ?? 0} min to end` };
  }
  const { runningTaskCount = 0, requestedTaskCount = 0 } = targetServiceRevision ?? {};
  const stage = lifecycleStage === undefined ? '' : ` (${lifecycleStage})`;
  return { for: `${runningTaskCount} of ${requestedTaskCount} new tasks running${stage}` };
}

const STANDINGS: Record<DeploymentStatus, ReleaseEnding['standing']> = {
  PENDING: 'under way',
  IN_PROGRESS: 'under way',
  SUCCESSFUL: 'in service',
  STOP_REQUESTED: 'under way',
  STOPPED: 'stopped',
  ROLLBACK_REQUESTED: 'rolling back',
  ROLLBACK_IN_PROGRESS: 'rolling back',
  ROLLBACK_SUCCESSFUL: 'rolled back',
  ROLLBACK_FAILED: 'rollback failed',
};

/** The deployment that was created while a release's action ran, and how it ended. */
export function endingBetween(
  deployments: readonly ServiceDeploymentBrief[],
  { from, to }: { from: Instant; to: Instant },
): ReleaseEnding | undefined {
  const found = deployments.find(({ createdAt }) => at(createdAt) >= from && at(createdAt) <= to);
  if (found?.status === undefined) return undefined;
  return {
    deploymentId: found.serviceDeploymentArn?.split('/').at(-1) ?? '',
    standing: STANDINGS[found.status],
    reason: found.statusReason ?? '',
  };
}
