import { literalText } from './literal.ts';
import { approvalCardBuildspec } from './modules/approval-card-buildspec.ts';
import { codebuildProject, type CodebuildProjectOutput } from './modules/codebuild-project.ts';
import type { EcrOutput } from './modules/ecr.ts';
import type { PolicyStatement } from './policy.ts';
import type { Region } from './region-stack.ts';
import type { CommitSource } from './source.ts';

export interface ApprovalCardInput {
  source: CommitSource;
  images: EcrOutput;
  artifactBucketArn: string;
  expiresAfterMinutes: number;
}

const TIMEOUT_MINUTES = 5;

/** Collects, before a person is asked, what that person wants to know: it reads, and changes nothing. */
export function approvalCardProject(region: Region, input: ApprovalCardInput): CodebuildProjectOutput {
  const { stack, config, names, accountId } = region;
  const { source, images } = input;
  return codebuildProject(stack, 'approval-card', {
    name: names.approvalCardProject,
    description: `Says what a release of ${config.application} would change in production`,
    accountId,
    roleName: names.role('approval-card', stack.region),
    buildspec: literalText(approvalCardBuildspec()),
    environment: {
      APPLICATION: config.application,
      CONTAINER_NAME: config.application,
      SOURCE_REPOSITORY: source.repository?.name ?? '',
      COMPARE_URL: source.compareUrl,
      COMMIT_URL: source.commitUrl,
      BUILD_PROJECT: names.buildProject,
      REPOSITORY_NAME: images.name,
      STAGING: names.service('staging'),
      STAGING_BALANCER: names.loadBalancer('staging'),
      PRODUCTION: names.service('production'),
      DRIFT_PROJECT: config.drift.check === 'never' ? '' : names.driftProject,
      EXPIRES_AFTER_MINUTES: String(input.expiresAfterMinutes),
    },
    architecture: 'X86_64',
    timeoutMinutes: TIMEOUT_MINUTES,
    docker: false,
    artifactBucketArn: input.artifactBucketArn,
    logRetentionDays: config.logs.retentionDays,
    statements: readingStatements(region, input),
  });
}

function readingStatements(
  { stack, config, names, accountId }: Region,
  { source, images }: ApprovalCardInput,
): PolicyStatement[] {
  const codebuild = `arn:aws:codebuild:${stack.region}:${accountId}`;
  return [
    ...(source.repository
      ? [
          { Sid: 'ReadCommit', Action: 'codecommit:GetCommit', Resource: source.repository.arn },
          // Knows no resource (service authorization reference, AWS CloudTrail).
          { Sid: 'ReadPushes', Action: 'cloudtrail:LookupEvents', Resource: '*' },
        ]
      : []),
    {
      Sid: 'ReadBuilds',
      Action: ['codebuild:ListBuildsForProject', 'codebuild:BatchGetBuilds'],
      Resource: [
        `${codebuild}:project/${names.buildProject}`,
        ...(config.drift.check === 'never' ? [] : [`${codebuild}:project/${names.driftProject}`]),
      ],
    },
    {
      Sid: 'ReadTests',
      Action: 'codebuild:BatchGetReports',
      Resource: `${codebuild}:report-group/${names.buildProject}-*`,
    },
    { Sid: 'ReadScan', Action: 'ecr:DescribeImageScanFindings', Resource: images.arn },
    {
      Sid: 'ReadServices',
      Action: 'ecs:DescribeServices',
      Resource: (['staging', 'production'] as const).map(
        environment =>
          `arn:aws:ecs:${stack.region}:${accountId}:service/${names.cluster(environment)}/${names.service(environment)}`,
      ),
    },
    // Knows no resource (service authorization reference, Amazon ECS).
    { Sid: 'ReadTaskDefinition', Action: 'ecs:DescribeTaskDefinition', Resource: '*' },
    // Neither knows any resource (service authorization references, Elastic Load Balancing V2 and Amazon CloudWatch).
    {
      Sid: 'ReadMetrics',
      Action: ['elasticloadbalancing:DescribeLoadBalancers', 'cloudwatch:GetMetricData'],
      Resource: '*',
    },
    {
      Sid: 'ReadAlarms',
      Action: 'cloudwatch:DescribeAlarms',
      Resource: `arn:aws:cloudwatch:${stack.region}:${accountId}:alarm:*`,
    },
  ];
}
