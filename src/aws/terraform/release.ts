import { environmentConfig } from '../../model/config/environment.ts';
import { deploymentPlan } from './deployment-plan.ts';
import type { EnvironmentPlace } from './environment-stack.ts';
import { literalText } from './literal.ts';
import { codebuildProject, type CodebuildProjectOutput } from './modules/codebuild-project.ts';
import { movesRequests } from './modules/ecs-deployment.ts';
import type { EcsServiceOutput } from './modules/ecs-service.ts';
import { releaseBuildspec } from './modules/release-buildspec.ts';
import { signingStatement } from './modules/signing-key.ts';
import type { PolicyStatement } from './policy.ts';

/** How long starting tasks, draining and migrating may take beside what is waited for on purpose. */
const MARGIN_MINUTES = 60;
/** CodeBuild's own limit. */
const LONGEST_BUILD_MINUTES = 36 * 60;

/** What takes a release to the environment, for the pipeline and by itself. */
export function releaseProject(
  place: EnvironmentPlace,
  service: EcsServiceOutput,
  url: string,
): CodebuildProjectOutput {
  const { stack, config, names, accountId, environment, shared } = place;
  const { taskDefinition } = service;
  const plan = deploymentPlan(config, environment);
  const settings = environmentConfig(config, environment);
  const { minimumRequests, withinMinutes, syntheticPerSecond } = settings.deployment.samples;
  const limitMinutes = plan.waitMinutes + MARGIN_MINUTES;
  const inRegion = `arn:aws:ecs:${stack.region}:${accountId}`;
  const path = `${names.cluster(environment)}/${names.service(environment)}`;
  return codebuildProject(stack, 'release', {
    name: names.releaseProject(environment),
    description: `Releases ${config.application} to ${environment}`,
    accountId,
    roleName: names.role(`${environment}-release`, stack.region),
    buildspec: literalText(releaseBuildspec()),
    environment: {
      SIGNATURES: config.registry.sign ? names.signatures : '',
      SIGNING_KEY: config.registry.sign ? names.signingKey : '',
      IMAGE_PROJECT: names.imageProject,
      CLUSTER: names.cluster(environment),
      SERVICE: service.name,
      FAMILY: taskDefinition.family,
      CONTAINER_NAME: config.application,
      REPOSITORY_NAME: shared.repository.name,
      REPOSITORY_URI: shared.repository.uri,
      ENVIRONMENT: environment,
      MODE: 'deploy',
      STEPS: JSON.stringify(plan.steps),
      GATE_PERCENT: plan.gatePercent === undefined ? '' : String(plan.gatePercent),
      MINIMUM_REQUESTS: String(minimumRequests),
      SAMPLE_MINUTES: String(withinMinutes),
      SYNTHETIC_PER_SECOND: String(syntheticPerSecond),
      SYNTHETIC_URL: `${url}${settings.service.healthCheck.path}`,
      LOAD_BALANCER: service.loadBalancer.dimension,
      LIMIT_MINUTES: String(limitMinutes),
      MIGRATION: config.migration.command.length === 0 ? '' : JSON.stringify(config.migration.command),
    },
    architecture: 'X86_64',
    // It rolls back at its own limit, and then needs time to see that through.
    timeoutMinutes: Math.min(LONGEST_BUILD_MINUTES, limitMinutes + MARGIN_MINUTES),
    docker: false,
    artifactBucketArn: shared.artifactBucketArn,
    logRetentionDays: config.logs.retentionDays,
    statements: [
      {
        Sid: 'FindAndKeepImage',
        Action: ['ecr:DescribeImages', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:PutImage'],
        Resource: shared.repository.arn,
      },
      ...(config.registry.sign
        ? [
            signingStatement({ region: stack.region, accountId, alias: names.signingKey }, 'kms:Verify'),
            {
              Sid: 'ReadSignatures',
              Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
              Resource: shared.signaturesArn,
            },
          ]
        : []),
      // Knows no resource (service authorization reference, Amazon ECS).
      { Sid: 'ReadTaskDefinition', Action: 'ecs:DescribeTaskDefinition', Resource: '*' },
      {
        Sid: 'Revise',
        Action: ['ecs:RegisterTaskDefinition', 'ecs:TagResource'],
        Resource: `${inRegion}:task-definition/${names.service(environment)}:*`,
      },
      {
        Sid: 'Deploy',
        Action: ['ecs:UpdateService', 'ecs:DescribeServices', 'ecs:ListServiceDeployments'],
        Resource: `${inRegion}:service/${path}`,
      },
      {
        Sid: 'Follow',
        Action: [
          'ecs:DescribeServiceDeployments',
          'ecs:ContinueServiceDeployment',
          'ecs:StopServiceDeployment',
        ],
        Resource: `${inRegion}:service-deployment/${path}/*`,
      },
      {
        Sid: 'FindDeployment',
        Action: 'ecs:DescribeServiceRevisions',
        Resource: `${inRegion}:service-revision/${path}/*`,
      },
      ...(movesRequests(plan.ecs) && minimumRequests > 0
        ? [
            // Knows no resource (service authorization reference, Amazon CloudWatch).
            { Sid: 'CountRequests', Action: 'cloudwatch:GetMetricStatistics', Resource: '*' },
          ]
        : []),
      ...(config.migration.command.length === 0 ? [] : migrationStatements(place)),
      {
        Sid: 'PassRoles',
        Action: 'iam:PassRole',
        Resource: [taskDefinition.executionRoleArn, taskDefinition.taskRoleArn],
        Condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
      },
    ],
  });
}

function migrationStatements({ stack, names, accountId, environment }: EnvironmentPlace): PolicyStatement[] {
  const inRegion = `arn:aws:ecs:${stack.region}:${accountId}`;
  const cluster = names.cluster(environment);
  return [
    {
      Sid: 'Migrate',
      Action: 'ecs:RunTask',
      Resource: `${inRegion}:task-definition/${names.service(environment)}:*`,
      Condition: { ArnEquals: { 'ecs:cluster': `${inRegion}:cluster/${cluster}` } },
    },
    {
      Sid: 'FollowMigration',
      Action: ['ecs:DescribeTasks', 'ecs:StopTask', 'ecs:TagResource'],
      Resource: `${inRegion}:task/${cluster}/*`,
    },
  ];
}
