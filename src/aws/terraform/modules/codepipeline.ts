import { CloudwatchEventRule } from '@cdktn/provider-aws/lib/cloudwatch-event-rule/index.js';
import { CloudwatchEventTarget } from '@cdktn/provider-aws/lib/cloudwatch-event-target/index.js';
import { Codepipeline, type CodepipelineStage } from '@cdktn/provider-aws/lib/codepipeline/index.js';
import { Construct } from 'constructs';
import { serviceRole } from './service-role.ts';

interface ProjectReference {
  name: string;
  arn: string;
}

export interface CodepipelineInput {
  name: string;
  accountId: string;
  /** Of the pipeline itself. */
  roleName: string;
  /** Of the rule that starts it at a push. */
  startRoleName: string;
  repository: { name: string; arn: string };
  branch: string;
  artifactBucket: { name: string; arn: string };
  executionMode: 'SUPERSEDED' | 'QUEUED' | 'PARALLEL';
  build: ProjectReference;
  /** Releases `imagedefinitions.json` to the environment. */
  staging: ProjectReference;
  production: ProjectReference;
  /** `undefined`: production follows staging at once. */
  approval?: { expiresAfterMinutes: number; topicArn: string; topicKeyArn: string };
}

export interface CodepipelineOutput {
  name: string;
  arn: string;
}

const SOURCE = 'source';
const IMAGE = 'image';

/** Source → Build → Staging → Approval → Production, started by every push to one branch. */
export function codepipeline(scope: Construct, id: string, input: CodepipelineInput): CodepipelineOutput {
  const here = new Construct(scope, id);
  const role = serviceRole(here, 'role', {
    name: input.roleName,
    description: `Runs the pipeline ${input.name}`,
    service: 'codepipeline.amazonaws.com',
    accountId: input.accountId,
    statements: pipelineStatements(input),
  });
  const pipeline = new Codepipeline(here, 'pipeline', {
    name: input.name,
    roleArn: role.arn,
    pipelineType: 'V2',
    executionMode: input.executionMode,
    artifactStore: [{ type: 'S3', location: input.artifactBucket.name }],
    stage: stages(input),
  });
  startAtPush(here, input, pipeline.arn);
  return { name: pipeline.name, arn: pipeline.arn };
}

function stages(input: CodepipelineInput): CodepipelineStage[] {
  const { approval } = input;
  return [
    {
      name: 'Source',
      action: [
        {
          ...awsAction('Source', 'CodeCommit', 'Source'),
          namespace: SOURCE,
          outputArtifacts: [SOURCE],
          configuration: {
            RepositoryName: input.repository.name,
            BranchName: input.branch,
            // The event rule starts it; polling would start it again.
            PollForSourceChanges: 'false',
            OutputArtifactFormat: 'CODE_ZIP',
          },
        },
      ],
    },
    { name: 'Build', action: [{ ...run('Build', input.build, SOURCE), outputArtifacts: [IMAGE] }] },
    { name: 'Staging', action: [release('Staging', input.staging)] },
    ...(approval
      ? [
          {
            name: 'Approval',
            action: [
              {
                ...awsAction('Approval', 'Manual', 'Approval'),
                timeoutInMinutes: approval.expiresAfterMinutes,
                configuration: {
                  NotificationArn: approval.topicArn,
                  CustomData: 'Staging runs this release. Approve it for production?',
                },
              },
            ],
          },
        ]
      : []),
    { name: 'Production', action: [release('Production', input.production)] },
  ];
}

function awsAction(name: string, provider: string, category: string) {
  return { name, category, provider, owner: 'AWS', version: '1' };
}

function run(name: string, project: ProjectReference, artifact: string) {
  return {
    ...awsAction(name, 'CodeBuild', 'Build'),
    inputArtifacts: [artifact],
    configuration: { ProjectName: project.name },
  };
}

/** The commit is known to the source action only; the artifact of the build does not carry it. */
function release(name: string, project: ProjectReference) {
  const action = run(name, project, IMAGE);
  const variables = [{ name: 'RELEASE', value: `#{${SOURCE}.CommitId}`, type: 'PLAINTEXT' }];
  return {
    ...action,
    configuration: { ...action.configuration, EnvironmentVariables: JSON.stringify(variables) },
  };
}

function pipelineStatements(input: CodepipelineInput) {
  const projects = [input.build, input.staging, input.production];
  return [
    {
      Sid: 'Artifacts',
      Action: ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject'],
      Resource: `${input.artifactBucket.arn}/*`,
    },
    {
      Sid: 'ArtifactBucket',
      Action: ['s3:GetBucketVersioning', 's3:GetBucketLocation'],
      Resource: input.artifactBucket.arn,
    },
    {
      Sid: 'Source',
      Action: [
        'codecommit:GetBranch',
        'codecommit:GetCommit',
        'codecommit:GetRepository',
        'codecommit:UploadArchive',
        'codecommit:GetUploadArchiveStatus',
        'codecommit:CancelUploadArchive',
      ],
      Resource: input.repository.arn,
    },
    {
      Sid: 'Run',
      Action: ['codebuild:StartBuild', 'codebuild:BatchGetBuilds', 'codebuild:StopBuild'],
      Resource: projects.map(({ arn }) => arn),
    },
    ...(input.approval
      ? [
          { Sid: 'Ask', Action: 'sns:Publish', Resource: input.approval.topicArn },
          {
            Sid: 'EncryptTheQuestion',
            Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
            Resource: input.approval.topicKeyArn,
          },
        ]
      : []),
  ];
}

function startAtPush(scope: Construct, input: CodepipelineInput, pipelineArn: string): void {
  const role = serviceRole(scope, 'starter', {
    name: input.startRoleName,
    description: `Starts the pipeline ${input.name} at a push`,
    service: 'events.amazonaws.com',
    accountId: input.accountId,
    statements: [{ Sid: 'Start', Action: 'codepipeline:StartPipelineExecution', Resource: pipelineArn }],
  });
  const rule = new CloudwatchEventRule(scope, 'push', {
    name: `${input.name}-push`,
    description: `A push to ${input.branch} starts the pipeline ${input.name}`,
    eventPattern: JSON.stringify({
      source: ['aws.codecommit'],
      'detail-type': ['CodeCommit Repository State Change'],
      resources: [input.repository.arn],
      detail: {
        event: ['referenceCreated', 'referenceUpdated'],
        referenceType: ['branch'],
        referenceName: [input.branch],
      },
    }),
  });
  new CloudwatchEventTarget(scope, 'start', {
    rule: rule.name,
    targetId: 'pipeline',
    arn: pipelineArn,
    roleArn: role.arn,
  });
}
