import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRotation, type RotationEvent } from '../../src/aws/lambda/rotation/handler.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { CREDENTIAL_VARIABLES } from './git-server.ts';
import { startMoto, type Moto } from './moto.ts';
import { isOnPath } from './terraform.ts';

const isMissing = !isOnPath('moto_server');
if (isMissing) console.log('The functions’ suite is skipped: there is no moto_server on PATH.');

const EAST = 'us-east-1';
const WEST = 'us-west-2';
const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

describe.skipIf(isMissing)('rotation', () => {
  let moto: Moto;
  let recorder: Server;

  beforeAll(async () => {
    moto = await startMoto();
    Object.assign(process.env, CREDENTIAL_VARIABLES, { AWS_ENDPOINT_URL: moto.endpoint });
    for (const region of [EAST, WEST]) await createService(region);
    recorder = await startRecorder(moto.endpoint);
    process.env['AWS_ENDPOINT_URL_ECS'] = `http://127.0.0.1:${(recorder.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    delete process.env['AWS_ENDPOINT_URL_ECS'];
    recorder.closeAllConnections();
    recorder.close();
    await moto[Symbol.asyncDispose]();
  });

  test('puts a new value in force and gives the tasks of every region to it, each step as often as it is asked', async () => {
    const { token, rotate, value } = await beginRotation('token');
    renewals.length = 0;
    for (const step of STEPS) {
      await rotate(step);
      await rotate(step);
    }
    const current = await value();
    expect(current.VersionId).toBe(token);
    expect(current.SecretString).toMatch(/^[A-Za-z0-9_.-]{40}$/);
    expect(current.SecretString).not.toBe('the first value');
    expect(new Set(renewals)).toEqual(new Set([EAST, WEST]));
  });

  test('keeps the old value in force until the last step', async () => {
    const { rotate, value } = await beginRotation('kept');
    for (const step of STEPS.slice(0, 3)) await rotate(step);
    expect((await value()).SecretString).toBe('the first value');
  });

  test('does not put a version in force that has no value', async () => {
    const { rotate } = await beginRotation('empty');
    await expect(rotate('testSecret')).rejects.toMatchObject({ code: 'ROTATION_INVALID' });
  });

  test('refuses a version that Secrets Manager did not ask for', async () => {
    const { rotate } = await beginRotation('foreign');
    await expect(rotate('createSecret', randomUUID())).rejects.toMatchObject({ code: 'ROTATION_INVALID' });
  });
});

/** A secret whose rotation has begun as Secrets Manager begins one: the new version has a stage and no value. */
async function beginRotation(name: string) {
  const secrets = new SecretsManagerClient({ region: EAST });
  const { VersionId: first } = await secrets.send(
    new CreateSecretCommand({
      Name: name,
      SecretString: 'the first value',
      AddReplicaRegions: [{ Region: WEST }],
    }),
  );
  const token = randomUUID();
  await secrets.send(
    new RotateSecretCommand({
      SecretId: name,
      ClientRequestToken: token,
      RotationRules: { AutomaticallyAfterDays: 30 },
    }),
  );
  // Without a function moto puts the new version in force at once.
  await secrets.send(
    new UpdateSecretVersionStageCommand({
      SecretId: name,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: first,
      RemoveFromVersionId: token,
    }),
  );
  await secrets.send(
    new UpdateSecretVersionStageCommand({
      SecretId: name,
      VersionStage: 'AWSPENDING',
      MoveToVersionId: token,
    }),
  );
  const rotation = createRotation({
    region: EAST,
    services: [EAST, WEST].map(region => ({ region, cluster: 'shop', service: 'shop' })),
    length: 40,
    excludeCharacters: '/@"\'\\`$%&?#:;{}[]()<>|*!~^=+, ',
    clock: systemClock,
    log: () => undefined,
  });
  return {
    token,
    rotate: (step: RotationEvent['Step'], version = token) =>
      rotation(
        { Step: step, SecretId: name, ClientRequestToken: version },
        { getRemainingTimeInMillis: () => 300_000 },
      ),
    value: () => secrets.send(new GetSecretValueCommand({ SecretId: name, VersionStage: 'AWSCURRENT' })),
  };
}

async function createService(region: string): Promise<void> {
  const ecs = new ECSClient({ region });
  await ecs.send(new CreateClusterCommand({ clusterName: 'shop' }));
  await ecs.send(
    new RegisterTaskDefinitionCommand({
      family: 'shop',
      containerDefinitions: [{ name: 'app', image: 'one', memory: 128 }],
    }),
  );
  await ecs.send(
    new CreateServiceCommand({
      cluster: 'shop',
      serviceName: 'shop',
      taskDefinition: 'shop',
      desiredCount: 1,
    }),
  );
}

/** Regions in which a service was told to replace its tasks; moto forgets that it was. */
const renewals: string[] = [];

async function startRecorder(moto: string): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => void answer());
    const answer = async () => {
      const body = Buffer.concat(chunks);
      const isUpdate = String(incoming.headers['x-amz-target']).endsWith('.UpdateService');
      const [, region = ''] = /\/\d{8}\/([^/]+)\/ecs/.exec(incoming.headers.authorization ?? '') ?? [];
      if (isUpdate && body.includes('"forceNewDeployment":true')) renewals.push(region);
      const headers = { ...incoming.headers } as Record<string, string>;
      delete headers['connection'];
      const reply = await fetch(moto, { method: 'POST', headers, body });
      outgoing.writeHead(reply.status, { 'content-type': 'application/x-amz-json-1.1' });
      outgoing.end(Buffer.from(await reply.arrayBuffer()));
    };
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
