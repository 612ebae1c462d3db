import type { EnvironmentPlace } from './environment-stack.ts';
import { literalText } from './literal.ts';
import { codebuildProject, type CodebuildProjectOutput } from './modules/codebuild-project.ts';
import type { EcsServiceOutput } from './modules/ecs-service.ts';
import { releaseBuildspec } from './modules/release-buildspec.ts';

/** The longest that CodeBuild runs is 36 hours; a slow canary needs hours. */
const RELEASE_TIMEOUT_MINUTES = 12 * 60;

/** What takes a release to the environment, for the pipeline and by itself. */
export function releaseProject(place: EnvironmentPlace, service: EcsServiceOutput): CodebuildProjectOutput {
  const { stack, config, names, accountId, environment, shared } = place;
  const { taskDefinition } = service;
  const inRegion = `arn:aws:ecs:${stack.region}:${accountId}`;
  const path = `${names.cluster(environment)}/${names.service(environment)}`;
  return codebuildProject(stack, 'release', {
    name: names.releaseProject(environment),
    description: `Releases ${config.application} to ${environment}`,
    accountId,
    roleName: names.role(`${environment}-release`, stack.region),
    buildspec: literalText(releaseBuildspec()),
    environment: {
      CLUSTER: names.cluster(environment),
      SERVICE: service.name,
      FAMILY: taskDefinition.family,
      CONTAINER_NAME: config.application,
      REPOSITORY_NAME: shared.repository.name,
    },
    architecture: 'X86_64',
    timeoutMinutes: RELEASE_TIMEOUT_MINUTES,
    docker: false,
    artifactBucketArn: shared.artifactBucketArn,
    logRetentionDays: config.logs.retentionDays,
    statements: [
      { Sid: 'FindImage', Action: 'ecr:DescribeImages', Resource: shared.repository.arn },
      // Knows no resource (service authorization reference, Amazon ECS).
      { Sid: 'ReadTaskDefinition', Action: 'ecs:DescribeTaskDefinition', Resource: '*' },
      {
        Sid: 'Revise',
        Action: ['ecs:RegisterTaskDefinition', 'ecs:TagResource'],
        Resource: `${inRegion}:task-definition/${names.service(environment)}:*`,
      },
      {
        Sid: 'Deploy',
        Action: ['ecs:UpdateService', 'ecs:ListServiceDeployments'],
        Resource: `${inRegion}:service/${path}`,
      },
      {
        Sid: 'Follow',
        Action: 'ecs:DescribeServiceDeployments',
        Resource: `${inRegion}:service-deployment/${path}/*`,
      },
      {
        Sid: 'PassRoles',
        Action: 'iam:PassRole',
        Resource: [taskDefinition.executionRoleArn, taskDefinition.taskRoleArn],
        Condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
      },
    ],
  });
}
