import type { PipelineEnvironment } from '../../model/names.ts';
import { codebuildProject, type CodebuildProjectOutput } from './modules/codebuild-project.ts';
import type { CodecommitOutput } from './modules/codecommit.ts';
import { codepipeline, type CodepipelineOutput } from './modules/codepipeline.ts';
import type { EcrOutput } from './modules/ecr.ts';
import type { NotificationsOutput } from './modules/notifications.ts';
import { privateBucket, type PrivateBucket } from './modules/private-bucket.ts';
import type { Region } from './region-stack.ts';

export interface DeliveryInput {
  repository: CodecommitOutput;
  images: EcrOutput;
  people: NotificationsOutput;
}

const MINUTES_A_DAY = 24 * 60;

/** The region's own way from a push to production: builds, releases, and the pipeline that runs them. */
export function deliverFrom(region: Region, input: DeliveryInput): CodepipelineOutput {
  const { stack, config, names, accountId } = region;
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
  return codepipeline(stack, 'pipeline', {
    name: names.prefix,
    accountId,
    roleName: names.role('pipeline', stack.region),
    startRoleName: names.role('pipeline-start', stack.region),
    repository: input.repository,
    branch: config.pipeline.branch,
    artifactBucket: artifacts,
    executionMode: config.pipeline.executionMode,
    build: buildProject(region, input, artifacts),
    staging: release('staging'),
    production: release('production'),
    ...(config.pipeline.approval.required && {
      approval: {
        expiresAfterMinutes: Math.max(
          5,
          Math.round(config.pipeline.approval.expiresAfterDays * MINUTES_A_DAY),
        ),
        topicArn: input.people.topicArn,
        topicKeyArn: input.people.keyArn,
      },
    }),
  });
}

function buildProject(
  { stack, config, names, accountId }: Region,
  { images }: DeliveryInput,
  artifacts: PrivateBucket,
): CodebuildProjectOutput {
  return codebuildProject(stack, 'build', {
    name: names.buildProject,
    description: `Builds ${config.application}`,
    accountId,
    roleName: names.role('build', stack.region),
    buildspec: config.build.buildspec,
    // The same names as in the local cloud, so that one buildspec serves both.
    environment: {
      APPLICATION: config.application,
      CONTAINER_NAME: config.application,
      REPOSITORY_URI: images.uri,
      REGION: stack.region,
      ...config.build.environment,
    },
    architecture: config.aws.architecture,
    timeoutMinutes: Math.max(5, Math.round(config.build.timeoutMinutes)),
    docker: true,
    artifactBucketArn: artifacts.arn,
    logRetentionDays: config.logs.retentionDays,
    statements: [
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
