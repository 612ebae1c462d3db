import type { BatchGetBuildsOutput, ListBuildsForProjectOutput } from '@aws-sdk/client-codebuild';
import type { GetPipelineStateOutput } from '@aws-sdk/client-codepipeline';
import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  AuthorizeSecurityGroupIngressCommand,
  EC2Client,
  RevokeSecurityGroupIngressCommand,
} from '@aws-sdk/client-ec2';
import { type DescribeTasksResponse, type ListTasksResponse } from '@aws-sdk/client-ecs';
import {
  DeregisterTargetsCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createAwsOperations } from '../../src/aws-operations.ts';
import { diagnose } from '../../src/control/diagnosis/diagnose.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/core/duration.ts';
import type { Finding, RegionObservation } from '../../src/model/diagnosis.ts';
import { configSchema } from '../../src/model/config/schema.ts';
import { findProgram } from '../../src/platform/process.ts';
import { openAnsweringAws, type Between } from './answers-between.ts';
import { targetsOf, tcp } from './emulated-application.ts';
import { HERE, makeReplication, makeServices, NOW, peer, ref, THERE, write } from './observed-world.ts';

/*
 * What doctor sees of a region on AWS. moto plays what it can: services, target health, security groups, logs, tables,
 * queues. What it cannot (tasks that ECS stopped by itself, builds that ran, a pipeline's state) is answered in AWS's own
 * shapes, which the SDK's types check; and refusals and outages are made in between.
 */

const isMissing = findProgram('moto_server') === undefined;
if (isMissing)
  console.log('The tests of what doctor sees on AWS are skipped: there is no moto_server on PATH.');

const ACCOUNT_ID = '123456789012';
const config = configSchema.parse({
  application: 'shop',
  regions: [HERE, THERE],
  aws: { accountId: ACCOUNT_ID },
});
const TASK = `arn:aws:ecs:${HERE}:${ACCOUNT_ID}:task/shop-production/0123456789abcdef0123456789abcdef`;

describe.skipIf(isMissing)('a region on AWS', { timeout: 60_000 }, () => {
  const aws = createAwsOperations();
  const clients = { region: HERE };
  let between: Between;
  let groups: { balancer: string; tasks: string };

  beforeAll(async () => {
    between = await openAnsweringAws();
    groups = await makeServices();
    await makeReplication();
  }, 60_000);

  afterEach(() => between.reset());

  afterAll(() => between[Symbol.asyncDispose]());

  const look = async (region: 'eu-west-1' | 'eu-central-1' = HERE): Promise<RegionObservation> => ({
    locks: [],
    ...(await aws.observeRegion(config, region, NOW)),
  });
  const found = async (name: Finding['case']) =>
    diagnose(await look()).filter(finding => finding.case === name && finding.subject !== 'staging');

  test('that is well has no findings, and everything of it was seen', async () => {
    const observation = await look();
    expect(observation.unseen).toEqual([]);
    expect(observation.services.map(({ environment }) => environment)).toEqual(['staging', 'production']);
    expect(observation.services[1]).toMatchObject({
      desired: 2,
      healthyTargets: 2,
      otherTargets: [],
      memoryMb: 512,
      ports: {
        isBalancerOpen: true,
        isBalancerOpenToTasks: true,
        areTasksOpen: true,
        port: 8080,
        balancerGroup: groups.balancer,
        tasksGroup: groups.tasks,
      },
    });
    expect(diagnose(observation)).toEqual([]);
  });

  test('whose load balancer lets nobody in cannot be reached, whatever its targets say', async () => {
    const ec2 = new EC2Client(clients);
    const rule = { GroupId: groups.balancer, IpPermissions: [tcp(80)] };
    await ec2.send(new RevokeSecurityGroupIngressCommand(rule));
    try {
      expect((await found('unreachable'))[0]).toMatchObject({
        severity: 'error',
        subject: 'production',
        cause: 'the application cannot be reached: the load balancer’s security group is closed',
        evidence: [
          { what: 'targets', seen: '2 of 2 healthy' },
          { what: 'security groups', seen: `${groups.balancer} lets nobody in from outside` },
        ],
      });
    } finally {
      await ec2.send(new AuthorizeSecurityGroupIngressCommand(rule));
    }
  });

  test('whose targets are gone is explained by groups, tasks and what the task that ended last wrote', async () => {
    const elb = new ElasticLoadBalancingV2Client(clients);
    const { TargetGroups } = await elb.send(new DescribeTargetGroupsCommand({ Names: ['shop-prod-blue'] }));
    const targets = { TargetGroupArn: TargetGroups![0]!.TargetGroupArn!, Targets: targetsOf(2) };
    await elb.send(new DeregisterTargetsCommand(targets));
    await write('/tandem/shop/production', `task/shop/${TASK.split('/').at(-1)}`, [
      'starting',
      'Error: the price list is missing',
    ]);
    between.answer('ListTasks', { taskArns: [TASK] } satisfies ListTasksResponse);
    between.answer('DescribeTasks', {
      tasks: [
        {
          taskArn: TASK,
          stopCode: 'EssentialContainerExited',
          stoppedReason: 'Essential container in task exited',
          stoppedAt: new Date(NOW - MINUTE_MS),
          containers: [{ name: 'shop', exitCode: 3 }],
        },
      ],
    } satisfies DescribeTasksResponse);
    try {
      const [finding] = await found('unreachable');
      expect(finding!.cause).toContain('the price list is missing');
      expect(finding!.evidence).toMatchObject([
        { what: 'targets', seen: expect.stringMatching(/^0 of 2 healthy/) },
        { what: 'security groups', seen: 'open from outside to the tasks, port 8080' },
        { what: 'tasks', seen: expect.stringContaining('Essential container in task exited') },
        { what: 'logs', seen: 'Error: the price list is missing' },
      ]);
      expect(finding!.mend).toContain('`tandem logs production --target aws --region eu-west-1`');
    } finally {
      await elb.send(new RegisterTargetsCommand(targets));
    }
  });

  test('names why images cannot be pulled', async () => {
    between.answer('ListTasks', { taskArns: [TASK] } satisfies ListTasksResponse);
    between.answer('DescribeTasks', {
      tasks: [
        {
          taskArn: TASK,
          stopCode: 'TaskFailedToStart',
          stoppedAt: new Date(NOW - MINUTE_MS),
          stoppedReason:
            'CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ' +
            `${ACCOUNT_ID}.dkr.ecr.${HERE}.amazonaws.com/shop@sha256:1: not found`,
          containers: [{ name: 'shop' }],
        },
      ],
    } satisfies DescribeTasksResponse);
    expect((await found('image-pull'))[0]).toMatchObject({
      cause: 'tasks cannot start: the image is not in the registry',
      evidence: [{ seen: '1 in the last hour' }, { seen: expect.stringContaining('sha256:1: not found') }],
    });
  });

  test('tells kills for memory from tasks that were killed while they were taken away', async () => {
    const killed = (
      stopCode: 'EssentialContainerExited' | 'ServiceSchedulerInitiated',
      stoppedReason: string,
      reason?: string,
    ) => ({
      taskArn: TASK,
      stopCode,
      stoppedReason,
      stoppedAt: new Date(NOW - MINUTE_MS),
      containers: [{ name: 'shop', exitCode: 137, ...(reason !== undefined && { reason }) }],
    });
    between.answer('ListTasks', { taskArns: [TASK] } satisfies ListTasksResponse);
    between.answer('DescribeTasks', {
      tasks: [
        killed('ServiceSchedulerInitiated', 'Scaling activity initiated by (deployment ecs-svc/1)'),
        killed('ServiceSchedulerInitiated', 'Task failed ELB health checks in (target-group x)'),
        killed('EssentialContainerExited', 'Essential container in task exited'),
        killed(
          'EssentialContainerExited',
          'Essential container in task exited',
          'OutOfMemoryError: Container killed due to memory usage',
        ),
      ],
    } satisfies DescribeTasksResponse);
    const [finding] = await found('memory');
    expect(finding).toMatchObject({ severity: 'error', evidence: [{ seen: '2 in the last hour' }, {}] });
    expect((await look()).services[1]!.stops).toHaveLength(3);
  });

  test('says of a build that failed what CodeBuild and its log say', async () => {
    const group = { logGroupName: '/aws/codebuild/shop-build' };
    await new CloudWatchLogsClient(clients).send(new CreateLogGroupCommand(group));
    await write(group.logGroupName, 'build-7', [
      '[Container] 2026/11/23 Running command npm test',
      'Error: 3 tests failed',
      '[Container] 2026/11/23 Command did not exit successfully npm test exit status 1',
    ]);
    between.answer('ListBuildsForProject', {
      ids: ['shop-build:6', 'shop-build:7'],
    } satisfies ListBuildsForProjectOutput);
    between.answer('BatchGetBuilds', {
      builds: [
        {
          id: 'shop-build:6',
          buildNumber: 6,
          buildStatus: 'SUCCEEDED',
          startTime: new Date(NOW - HOUR_MS),
          endTime: new Date(NOW - HOUR_MS + 4 * MINUTE_MS),
        },
        {
          id: 'shop-build:7',
          buildNumber: 7,
          buildStatus: 'FAILED',
          currentPhase: 'COMPLETED',
          startTime: new Date(NOW - 5 * MINUTE_MS),
          timeoutInMinutes: 60,
          phases: [
            { phaseType: 'INSTALL', phaseStatus: 'SUCCEEDED', contexts: [{ message: '' }] },
            {
              phaseType: 'BUILD',
              phaseStatus: 'FAILED',
              contexts: [{ message: 'Error while executing command: npm test. Reason: exit status 1' }],
            },
          ],
          logs: { groupName: '/aws/codebuild/shop-build', streamName: 'build-7' },
        },
      ],
    } satisfies BatchGetBuildsOutput);
    expect(await found('build')).toMatchObject([
      {
        subject: 'build #7',
        cause:
          'the newest build failed: Error while executing command: npm test. Reason: exit status 1; ' +
          'its log ends with: Error: 3 tests failed',
        evidence: [{ what: 'phase', seen: 'BUILD' }],
        mend:
          'mend what the log names (`tandem logs build --target aws --region eu-west-1`), and push; ' +
          '`tandem retry --target aws --region eu-west-1` if it was chance',
      },
    ]);
  });

  test('says of a build that runs far longer than usual that it is stuck', async () => {
    const succeeded = {
      buildStatus: 'SUCCEEDED' as const,
      startTime: new Date(NOW - 3 * HOUR_MS),
      endTime: new Date(NOW - 3 * HOUR_MS + 4 * MINUTE_MS),
    };
    between.answer('ListBuildsForProject', { ids: ['a', 'b'] } satisfies ListBuildsForProjectOutput);
    between.answer('BatchGetBuilds', {
      builds: [
        succeeded,
        {
          buildNumber: 8,
          buildStatus: 'IN_PROGRESS',
          currentPhase: 'BUILD',
          startTime: new Date(NOW - 25 * MINUTE_MS),
          timeoutInMinutes: 60,
        },
      ],
    } satisfies BatchGetBuildsOutput);
    expect(await found('build')).toMatchObject([
      {
        cause: 'the build is stuck',
        evidence: [{ seen: 'BUILD' }, { what: 'runs for', seen: '25 min, usually 4 min' }],
      },
    ]);
  });

  test('says what keeps the pipeline from building at all', async () => {
    between.answer('GetPipelineState', {
      stageStates: [
        { stageName: 'Source', latestExecution: { pipelineExecutionId: '1', status: 'Succeeded' } },
        {
          stageName: 'Build',
          latestExecution: { pipelineExecutionId: '1', status: 'Failed' },
          actionStates: [
            {
              actionName: 'Image',
              latestExecution: {
                status: 'Failed',
                lastStatusChange: new Date(NOW - MINUTE_MS),
                errorDetails: { message: 'The role is not authorized to perform codebuild:StartBuild' },
              },
            },
          ],
        },
      ],
    } satisfies GetPipelineStateOutput);
    expect(await found('build')).toMatchObject([
      {
        subject: 'build of pipeline shop',
        cause: 'the newest build failed: The role is not authorized to perform codebuild:StartBuild',
      },
    ]);
  });

  test('whose replication does not go through is behind, with what waits and what was given up', async () => {
    await peer(NOW - 20 * MINUTE_MS);
    await ref('refs/heads/main', NOW - 18 * MINUTE_MS);
    const sqs = new SQSClient(clients);
    const { QueueUrl } = await sqs.send(
      new CreateQueueCommand({ QueueName: 'shop-replication-dead.fifo', Attributes: { FifoQueue: 'true' } }),
    );
    const lost = { MessageBody: '{}', MessageGroupId: THERE, MessageDeduplicationId: '1' };
    await sqs.send(new SendMessageCommand({ QueueUrl, ...lost }));
    const [finding] = await found('replication');
    expect(finding).toMatchObject({
      severity: 'warning',
      subject: `to ${THERE}`,
      cause: `${THERE} lacks commits of ${HERE}`,
    });
    expect(finding!.evidence[0]!.seen).toMatch(/^1 branch or tag waits, for 20 min/);
    expect(finding!.evidence[1]!.seen).toMatch(
      /^no round to eu-central-1 has gone through since .*; 1 were given up, in shop-replication-dead\.fifo$/,
    );
    await peer(NOW - MINUTE_MS, ['refs/heads/main']);
    expect((await found('replication'))[0]!.cause).toBe(
      'both regions have commits that the other lacks: refs/heads/main',
    );
    await peer(NOW - MINUTE_MS);
  });

  test('of which one call is refused is shown but for that, with the permission that is missing', async () => {
    between.refuse('DescribeTargetHealth', 'BatchGetBuilds', 'DescribeSecurityGroupRules');
    between.answer('ListBuildsForProject', { ids: ['a'] } satisfies ListBuildsForProjectOutput);
    const observation = await look();
    expect(observation.unseen.map(({ what }) => what).sort()).toEqual([
      'builds',
      'production: security groups',
      'production: target health',
      'staging: security groups',
      'staging: target health',
    ]);
    expect(observation.unseen.find(({ what }) => what === 'production: target health')!.reason).toMatch(
      /^elasticloadbalancing:DescribeTargetHealth failed: AccessDenied.*: these credentials may not do that/,
    );
    expect(observation.services).toHaveLength(2);
    expect(observation.replication).toHaveLength(1);
    expect(diagnose(observation).filter(({ case: name }) => name !== 'unreachable')).toEqual([]);
  });

  test('that does not answer hides no other', async () => {
    between.cutOff(THERE);
    const [here, there] = await Promise.all([look(), look(THERE)]);
    expect(here.unseen).toEqual([]);
    expect(here.services).toHaveLength(2);
    expect(there.services).toEqual([]);
    expect(there.unseen.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['staging', 'production', 'builds', 'the pipeline', 'replication']),
    );
  });
});
