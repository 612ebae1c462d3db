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
  source: PipelineSource;
  branch: string;
  artifactBucket: { name: string; arn: string };
  executionMode: 'SUPERSEDED' | 'QUEUED' | 'PARALLEL';
  /** Makes `imagedefinitions.json` of a commit, which it gets as COMMIT. */
  image: ProjectReference;
  /** Releases `imagedefinitions.json` to the environment. */
  staging: ProjectReference;
  production: ProjectReference;
  /** `undefined`: production follows staging at once. */
  approval?: Question & {
    /** Says in SUMMARY, which it exports, what a person wants to know; it gets the commit as COMMIT. */
    card?: ProjectReference;
  };
  /** A person is asked in the middle of the deployment to production as well. */
  gate?: Question & {
    /** Of the rule that rolls the deployment back when the answer is no. */
    refusalRoleName: string;
  };
}

interface Question {
  expiresAfterMinutes: number;
  topicArn: string;
  topicKeyArn: string;
}

/** CodeCommit, or a repository elsewhere by a connection of CodeConnections. */
export type PipelineSource =
  | { kind: 'codecommit'; repositoryName: string; repositoryArn: string }
  | { kind: 'connection'; connectionArn: string; /** `owner/name`. */ repositoryId: string };

export interface CodepipelineOutput {
  name: string;
  arn: string;
}

const SOURCE = 'source';
const IMAGE = 'image';
const CARD = 'card';

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
    dependsOn: role.policies,
  });
  if (input.source.kind === 'codecommit') startAtPush(here, input, input.source.repositoryArn, pipeline.arn);
  if (input.gate) rollBackAtRefusal(here, input, input.gate.refusalRoleName);
  return { name: pipeline.name, arn: pipeline.arn };
}

function stages(input: CodepipelineInput): CodepipelineStage[] {
  const { approval, gate } = input;
  return [
    { name: 'Source', action: [sourceAction(input)] },
    {
      name: 'Build',
      action: [
        {
          ...run('Build', input.image, SOURCE, { COMMIT: `#{${SOURCE}.CommitId}` }),
          outputArtifacts: [IMAGE],
        },
      ],
    },
    { name: 'Staging', action: [release('Staging', input.staging)] },
    ...(approval
      ? [
          {
            name: 'Approval',
            action: approval.card
              ? [
                  {
                    ...run('Card', approval.card, IMAGE, { COMMIT: `#{${SOURCE}.CommitId}` }),
                    namespace: CARD,
                    runOrder: 1,
                  },
                  { ...ask('Approval', approval, `#{${CARD}.SUMMARY}`), runOrder: 2 },
                ]
              : [ask('Approval', approval, 'Staging runs this release. Approve it for production?')],
          },
        ]
      : []),
    {
      name: 'Production',
      action: gate
        ? [
            { ...release('Production', input.production), runOrder: 1 },
            {
              ...ask(GATE, gate, 'Production has begun to run this release. Approve it for all requests?'),
              runOrder: 2,
            },
            { ...release('Rest', input.production, 'resume'), runOrder: 3 },
          ]
        : [release('Production', input.production)],
    },
  ];
}

const GATE = 'Gate';

function sourceAction({ source, branch }: CodepipelineInput) {
  const shared = { namespace: SOURCE, outputArtifacts: [SOURCE] };
  if (source.kind === 'connection') {
    return {
      ...awsAction('Source', 'CodeStarSourceConnection', 'Source'),
      ...shared,
      configuration: {
        ConnectionArn: source.connectionArn,
        FullRepositoryId: source.repositoryId,
        BranchName: branch,
        DetectChanges: 'true',
        OutputArtifactFormat: 'CODE_ZIP',
      },
    };
  }
  return {
    ...awsAction('Source', 'CodeCommit', 'Source'),
    ...shared,
    configuration: {
      RepositoryName: source.repositoryName,
      BranchName: branch,
      // The event rule starts it; polling would start it again.
      PollForSourceChanges: 'false',
      OutputArtifactFormat: 'CODE_ZIP',
    },
  };
}

function ask(name: string, { expiresAfterMinutes, topicArn }: Question, question: string) {
  return {
    ...awsAction(name, 'Manual', 'Approval'),
    timeoutInMinutes: expiresAfterMinutes,
    configuration: { NotificationArn: topicArn, CustomData: question },
  };
}

function awsAction(name: string, provider: string, category: string) {
  return { name, category, provider, owner: 'AWS', version: '1' };
}

function run(
  name: string,
  project: ProjectReference,
  artifact: string,
  environment: Readonly<Record<string, string>>,
) {
  const variables = Object.entries(environment).map(([key, value]) => ({
    name: key,
    value,
    type: 'PLAINTEXT',
  }));
  return {
    ...awsAction(name, 'CodeBuild', 'Build'),
    inputArtifacts: [artifact],
    configuration: { ProjectName: project.name, EnvironmentVariables: JSON.stringify(variables) },
  };
}

/** The commit is known to the source action only; the artifact of the build does not carry it. */
function release(name: string, project: ProjectReference, mode = 'deploy') {
  return run(name, project, IMAGE, { RELEASE: `#{${SOURCE}.CommitId}`, MODE: mode });
}

function pipelineStatements(input: CodepipelineInput) {
  const { card } = input.approval ?? {};
  const projects = [input.image, input.staging, input.production, ...(card ? [card] : [])];
  const question = input.approval ?? input.gate;
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
    input.source.kind === 'connection'
      ? {
          Sid: 'Source',
          Action: ['codeconnections:UseConnection', 'codestar-connections:UseConnection'],
          Resource: input.source.connectionArn,
        }
      : {
          Sid: 'Source',
          Action: [
            'codecommit:GetBranch',
            'codecommit:GetCommit',
            'codecommit:GetRepository',
            'codecommit:UploadArchive',
            'codecommit:GetUploadArchiveStatus',
            'codecommit:CancelUploadArchive',
          ],
          Resource: input.source.repositoryArn,
        },
    {
      Sid: 'Run',
      Action: ['codebuild:StartBuild', 'codebuild:BatchGetBuilds', 'codebuild:StopBuild'],
      Resource: projects.map(({ arn }) => arn),
    },
    ...(question
      ? [
          { Sid: 'Ask', Action: 'sns:Publish', Resource: question.topicArn },
          {
            Sid: 'EncryptTheQuestion',
            Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
            Resource: question.topicKeyArn,
          },
        ]
      : []),
  ];
}

function startAtPush(
  scope: Construct,
  input: CodepipelineInput,
  repositoryArn: string,
  pipelineArn: string,
): void {
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
      resources: [repositoryArn],
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

/** A refused, or unanswered, gate ends the execution; what it began to release must go back as well. */
function rollBackAtRefusal(scope: Construct, input: CodepipelineInput, roleName: string): void {
  const { name, accountId, production } = input;
  const role = serviceRole(scope, 'refusal', {
    name: roleName,
    description: `Rolls production back when a person refuses a release of ${name} at its gate`,
    service: 'events.amazonaws.com',
    accountId,
    statements: [{ Sid: 'RollBack', Action: 'codebuild:StartBuild', Resource: production.arn }],
  });
  const rule = new CloudwatchEventRule(scope, 'refused', {
    name: `${name}-gate-refused`,
    description: `A person refused a release of ${name} in the middle of its deployment`,
    eventPattern: JSON.stringify({
      source: ['aws.codepipeline'],
      'detail-type': ['CodePipeline Action Execution State Change'],
      detail: { pipeline: [name], stage: ['Production'], action: [GATE], state: ['FAILED', 'ABANDONED'] },
    }),
  });
  new CloudwatchEventTarget(scope, 'roll-back', {
    rule: rule.name,
    targetId: 'roll-back',
    arn: production.arn,
    roleArn: role.arn,
    input: JSON.stringify({
      sourceTypeOverride: 'NO_SOURCE',
      artifactsOverride: { type: 'NO_ARTIFACTS' },
      environmentVariablesOverride: [{ name: 'MODE', value: 'roll-back', type: 'PLAINTEXT' }],
    }),
  });
}
