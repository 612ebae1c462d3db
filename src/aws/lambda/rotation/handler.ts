/*
 * The rotation function: Secrets Manager calls it for each of four steps (user guide, "Lambda rotation functions"), any of them
 * more than once. A new value is thought up, looked at, put in force, and the services that read it get new tasks,
 * for a task keeps what it was started with.
 */
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import {
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
  type DescribeSecretCommandOutput,
} from '@aws-sdk/client-secrets-manager';
import { SECOND_MS } from '../../../core/duration.ts';
import { errorMessage, TandemError } from '../../../core/error.ts';
import type { RegionName } from '../../../model/names.ts';
import { delay, systemClock, type Clock } from '../../../platform/clock.ts';
import { writeOutput } from '../../../platform/process.ts';
import type { LambdaContext } from '../lambda.ts';
import { setting } from '../settings.ts';

export interface ServiceReference {
  region: RegionName;
  cluster: string;
  service: string;
}

export interface RotationSettings {
  region: RegionName;
  /** Those whose tasks read the secrets, in every region that has a copy of them. */
  services: readonly ServiceReference[];
  /** Of a new value. */
  length: number;
  /** Characters that a new value does without. */
  excludeCharacters: string;
  clock: Clock;
  log(line: string): void;
}

export interface RotationEvent {
  Step: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';
  SecretId: string;
  /** The id of the new version. */
  ClientRequestToken: string;
}

const CURRENT = 'AWSCURRENT';
const PENDING = 'AWSPENDING';
/** Secrets Manager tells to the second when it changed a secret: what began in that second may be older. */
const CHANGE_PRECISION_MS = SECOND_MS;
const LOOK_AGAIN_MS = 3 * SECOND_MS;
/** Left for the services once all copies have the value. */
const RESERVE_MS = 60 * SECOND_MS;

export function createRotation(settings: RotationSettings) {
  const secrets = new SecretsManagerClient({ region: settings.region });

  async function valueOf(secretId: string, version: { VersionId?: string; VersionStage: string }) {
    try {
      const { SecretString: text } = await secrets.send(
        new GetSecretValueCommand({ SecretId: secretId, ...version }),
      );
      return text;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  const pendingOf = ({ SecretId, ClientRequestToken }: RotationEvent) =>
    valueOf(SecretId, { VersionId: ClientRequestToken, VersionStage: PENDING });

  async function create(event: RotationEvent): Promise<void> {
    if ((await pendingOf(event)) !== undefined) return;
    const { RandomPassword: password } = await secrets.send(
      new GetRandomPasswordCommand({
        PasswordLength: settings.length,
        ExcludeCharacters: settings.excludeCharacters,
        RequireEachIncludedType: true,
      }),
    );
    await secrets.send(
      new PutSecretValueCommand({
        SecretId: event.SecretId,
        ClientRequestToken: event.ClientRequestToken,
        SecretString: password,
        VersionStages: [PENDING],
      }),
    );
  }

  /** Also asked when rotation is set up, of a version that is only a copy: so a value need not be a new one. */
  async function check(event: RotationEvent): Promise<void> {
    const pending = await pendingOf(event);
    if (pending !== undefined && pending !== '') return;
    throw new TandemError(
      'ROTATION_INVALID',
      `The new version ${event.ClientRequestToken} of ${event.SecretId} has no value; the old one stays in force.`,
      { kind: 'system', data: { secret: event.SecretId } },
    );
  }

  async function finish(event: RotationEvent, context: LambdaContext): Promise<void> {
    const { VersionIdsToStages: versions = {} } = await describe(event);
    const [current] = Object.entries(versions).find(([, stages]) => stages.includes(CURRENT)) ?? [];
    if (current !== event.ClientRequestToken) {
      await secrets.send(
        new UpdateSecretVersionStageCommand({
          SecretId: event.SecretId,
          VersionStage: CURRENT,
          MoveToVersionId: event.ClientRequestToken,
          RemoveFromVersionId: current,
        }),
      );
    }
    // All at once: a region that cannot be reached does not keep the others waiting.
    const outcomes = await Promise.allSettled(
      settings.services.map(service => renewTasks(event, service, context)),
    );
    const failures = outcomes.flatMap(outcome =>
      outcome.status === 'rejected' ? errorMessage(outcome.reason) : [],
    );
    if (failures.length === 0) return;
    throw new TandemError(
      'ROTATION_INCOMPLETE',
      `${event.SecretId} has its new value, but not all tasks do: ${failures.join('; ')}. It is tried again.`,
      { kind: 'system', data: { secret: event.SecretId } },
    );
  }

  /** New tasks, once the region's copy has the new value; none twice, and none where there is no service yet. */
  async function renewTasks(
    event: RotationEvent,
    { region, cluster, service }: ServiceReference,
    context: LambdaContext,
  ): Promise<void> {
    const changedAt = await copied(event, region, context);
    const ecs = new ECSClient({ region });
    const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
    const [found] = services;
    if (found?.status !== 'ACTIVE') return;
    const newest = Math.max(...(found.deployments ?? []).map(({ createdAt }) => createdAt?.getTime() ?? 0));
    if (newest >= changedAt + CHANGE_PRECISION_MS) return;
    await ecs.send(new UpdateServiceCommand({ cluster, service, forceNewDeployment: true }));
    settings.log(
      JSON.stringify({ secret: event.SecretId, region, service, outcome: 'tasks are being replaced' }),
    );
  }

  /** Waits for a region's copy. Returns when the secret last changed. */
  async function copied(event: RotationEvent, region: RegionName, context: LambdaContext): Promise<number> {
    for (;;) {
      const { LastChangedDate, ReplicationStatus: copies = [] } = await describe(event);
      const copy = copies.find(({ Region }) => Region === region);
      if (region === settings.region || copy?.Status === 'InSync') return LastChangedDate?.getTime() ?? 0;
      if (context.getRemainingTimeInMillis() < RESERVE_MS) {
        throw new TandemError(
          'ROTATION_COPY_LATE',
          `the copy in ${region} does not have it yet (${copy?.Status ?? 'there is no copy'})`,
          { kind: 'system', data: { region } },
        );
      }
      await delay(settings.clock, LOOK_AGAIN_MS);
    }
  }

  const describe = ({ SecretId }: RotationEvent): Promise<DescribeSecretCommandOutput> =>
    secrets.send(new DescribeSecretCommand({ SecretId }));

  return async (event: RotationEvent, context: LambdaContext): Promise<void> => {
    const { RotationEnabled: isEnabled, VersionIdsToStages: versions = {} } = await describe(event);
    const stages = versions[event.ClientRequestToken];
    if (isEnabled !== true || stages === undefined) {
      throw new TandemError(
        'ROTATION_INVALID',
        `${event.SecretId} is not being rotated to the version ${event.ClientRequestToken}.`,
        { kind: 'system', data: { secret: event.SecretId } },
      );
    }
    const isInForce = stages.includes(CURRENT);
    if (event.Step === 'finishSecret') await finish(event, context);
    else if (!isInForce && event.Step === 'createSecret') await create(event);
    else if (!isInForce && event.Step === 'testSecret') await check(event);
    // setSecret: nothing but the tasks knows the value, and they get it when it is in force.
    settings.log(
      JSON.stringify({ secret: event.SecretId, step: event.Step, version: event.ClientRequestToken }),
    );
  };
}

let rotation: ReturnType<typeof createRotation> | undefined;

/** What Lambda calls. */
export function handler(event: RotationEvent, context: LambdaContext): Promise<void> {
  rotation ??= createRotation({
    region: setting('AWS_REGION'),
    services: JSON.parse(setting('SERVICES')) as ServiceReference[],
    length: Number(setting('LENGTH')),
    excludeCharacters: setting('EXCLUDE_CHARACTERS'),
    clock: systemClock,
    log: line => writeOutput(`${line}\n`),
  });
  return rotation(event, context);
}
