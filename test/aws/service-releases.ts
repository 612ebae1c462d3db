import { createHash, randomUUID } from 'node:crypto';
import { BatchGetImageCommand, ECRClient, PutImageCommand } from '@aws-sdk/client-ecr';
import { ECSClient, RegisterTaskDefinitionCommand, type ServiceDeployment } from '@aws-sdk/client-ecs';
import { nextInstant } from './next-instant.ts';

/** One region's images, revisions and ECS's service deployments, of which moto plays the images and task definitions. */
export class ServiceReleases {
  /** By service, newest first. */
  readonly deployments = new Map<string, ServiceDeployment[]>();
  /** Task definitions by the ARN of the service revision. */
  readonly revisions = new Map<string, string>();
  readonly #moto: { region: string; endpoint: string };

  constructor(moto: { region: string; endpoint: string }) {
    this.#moto = moto;
  }

  newest(service: string): ServiceDeployment {
    return this.deployments.get(service)![0]!;
  }

  /** A deployment of the commit's image, under way. */
  async begin(service: string, commit: string): Promise<ServiceDeployment> {
    return this.#deploy(service, await this.#revise(service, commit));
  }

  /** What `forceNewDeployment` does: the same revision once more. */
  again(service: string): void {
    const deployment = this.#deploy(service, this.newest(service).targetServiceRevision!.arn!);
    endDeployment(deployment, 'SUCCESSFUL', '');
  }

  stop(arn: string): void {
    for (const deployment of [...this.deployments.values()].flat()) {
      if (deployment.serviceDeploymentArn === arn)
        endDeployment(deployment, 'ROLLBACK_SUCCESSFUL', 'stopped by a user');
    }
  }

  async putImage(commit: string): Promise<void> {
    if ((await this.#digest(commit)) !== undefined) return;
    const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
    const imageManifest = JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        size: 1,
        digest: `sha256:${commit.padEnd(64, '0')}`,
      },
      layers: [],
    });
    await new ECRClient(this.#moto).send(
      new PutImageCommand({
        repositoryName: 'shop',
        imageManifest,
        imageTag: commit,
        imageDigest: `sha256:${createHash('sha256').update(imageManifest).digest('hex')}`,
      }),
    );
  }

  #deploy(service: string, revisionArn: string): ServiceDeployment {
    const deployment: ServiceDeployment = {
      serviceDeploymentArn: this.#arn('service-deployment', service),
      createdAt: nextInstant(),
      startedAt: nextInstant(),
      status: 'IN_PROGRESS',
      lifecycleStage: 'PRODUCTION_TRAFFIC_SHIFT',
      targetServiceRevision: { arn: revisionArn, requestedTaskCount: 2, runningTaskCount: 1 },
    };
    this.deployments.set(service, [deployment, ...(this.deployments.get(service) ?? [])]);
    return deployment;
  }

  async #revise(service: string, commit: string): Promise<string> {
    const digest = await this.#digest(commit);
    const { taskDefinition } = await new ECSClient(this.#moto).send(
      new RegisterTaskDefinitionCommand({
        family: service,
        containerDefinitions: [
          {
            name: 'shop',
            image: `shop@${digest}`,
            memory: 512,
            environment: [
              { name: 'RELEASE', value: commit },
              { name: 'RELEASE_DIGEST', value: digest },
            ],
          },
        ],
      }),
    );
    const arn = this.#arn('service-revision', service);
    this.revisions.set(arn, taskDefinition!.taskDefinitionArn!);
    return arn;
  }

  #arn(kind: string, service: string): string {
    return `arn:aws:ecs:${this.#moto.region}:123456789012:${kind}/${service}/${service}/${randomUUID()}`;
  }

  async #digest(commit: string): Promise<string | undefined> {
    const { images } = await new ECRClient(this.#moto).send(
      new BatchGetImageCommand({ repositoryName: 'shop', imageIds: [{ imageTag: commit }] }),
    );
    return images?.[0]?.imageId?.imageDigest;
  }
}

export function endDeployment(
  deployment: ServiceDeployment,
  status: ServiceDeployment['status'],
  reason: string,
): void {
  deployment.status = status;
  deployment.finishedAt = nextInstant();
  if (reason !== '') deployment.statusReason = reason;
}
