import { CloudwatchEventRule } from '@cdktn/provider-aws/lib/cloudwatch-event-rule/index.js';
import { CloudwatchEventTarget } from '@cdktn/provider-aws/lib/cloudwatch-event-target/index.js';
import { IamRolePolicyAttachment } from '@cdktn/provider-aws/lib/iam-role-policy-attachment/index.js';
import { Construct } from 'constructs';
import { literalText } from '../literal.ts';
import type { PolicyStatement } from '../policy.ts';
import { codebuildProject } from './codebuild-project.ts';
import { driftCheckBuildspec } from './drift-check-buildspec.ts';
import { eventNotification } from './event-notification.ts';
import { serviceRole } from './service-role.ts';

export interface DriftCheckInput {
  /** Of the project, and of the rules that start it and tell of it; at most 57 characters. */
  name: string;
  accountId: string;
  every: 'daily' | 'weekly';
  /** In the order in which they are compared: names of their folders below `deployed/`. */
  stacks: readonly string[];
  /** Holds their states, and their documents as they were last applied. */
  stateBucket: string;
  /** Secrets that the stacks make or use: a plan reads their values. ARNs, with `*` at their ends. */
  secretArns: readonly string[];
  /** Told of what has drifted, and of checks that failed. */
  topic: { arn: string; keyArn: string };
  /** Puts back what has drifted; `undefined`: nobody does. */
  reapplyRoleArn?: string;
  roleName: string;
  startRoleName: string;
  logRetentionDays: number;
}

/** Early in the morning, UTC: not in the middle of a first deployment, as a rate could. */
const SCHEDULES = { daily: 'cron(0 6 * * ? *)', weekly: 'cron(0 6 ? * MON *)' } as const;
const TIMEOUT_MINUTES = 60;

/** Compares a region's stacks with what is there, on a schedule, and tells people what was changed outside Terraform. */
export function driftCheck(scope: Construct, id: string, input: DriftCheckInput): void {
  const here = new Construct(scope, id);
  const { name, accountId, topic, reapplyRoleArn } = input;
  const project = codebuildProject(here, 'check', {
    name,
    description: `Looks for what was changed outside Terraform (${input.every})`,
    accountId,
    roleName: input.roleName,
    buildspec: literalText(driftCheckBuildspec()),
    repository: 'none',
    environment: {
      STACKS: input.stacks.join(' '),
      STATE_BUCKET: input.stateBucket,
      TOPIC: topic.arn,
      CHECKED: input.every,
      ...(reapplyRoleArn !== undefined && { REAPPLY_ROLE: reapplyRoleArn }),
    },
    // The digest of the Terraform that it takes is of this architecture.
    architecture: 'X86_64',
    timeoutMinutes: TIMEOUT_MINUTES,
    docker: false,
    logRetentionDays: input.logRetentionDays,
    statements: statements(input),
  });
  // Terraform reads everything that it made, and each kind of resource by actions of its own: AWS keeps that list.
  new IamRolePolicyAttachment(here, 'read', {
    role: project.roleName,
    policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess',
  });
  const start = serviceRole(here, 'start', {
    name: input.startRoleName,
    description: `Starts ${name}`,
    service: 'events.amazonaws.com',
    accountId,
    statements: [{ Sid: 'Start', Action: 'codebuild:StartBuild', Resource: project.arn }],
  });
  const schedule = new CloudwatchEventRule(here, 'schedule', {
    name,
    description: `Starts ${name} (${input.every})`,
    scheduleExpression: SCHEDULES[input.every],
  });
  new CloudwatchEventTarget(here, 'target', {
    rule: schedule.name,
    targetId: 'check',
    arn: project.arn,
    roleArn: start.arn,
  });
  eventNotification(here, 'failed', {
    name: `${name}-failed`,
    description: `${name} could not compare everything`,
    pattern: {
      source: ['aws.codebuild'],
      'detail-type': ['CodeBuild Build State Change'],
      detail: { 'project-name': [name], 'build-status': ['FAILED', 'FAULT', 'TIMED_OUT'] },
    },
    topicArn: topic.arn,
    paths: { project: '$.detail.project-name', region: '$.region', build: '$.detail.build-id' },
    message:
      'Drift check <project> in <region> could not compare everything, so nothing is known of the rest. Its log: <build>.',
  });
}

const CONTENTS = [
  'codecommit:GetBlob',
  'codecommit:GetFile',
  'codecommit:GitPull',
  'dynamodb:BatchGetItem',
  'dynamodb:GetItem',
  'dynamodb:GetRecords',
  'dynamodb:PartiQLSelect',
  'dynamodb:Query',
  'dynamodb:Scan',
  'ecr:BatchGetImage',
  'ecr:GetDownloadUrlForLayer',
  'logs:FilterLogEvents',
  'logs:GetLogEvents',
  'logs:GetQueryResults',
  'logs:StartLiveTail',
  'logs:StartQuery',
  'sqs:ReceiveMessage',
  'ssm:GetParameter',
  'ssm:GetParameters',
  'ssm:GetParametersByPath',
];

function statements({ stateBucket, secretArns, topic, reapplyRoleArn }: DriftCheckInput): PolicyStatement[] {
  const bucketArn = `arn:aws:s3:::${stateBucket}`;
  return [
    { Sid: 'FindStates', Action: 's3:ListBucket', Resource: bucketArn },
    { Sid: 'ReadStates', Action: 's3:GetObject', Resource: `${bucketArn}/*` },
    { Sid: 'LockStates', Action: ['s3:PutObject', 's3:DeleteObject'], Resource: `${bucketArn}/*.tflock` },
    { Sid: 'Tell', Action: 'sns:Publish', Resource: topic.arn },
    { Sid: 'Encrypt', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: topic.keyArn },
    ...(secretArns.length === 0
      ? []
      : [
          { Sid: 'ReadSecrets', Action: 'secretsmanager:GetSecretValue', Resource: secretArns },
          { Sid: 'MakeUpSecrets', Action: 'secretsmanager:GetRandomPassword', Resource: '*' },
        ]),
    ...(reapplyRoleArn === undefined
      ? []
      : [{ Sid: 'PutBack', Action: 'sts:AssumeRole', Resource: reapplyRoleArn }]),
    // Of what AWS's own policy lets it read, no plan needs what people store.
    {
      Sid: 'NoObjects',
      Effect: 'Deny',
      Action: ['s3:GetObject', 's3:GetObjectVersion'],
      NotResource: `${bucketArn}/*`,
    },
    { Sid: 'NoContents', Effect: 'Deny', Action: CONTENTS, Resource: '*' },
  ];
}
