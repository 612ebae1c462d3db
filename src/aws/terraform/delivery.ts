import type { PipelineEnvironment } from '../../model/names.ts';
import { approvalCardProject } from './approval-card.ts';
import { literalText } from './literal.ts';
import {
  codebuildProject,
  type CodebuildProjectOutput,
  type SourceRepository,
} from './modules/codebuild-project.ts';
import { codepipeline, type CodepipelineOutput } from './modules/codepipeline.ts';
import type { EcrOutput } from './modules/ecr.ts';
import { imageBuildspec } from './modules/image-buildspec.ts';
import type { NotificationsOutput } from './modules/notifications.ts';
import { privateBucket, type PrivateBucket } from './modules/private-bucket.ts';
import { signingStatement } from './modules/signing-key.ts';
import type { PolicyStatement } from './policy.ts';
import type { Region } from './region-stack.ts';
import type { CommitSource } from './source.ts';

export interface DeliveryInput {
  source: CommitSource;
  images: EcrOutput;
  /** `undefined`: images are not signed. */
  signatures: EcrOutput | undefined;
  people: NotificationsOutput;
}

const MINUTES_A_DAY = 24 * 60;
/** CodeBuild's own limit. */
const LONGEST_BUILD_MINUTES = 36 * 60;
const SHORTEST_MINUTES = 5;
/** How long a signature may take to come after its image, and some more. */
const SIGNATURE_MINUTES = 20;

/** The region's own way from a push to production: builds, and the pipeline that runs them and the releases. */
export function deliverFrom(region: Region, input: DeliveryInput): CodepipelineOutput {
  const { stack, config, names, accountId } = region;
  const { approval } = config.pipeline;
  const { gate } = config.deployment;
  const artifacts = privateBucket(stack, 'artifacts', {
    name: names.bucket('artifacts', stack.region),
    expireAfterDays: config.pipeline.artifactDays,
    keepVersionsDays: 1,
    // Nothing in it outlives its use, so nothing is lost with it.
    protect: false,
  });
  // Each is made with its environment, whose stack comes after this one.
  const release = (environment: PipelineEnvironment) => {
    const name = names.releaseProject(environment);
    return { name, arn: `arn:aws:codebuild:${stack.region}:${accountId}:project/${name}` };
  };
  const approvalMinutes = Math.max(SHORTEST_MINUTES, Math.round(approval.expiresAfterDays * MINUTES_A_DAY));
  const question = { topicArn: input.people.topicArn, topicKeyArn: input.people.keyArn };
  return codepipeline(stack, 'pipeline', {
    name: names.prefix,
    accountId,
    roleName: names.role('pipeline', stack.region),
    startRoleName: names.role('pipeline-start', stack.region),
    source: input.source.forPipeline,
    branch: config.pipeline.branch,
    artifactBucket: artifacts,
    executionMode: config.pipeline.executionMode,
    image: imageProject(region, input, { artifacts, build: buildProject(region, input, artifacts) }),
    staging: release('staging'),
    production: release('production'),
    ...(approval.required && {
      approval: {
        ...question,
        expiresAfterMinutes: approvalMinutes,
        card: approvalCardProject(region, {
          ...input,
          artifactBucketArn: artifacts.arn,
          expiresAfterMinutes: approvalMinutes,
        }),
      },
    }),
    ...(gate.required && {
      gate: {
        ...question,
        expiresAfterMinutes: gate.expiresAfterMinutes,
        refusalRoleName: names.role('gate-refused', stack.region),
      },
    }),
  });
}

/** Runs the application's own buildspec, on a commit of its repository. */
function buildProject(
  { stack, config, names, accountId }: Region,
  { images, source }: DeliveryInput,
  artifacts: PrivateBucket,
): CodebuildProjectOutput {
  const repository: SourceRepository = {
    ...source.forBuild,
    artifacts: { bucket: artifacts.name, folder: 'builds' },
  };
  return codebuildProject(stack, 'build', {
    name: names.buildProject,
    description: `Builds ${config.application}`,
    accountId,
    roleName: names.role('build', stack.region),
    buildspec: config.build.buildspec,
    repository,
    // The same names as in the local cloud, so that one buildspec serves both.
    environment: {
      APPLICATION: config.application,
      CONTAINER_NAME: config.application,
      REPOSITORY_URI: images.uri,
      REGION: stack.region,
      ...config.build.environment,
    },
    architecture: config.aws.architecture,
    timeoutMinutes: buildMinutes(config.build.timeoutMinutes),
    docker: true,
    artifactBucketArn: artifacts.arn,
    logRetentionDays: config.logs.retentionDays,
    statements: [
      source.cloneStatement,
      // Knows no resource (service authorization reference, Amazon ECR).
      { Sid: 'SignIn', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
      {
        Sid: 'PushAndReuse',
        Action: [
          'ecr:BatchCheckLayerAvailability',
          'ecr:BatchGetImage',
          'ecr:CompleteLayerUpload',
          'ecr:DescribeImages',
          'ecr:GetDownloadUrlForLayer',
          'ecr:InitiateLayerUpload',
          'ecr:PutImage',
          'ecr:UploadLayerPart',
        ],
        Resource: images.arn,
      },
      {
        Sid: 'Reports',
        Action: [
          'codebuild:CreateReportGroup',
          'codebuild:CreateReport',
          'codebuild:UpdateReport',
          'codebuild:BatchPutTestCases',
          'codebuild:BatchPutCodeCoverages',
        ],
        Resource: `arn:aws:codebuild:${stack.region}:${accountId}:report-group/${names.buildProject}-*`,
      },
    ],
  });
}

/** Finds the commit's image, or has it built: what the pipeline runs. */
function imageProject(
  { stack, config, names, accountId }: Region,
  { images, signatures }: DeliveryInput,
  { artifacts, build }: { artifacts: PrivateBucket; build: CodebuildProjectOutput },
): CodebuildProjectOutput {
  const waitMinutes = stack.region === config.regions[0] ? 0 : config.aws.replicaWaitMinutes;
  const statements: PolicyStatement[] = [
    { Sid: 'FindImage', Action: 'ecr:DescribeImages', Resource: images.arn },
    {
      Sid: 'Build',
      Action: ['codebuild:StartBuild', 'codebuild:StopBuild', 'codebuild:BatchGetBuilds'],
      Resource: build.arn,
    },
    ...(signatures
      ? [
          signingStatement(
            { region: stack.region, accountId, alias: names.signingKey },
            'kms:Sign',
            'kms:Verify',
          ),
          {
            Sid: 'Signatures',
            Action: [
              'ecr:BatchGetImage',
              'ecr:CompleteLayerUpload',
              'ecr:GetDownloadUrlForLayer',
              'ecr:InitiateLayerUpload',
              'ecr:PutImage',
              'ecr:UploadLayerPart',
            ],
            Resource: signatures.arn,
          },
        ]
      : []),
  ];
  return codebuildProject(stack, 'image', {
    name: names.imageProject,
    description: `Finds the image of a commit of ${config.application}, or has it built`,
    accountId,
    roleName: names.role('image', stack.region),
    buildspec: literalText(imageBuildspec()),
    environment: {
      CONTAINER_NAME: config.application,
      REPOSITORY_NAME: images.name,
      REPOSITORY_URI: images.uri,
      BUILD_PROJECT: build.name,
      WAIT_MINUTES: String(waitMinutes),
      SIGNATURES: signatures?.name ?? '',
      SIGNING_KEY: signatures ? names.signingKey : '',
      IMAGE_PROJECT: names.imageProject,
    },
    architecture: 'X86_64',
    timeoutMinutes: buildMinutes(config.build.timeoutMinutes + waitMinutes + SIGNATURE_MINUTES),
    docker: false,
    artifactBucketArn: artifacts.arn,
    logRetentionDays: config.logs.retentionDays,
    statements,
  });
}

function buildMinutes(minutes: number): number {
  return Math.min(LONGEST_BUILD_MINUTES, Math.max(SHORTEST_MINUTES, Math.round(minutes)));
}
