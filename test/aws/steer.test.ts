import { spawnSync } from 'node:child_process';
import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { PutMetricAlarmCommand, CloudWatchClient, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createAwsOperations } from '../../src/aws-operations.ts';
import { codecommitCredentials } from '../../src/aws/lambda/replication/codecommit-credentials.ts';
import { CODECOMMIT_SIGN_IN } from '../../src/cli/git-remote.ts';
import { parseInstant } from '../../src/core/instant.ts';
import type { Cloud, RegionOperations } from '../../src/model/cloud.ts';
import { configSchema } from '../../src/model/config/schema.ts';
import { findProgram } from '../../src/platform/process.ts';
import { AwsTestCloud } from './aws-test-cloud.ts';

/* What only AWS has: permissions, throttling, credentials that expire, questions that others answer, deployments of ECS. */

const isMissing = findProgram('moto_server') === undefined;
if (isMissing) console.log('Steering on AWS is not tested: there is no moto_server on PATH.');

const config = configSchema.parse({ application: 'shop', aws: { accountId: '123456789012' } });
const EAST = 'us-east-1';
const WEST = 'us-west-2';

describe.skipIf(isMissing)('steering on AWS', { timeout: 60_000 }, () => {
  const earlier = { ...process.env };
  let world: AwsTestCloud;
  let cloud: Cloud;
  let east: RegionOperations;

  beforeAll(async () => {
    world = await AwsTestCloud.up();
    process.env['AWS_ENDPOINT_URL'] = world.aws.endpoint;
    cloud = await createAwsOperations().cloud(config);
    east = cloud.region(EAST);
    await push('One');
  }, 120_000);
  afterEach(() => {
    world.aws.mend();
    const region = world.aws.region(EAST);
    region.holdsReleases = false;
    region.executionMode = 'SUPERSEDED';
  });
  afterAll(async () => {
    process.env = earlier;
    await world.dispose();
  }, 60_000);

  async function push(subject: string) {
    const commit = await world.commit(subject);
    const pushed = spawnSync('git', ['push', world.aws.region(EAST).repository, 'HEAD:main'], {
      cwd: world.folder,
    });
    expect(pushed.status).toBe(0);
    const [execution] = await east.executions({ limit: 1 });
    expect(execution!.commit.id).toBe(commit);
    return execution!;
  }

  test('what may not be read is named with its permission, and hides nothing else', async () => {
    world.aws.refuse('ListServiceDeployments', 'DescribeAlarms', 'BatchGetCommits');
    // One that has not read the commit before.
    const fresh = await createAwsOperations().cloud(config);
    const { health, problems, services, execution } = await fresh.region(EAST).status();
    expect(health).toBe('degraded');
    expect(problems.join('\n')).toContain(
      'production: deployments could not be looked at: ecs:ListServiceDeployments',
    );
    expect(problems.join('\n')).toContain(
      'production: alarms could not be looked at: cloudwatch:DescribeAlarms',
    );
    expect(services.map(({ name, release }) => [name, release])).toEqual([
      ['staging', undefined],
      ['production', undefined],
    ]);
    expect(execution).toMatchObject({ status: 'Waiting', commit: { subject: 'One', author: { name: '' } } });
  });

  test('a region that does not answer is unreachable, with none of its state, and hides no other', async () => {
    world.aws.cutOff(WEST);
    const [here, there] = await cloud.status();
    expect(here).toMatchObject({ health: 'healthy', execution: { status: 'Waiting' } });
    expect(there).toMatchObject({ health: 'unreachable', services: [] });
    expect(there!.execution).toBeUndefined();
    await expect(cloud.region(WEST).executions({})).rejects.toMatchObject({ code: 'REGION_UNREACHABLE' });
  });

  test('throttled calls are tried again, and expired credentials are said to be so', async () => {
    world.aws.throttle('GetPipelineState', 2);
    expect(await east.executions({ limit: 1 })).toHaveLength(1);
    world.aws.expire();
    await expect(east.executions({})).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
  });

  test('an answer goes to the execution that was seen, never to the one that waits there by then', async () => {
    const [seen] = await east.executions({ limit: 1 });
    const next = await push('Two');
    expect(next.status).toBe('Queued');
    const answer = { by: 'ada', comment: '' };
    await expect(east.approve({ executionId: next.id, ...answer })).rejects.toMatchObject({
      code: 'APPROVAL_NOT_WAITING',
    });
    await expect(
      east.approve({ executionId: seen!.id, by: 'ada', comment: 'x'.repeat(512) }),
    ).rejects.toMatchObject({ code: 'COMMENT_TOO_LONG' });
    const rejected = await east.reject({ executionId: seen!.id, by: 'ada', comment: 'no' });
    expect(rejected).toMatchObject({
      status: 'Failed',
      approval: { decision: 'Rejected', by: 'deployer/ada', comment: 'ada: no' },
    });
    expect(await east.execution(next.id)).toMatchObject({ status: 'Waiting', stage: 'Approval' });
    expect(await east.approve({ executionId: next.id, ...answer })).toMatchObject({ status: 'Succeeded' });
  });

  test('everything is read, however small the pages are', async () => {
    const whole = await east.executions({ limit: 50 });
    world.aws.pageSize = 1;
    expect(await east.executions({ limit: 50 })).toEqual(whole);
    expect(await east.execution(whole.at(-1)!.id.slice(0, 8))).toMatchObject({ id: whole.at(-1)!.id });
  });

  test('a deployment under way says what it waits for; abandoned, its build ends and it goes back', async () => {
    const region = world.aws.region(EAST);
    region.holdsReleases = true;
    const execution = await push('Three');
    expect(execution).toMatchObject({ status: 'InProgress', waiting: { for: 'the deployment to staging' } });
    const { services } = await east.status();
    expect(services.find(({ name }) => name === 'staging')!.deployment).toMatchObject({
      status: 'IN_PROGRESS',
      release: { commit: execution.commit.id },
      waiting: { for: '1 of 2 new tasks running (PRODUCTION_TRAFFIC_SHIFT)' },
    });
    await expect(east.restart('staging')).rejects.toMatchObject({ code: 'DEPLOYMENT_IN_PROGRESS' });
    expect(await east.stop(execution.id, { abandon: false, by: 'ada' })).toMatchObject({
      status: 'Stopping',
    });
    expect(await east.stop(execution.id, { abandon: true, by: 'ada' })).toMatchObject({
      status: 'Stopped',
      cause: 'stopped by ada',
    });
    expect(region.stoppedBuilds).toHaveLength(1);
    expect(region.releases.newest('shop-staging').status).toBe('ROLLBACK_SUCCESSFUL');
  });

  test('an alarm is a problem of the region', async () => {
    const client = new CloudWatchClient({ region: EAST });
    const AlarmName = 'shop-production-server-errors';
    await client.send(
      new PutMetricAlarmCommand({
        AlarmName,
        AlarmDescription: 'More than 10 answers of 5xx',
        Namespace: 'Test',
        MetricName: 'Errors',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        Statistic: 'Sum',
        ComparisonOperator: 'GreaterThanThreshold',
      }),
    );
    const set = (StateValue: 'ALARM' | 'OK') =>
      client.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: 'test' }));
    await set('ALARM');
    const { problems, health } = await east.status();
    expect(health).toBe('degraded');
    expect(problems).toContain(
      'production: the alarm shop-production-server-errors is on: More than 10 answers of 5xx',
    );
    await set('OK');
    expect((await east.status()).problems.join()).not.toContain('server-errors');
  });

  test('a gate in the middle of a deployment is answered by the same command', async () => {
    world.aws.region(EAST).isGated = true;
    const { id } = await push('Four');
    const waiting = await east.approve({ executionId: id, by: 'ada', comment: '' });
    expect(waiting).toMatchObject({ status: 'Waiting', stage: 'Production' });
    expect(waiting.approval).toBeUndefined();
    expect(waiting.waiting!.for).toContain('let all requests go to the new release');
    expect(await east.approve({ executionId: id, by: 'ada', comment: 'fine' })).toMatchObject({
      status: 'Succeeded',
    });
  });

  test('an approval that nobody answers in its time has expired, and can be asked for again', async () => {
    const { id } = await push('Five');
    await world.aws.region(EAST).expire(id);
    expect(await east.execution(id)).toMatchObject({
      status: 'Failed',
      stage: 'Approval',
      cause: 'the approval expired: nobody answered within 1 h',
      approval: { decision: 'Expired' },
    });
    await expect(east.approve({ executionId: id, by: 'ada', comment: '' })).rejects.toMatchObject({
      code: 'APPROVAL_NOT_WAITING',
    });
    const again = await east.retry(id, 'ada');
    expect(again).toMatchObject({ status: 'Waiting', stage: 'Approval' });
    expect(again.approval).toBeUndefined();
    await east.reject({ executionId: id, by: 'ada', comment: '' });
  });

  test('in PARALLEL mode executions wait beside each other, and each is answered by itself', async () => {
    const region = world.aws.region(EAST);
    region.executionMode = 'PARALLEL';
    const [first, second] = [await push('Six'), await push('Seven')];
    const waiting = { status: 'Waiting', stage: 'Approval' };
    expect(await east.execution(first.id)).toMatchObject(waiting);
    expect(await east.execution(second.id)).toMatchObject(waiting);
    expect(await east.reject({ executionId: second.id, by: 'ada', comment: 'no' })).toMatchObject({
      status: 'Failed',
    });
    expect(await east.execution(first.id)).toMatchObject(waiting);
    const approval = { executionId: first.id, by: 'ada', comment: '' };
    expect(await east.approve(approval)).toMatchObject({ status: 'Waiting', stage: 'Production' });
    expect(await east.approve(approval)).toMatchObject({ status: 'Succeeded' });
    await expect(east.approve(approval)).rejects.toMatchObject({ code: 'APPROVAL_NOT_WAITING' });
    await expect(east.rollback({ by: 'ada' })).rejects.toMatchObject({ code: 'ROLLBACK_IMPOSSIBLE' });
  });

  test('logs are found by stream, text and time, and followed', async () => {
    const client = new CloudWatchLogsClient({ region: EAST });
    const place = { logGroupName: '/tandem/shop/production', logStreamName: 'task/shop/0123456789abcdef' };
    await client.send(new CreateLogStreamCommand(place));
    const write = (...messages: string[]) =>
      client.send(
        new PutLogEventsCommand({
          ...place,
          logEvents: messages.map(message => ({ message, timestamp: Date.now() })),
        }),
      );
    await write('listening', 'an Error', 'done');
    const read = async (query: Parameters<RegionOperations['logs']>[0]) => {
      const lines = [];
      for await (const line of east.logs({ group: 'production', ...query })) lines.push(line);
      return lines;
    };
    const all = await read({});
    expect(all).toMatchObject([
      { message: 'listening', stream: '0123456789abcdef' },
      { message: 'an Error' },
      { message: 'done' },
    ]);
    expect(await read({ contains: 'error' })).toMatchObject([{ message: 'an Error' }]);
    expect(await read({ stream: '0123', since: all[0]!.at })).toHaveLength(3);
    expect(await read({ limit: 1 })).toMatchObject([{ message: 'done' }]);
    expect(await read({ after: all[0]!.sequence })).toMatchObject([
      { message: 'an Error' },
      { message: 'done' },
    ]);
    const stop = new AbortController();
    const followed: string[] = [];
    for await (const { message } of east.logs({ group: 'production', follow: true, limit: 1 }, stop.signal)) {
      followed.push(message);
      if (message === 'done') await write('later');
      if (message === 'later') stop.abort();
    }
    expect(followed).toEqual(['done', 'later']);
  });

  test.skipIf(findProgram('aws') === undefined)('git signs in to CodeCommit as the AWS CLI does', () => {
    const options = CODECOMMIT_SIGN_IN.flatMap(([key, value]) => ['-c', `credential.${key}=${value}`]);
    const host = `git-codecommit.${EAST}.amazonaws.com`;
    const filled = spawnSync('git', [...options, 'credential', 'fill'], {
      input: `protocol=https\nhost=${host}\npath=v1/repos/shop\n\n`,
      encoding: 'utf8',
      env: {
        ...process.env,
        GIT_CONFIG_GLOBAL: '/dev/null',
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'secret',
      },
    });
    const password = /^password=(.*)$/m.exec(filled.stdout)![1]!;
    const time = password.slice(0, 16).replace(/^(....)(..)(..T..)(..)(..)Z$/, '$1-$2-$3:$4:$5Z');
    const expected = codecommitCredentials(
      { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
      { url: `https://${host}/v1/repos/shop`, region: EAST, at: parseInstant(time)! },
    );
    expect(password).toBe(expected.password);
    expect(filled.stdout).toContain('username=AKIDEXAMPLE');
  });
});
