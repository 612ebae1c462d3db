import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  createRemediation,
  type AlarmEvent,
  type RemediationSettings,
} from '../../src/aws/lambda/remediation/handler.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { CREDENTIAL_VARIABLES } from './git-server.ts';
import { startMoto, type Moto } from './moto.ts';
import { isOnPath } from './terraform.ts';

const isMissing = !isOnPath('moto_server');
if (isMissing) console.log('The functions’ suite is skipped: there is no moto_server on PATH.');

const REGION = 'us-east-1';
const CLUSTER = 'shop-production';

describe.skipIf(isMissing)('remediation', () => {
  let moto: Moto;
  let stage: Stage;
  let suite = 0;

  beforeAll(async () => {
    moto = await startMoto();
    stage = await Stage.start(moto.endpoint);
    Object.assign(process.env, CREDENTIAL_VARIABLES, {
      AWS_ENDPOINT_URL: moto.endpoint,
      AWS_ENDPOINT_URL_ECS: stage.url,
    });
    await new ECSClient({ region: REGION }).send(new CreateClusterCommand({ clusterName: CLUSTER }));
  });

  beforeEach(() => {
    suite += 1;
    stage.reset();
  });

  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    await moto[Symbol.asyncDispose]();
  });

  test('restarts the tasks, once for an event that comes twice, and tells people', async () => {
    const world = await createWorld({ remedies: { 'shop-memory': 'restart' } });
    await world.alarm('shop-memory', 'event-1');
    await world.alarm('shop-memory', 'event-1');
    expect(stage.updates).toEqual([expect.objectContaining({ forceNewDeployment: true })]);
    expect(await world.notices()).toEqual([expect.stringContaining('all tasks of')]);
  });

  test('stops at its limit, says until when, and goes on after that', async () => {
    const world = await createWorld({
      remedies: { 'shop-memory': 'restart' },
      limit: { maximumActions: 2, withinMs: 600_000 },
    });
    for (const id of ['a', 'b', 'c']) await world.alarm('shop-memory', id);
    expect(stage.updates).toHaveLength(2);
    const notices = await world.notices();
    expect(notices).toHaveLength(3);
    expect(notices.filter(text => text.includes('2 actions in 10 minutes are the limit'))).toHaveLength(1);
    world.aheadMs = 601_000;
    await world.alarm('shop-memory', 'd');
    expect(stage.updates).toHaveLength(3);
  });

  test('two alarms at once do not both find the last room', async () => {
    const world = await createWorld({
      remedies: { 'shop-memory': 'restart', 'shop-cpu': 'restart' },
      limit: { maximumActions: 1, withinMs: 600_000 },
    });
    await Promise.all([world.alarm('shop-memory', 'a'), world.alarm('shop-cpu', 'b')]);
    expect(stage.updates).toHaveLength(1);
  });

  test('adds half as many tasks again, up to the maximum', async () => {
    const world = await createWorld({ remedies: { 'shop-cpu': 'scale-out' }, maximumCount: 5 });
    for (const [id, count] of [
      ['a', 3],
      ['b', 5],
      ['c', 5],
    ] as const) {
      await world.alarm('shop-cpu', id);
      expect(await world.desiredCount()).toBe(count);
    }
    expect(stage.updates).toHaveLength(2);
  });

  test('rolls a deployment back that is under way', async () => {
    const arn = 'arn:aws:ecs:us-east-1:123456789012:service-deployment/shop-production/shop/new';
    stage.underWay = [arn];
    const world = await createWorld({ remedies: { 'shop-server-errors': 'roll-back' } });
    await world.alarm('shop-server-errors', 'a');
    expect(stage.stopped).toEqual([{ serviceDeploymentArn: arn, stopType: 'ROLLBACK' }]);
    expect(stage.updates).toEqual([]);
  });

  test('goes back to the release before, when none is under way', async () => {
    const world = await createWorld({ remedies: { 'shop-server-errors': 'roll-back' } });
    stage.history = [world.taskDefinitions[1]!, world.taskDefinitions[0]!];
    await world.alarm('shop-server-errors', 'a');
    expect(await world.running()).toBe(world.taskDefinitions[0]);
    // What it was rolled back from is nothing to go back to.
    stage.history = [world.taskDefinitions[0]!, world.taskDefinitions[1]!, world.taskDefinitions[0]!];
    await world.alarm('shop-server-errors', 'b');
    expect(await world.running()).toBe(world.taskDefinitions[0]);
    expect((await world.notices()).join('\n')).toContain('ECS knows of no release before');
  });

  test('calls a hook with what happened, and tells people when it does not answer well', async () => {
    const world = await createWorld({ remedies: { 'shop-cpu': 'call' }, hookUrl: `${stage.url}/hook` });
    await world.alarm('shop-cpu', 'a');
    expect(stage.calls).toEqual([
      expect.objectContaining({ alarm: 'shop-cpu', region: REGION, reason: 'Threshold Crossed' }),
    ]);
    stage.hookStatus = 503;
    await world.alarm('shop-cpu', 'b');
    const notices = (await world.notices()).join('\n');
    expect(notices).toContain('was called');
    expect(notices).toContain('with status 503');
  });

  test('leaves alone what no remedy is for, and alarms that are over', async () => {
    const world = await createWorld({ remedies: { 'shop-cpu': 'restart' } });
    await world.alarm('shop-memory', 'a');
    await world.alarm('shop-cpu', 'b', 'OK');
    expect(stage.updates).toEqual([]);
    expect(await world.notices()).toEqual([]);
  });

  /** A service in ECS with two releases, a table, a topic with somebody who listens, and the function. */
  async function createWorld(settings: Pick<RemediationSettings, 'remedies'> & Partial<RemediationSettings>) {
    const name = `shop-${suite}`;
    const ecs = new ECSClient({ region: REGION });
    const taskDefinitions: string[] = [];
    for (const image of ['one', 'two']) {
      const { taskDefinition } = await ecs.send(
        new RegisterTaskDefinitionCommand({
          family: name,
          containerDefinitions: [{ name: 'app', image, memory: 128 }],
        }),
      );
      taskDefinitions.push(taskDefinition!.taskDefinitionArn!);
    }
    await ecs.send(
      new CreateServiceCommand({
        cluster: CLUSTER,
        serviceName: name,
        taskDefinition: taskDefinitions[1],
        desiredCount: 2,
      }),
    );
    await new DynamoDBClient({ region: REGION }).send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'service', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'service', AttributeType: 'S' }],
      }),
    );
    const sqs = new SQSClient({ region: REGION });
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const sns = new SNSClient({ region: REGION });
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: name }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: Attributes!['QueueArn'] }));
    stage.reset();
    const remediate = createRemediation({
      region: REGION,
      cluster: CLUSTER,
      service: name,
      maximumCount: 10,
      hookUrl: '',
      tableName: name,
      topicArn: TopicArn!,
      limit: { maximumActions: 3, withinMs: 3_600_000 },
      clock: { ...systemClock, now: () => systemClock.now() + world.aheadMs },
      log: () => undefined,
      ...settings,
    });
    const describeService = async () => {
      const { services } = await ecs.send(
        new DescribeServicesCommand({ cluster: CLUSTER, services: [name] }),
      );
      return services![0]!;
    };
    const world = {
      aheadMs: 0,
      taskDefinitions,
      alarm(alarmName: string, id: string, value = 'ALARM'): Promise<void> {
        const event: AlarmEvent = {
          id,
          time: '2026-11-23T06:00:00Z',
          region: REGION,
          detail: { alarmName, state: { value, reason: 'Threshold Crossed' } },
        };
        return remediate(event);
      },
      async desiredCount() {
        return (await describeService()).desiredCount;
      },
      async running() {
        return (await describeService()).taskDefinition;
      },
      async notices(): Promise<string[]> {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
        );
        return Messages.map(({ Body }) => (JSON.parse(Body!) as { Message: string }).Message);
      },
    };
    return world;
  }
});

/** In front of moto: deployments of services, which it does not know, and a hook. */
class Stage implements AsyncDisposable {
  readonly url: string;
  updates: Record<string, unknown>[] = [];
  stopped: Record<string, unknown>[] = [];
  calls: Record<string, unknown>[] = [];
  /** Deployments that are under way. */
  underWay: string[] = [];
  /** Task definitions of the deployments that stayed, newest first. */
  history: string[] = [];
  hookStatus = 200;
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  static async start(moto: string): Promise<Stage> {
    const server = createServer((incoming, outgoing) => void stage.#answer(incoming, outgoing, moto));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const stage: Stage = new Stage(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });
    return stage;
  }

  reset(): void {
    this.updates = [];
    this.stopped = [];
    this.calls = [];
    this.history = [];
    this.hookStatus = 200;
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse, moto: string): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const request = JSON.parse(body.toString()) as Record<string, unknown>;
    const reply = (answer: unknown, status = 200) =>
      outgoing
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify(answer));
    if (incoming.url === '/hook') {
      this.calls.push(request);
      reply({}, this.hookStatus);
      return;
    }
    const action: string = String(incoming.headers['x-amz-target']).split('.')[1] ?? '';
    if (action === 'UpdateService') this.updates.push(request);
    switch (action) {
      case 'ListServiceDeployments': {
        const isUnderWay = (request['status'] as string[]).includes('IN_PROGRESS');
        const found = isUnderWay
          ? this.underWay.map(serviceDeploymentArn => ({ serviceDeploymentArn }))
          : this.history.map((arn, index) => ({
              serviceDeploymentArn: `d${index}`,
              targetServiceRevisionArn: `revision of ${arn}`,
            }));
        reply({ serviceDeployments: found });
        return;
      }
      case 'DescribeServiceRevisions':
        reply({
          serviceRevisions: (request['serviceRevisionArns'] as string[]).map(serviceRevisionArn => ({
            serviceRevisionArn,
            taskDefinition: serviceRevisionArn.replace('revision of ', ''),
          })),
        });
        return;
      case 'StopServiceDeployment':
        this.stopped.push(request);
        this.underWay = [];
        reply({});
        return;
      default: {
        const headers = { ...incoming.headers } as Record<string, string>;
        delete headers['connection'];
        const answer = await fetch(moto, { method: 'POST', headers, body });
        outgoing.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
        outgoing.end(Buffer.from(await answer.arrayBuffer()));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
