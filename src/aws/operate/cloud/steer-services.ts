import { CodeBuildClient, StartBuildCommand } from '@aws-sdk/client-codebuild';
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand, type Service } from '@aws-sdk/client-ecs';
import { TandemError } from '../../../core/error.ts';
import { ENDED_DEPLOYMENT_STATUSES } from '../../../model/deployment.ts';
import type { ServiceDeployments } from './deployment-reader.ts';
import type { RegionCalls } from './region-calls.ts';
import type { OperatedService } from './region-places.ts';

/**
 * Replaces every task by a new one of the same release, the way that the service deploys. Where its deployments pause for
 * the release project to go on, that does it. Throws DEPLOYMENT_IN_PROGRESS, SERVICE_HAS_NO_RELEASE, RESTART_IMPOSSIBLE.
 */
export async function restartService(
  calls: RegionCalls,
  place: OperatedService,
  { newest, inService }: ServiceDeployments,
): Promise<void> {
  const { environment, cluster, service, releaseProject, isGated } = place;
  if (newest !== undefined && !ENDED_DEPLOYMENT_STATUSES.has(newest.status)) {
    throw new TandemError(
      'DEPLOYMENT_IN_PROGRESS',
      `${environment} is being deployed (${newest.release.commit.slice(0, 7)}), which replaces its tasks anyway: ` +
        'wait for the deployment to end, or stop its execution',
    );
  }
  if (inService === undefined) {
    throw new TandemError(
      'SERVICE_HAS_NO_RELEASE',
      `${environment} has no release that could be restarted: push a commit to deploy one`,
    );
  }
  const hooks = (await describe(calls, place)).deploymentConfiguration?.lifecycleHooks ?? [];
  if (!hooks.some(({ targetType }) => targetType === 'PAUSE')) {
    await calls.ask(ECSClient, 'ecs:UpdateService', client =>
      client.send(new UpdateServiceCommand({ cluster, service, forceNewDeployment: true })),
    );
    return;
  }
  if (isGated) {
    throw new TandemError(
      'RESTART_IMPOSSIBLE',
      `every deployment of ${environment} asks a person in its middle (deployment.gate), and only the pipeline can ask: ` +
        'push a commit, or run the last execution again in the console',
    );
  }
  await calls.ask(CodeBuildClient, 'codebuild:StartBuild', client =>
    client.send(
      new StartBuildCommand({
        projectName: releaseProject,
        sourceTypeOverride: 'NO_SOURCE',
        artifactsOverride: { type: 'NO_ARTIFACTS' },
        environmentVariablesOverride: [{ name: 'RELEASE', value: inService.commit, type: 'PLAINTEXT' }],
      }),
    ),
  );
}

/** Autoscaling goes on from there, within its own limits. Throws SCALE_OUT_OF_RANGE. */
export async function scaleService(
  calls: RegionCalls,
  { environment, cluster, service, counts }: OperatedService,
  desiredCount: number,
): Promise<void> {
  const { minimumCount, maximumCount } = counts;
  if (desiredCount !== 0 && (desiredCount < minimumCount || desiredCount > maximumCount)) {
    throw new TandemError(
      'SCALE_OUT_OF_RANGE',
      `${environment} runs from ${minimumCount} to ${maximumCount} tasks in ${calls.region}, or 0 to switch it off; ` +
        `${desiredCount} is outside: service.minimumCount and service.maximumCount in the configuration set the range`,
      { data: { service: environment, desiredCount, minimumCount, maximumCount } },
    );
  }
  await calls.ask(ECSClient, 'ecs:UpdateService', client =>
    client.send(new UpdateServiceCommand({ cluster, service, desiredCount })),
  );
}

async function describe(calls: RegionCalls, { cluster, service }: OperatedService): Promise<Service> {
  const { services = [] } = await calls.ask(ECSClient, 'ecs:DescribeServices', client =>
    client.send(new DescribeServicesCommand({ cluster, services: [service] })),
  );
  return services[0] ?? {};
}
