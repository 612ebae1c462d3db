import { CodebuildProject } from '@cdktn/provider-aws/lib/codebuild-project/index.js';
import { Construct } from 'constructs';
import type { PolicyStatement } from '../policy.ts';
import { logGroup } from './log-group.ts';
import { serviceRole } from './service-role.ts';

export interface CodebuildProjectInput {
  name: string;
  description: string;
  accountId: string;
  roleName: string;
  /** The path of a buildspec in the source, or its text. */
  buildspec: string;
  /** `undefined`: a pipeline gives the source and takes the artifacts. `none`: there are neither. */
  repository?: SourceRepository | 'none';
  environment: Readonly<Record<string, string>>;
  architecture: 'X86_64' | 'ARM64';
  timeoutMinutes: number;
  /** Whether it builds images, which needs a Docker daemon. */
  docker: boolean;
  /** The pipeline's artifacts: read, and written where there is an output. */
  artifactBucketArn?: string;
  logRetentionDays: number;
  statements: readonly PolicyStatement[];
}

/** A Git repository, and a folder in a bucket for the artifacts: `<folder>/<build>/build/`. */
export interface SourceRepository {
  type: 'CODECOMMIT' | 'GITHUB' | 'GITLAB';
  cloneUrl: string;
  /** Of CodeConnections, for repositories elsewhere. */
  connectionArn?: string;
  artifacts: { bucket: string; folder: string };
}

export interface CodebuildProjectOutput {
  name: string;
  arn: string;
  roleName: string;
}

const ARCHITECTURE = {
  X86_64: { type: 'LINUX_CONTAINER', image: 'aws/codebuild/amazonlinux-x86_64-standard:5.0' },
  ARM64: { type: 'ARM_CONTAINER', image: 'aws/codebuild/amazonlinux-aarch64-standard:3.0' },
} as const;

/** A project that a pipeline, or a schedule, runs: its own role, its own log group, no credentials that last. */
export function codebuildProject(
  scope: Construct,
  id: string,
  input: CodebuildProjectInput,
): CodebuildProjectOutput {
  const here = new Construct(scope, id);
  const logs = logGroup(here, 'logs', {
    name: `/aws/codebuild/${input.name}`,
    retentionDays: input.logRetentionDays,
  });
  const role = serviceRole(here, 'role', {
    name: input.roleName,
    description: input.description,
    service: 'codebuild.amazonaws.com',
    accountId: input.accountId,
    statements: [
      { Sid: 'Log', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: `${logs.arn}:*` },
      ...(input.artifactBucketArn === undefined
        ? []
        : [
            {
              Sid: 'Artifacts',
              Action: ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject'],
              Resource: `${input.artifactBucketArn}/*`,
            },
          ]),
      ...input.statements,
    ],
  });
  const { type, image } = ARCHITECTURE[input.architecture];
  const project = new CodebuildProject(here, 'project', {
    name: input.name,
    description: input.description,
    serviceRole: role.arn,
    buildTimeout: input.timeoutMinutes,
    ...ends(input),
    environment: {
      type,
      image,
      computeType: 'BUILD_GENERAL1_SMALL',
      privilegedMode: input.docker,
      environmentVariable: Object.entries(input.environment).map(([name, value]) => ({ name, value })),
    },
    ...(input.docker && {
      cache: { type: 'LOCAL', modes: ['LOCAL_DOCKER_LAYER_CACHE', 'LOCAL_SOURCE_CACHE'] },
    }),
    logsConfig: { cloudwatchLogs: { status: 'ENABLED', groupName: logs.name } },
  });
  return { name: project.name, arn: project.arn, roleName: role.name };
}

function ends({ buildspec, repository }: CodebuildProjectInput) {
  if (!repository) {
    return { source: { type: 'CODEPIPELINE', buildspec }, artifacts: { type: 'CODEPIPELINE' } };
  }
  if (repository === 'none') {
    return { source: { type: 'NO_SOURCE', buildspec }, artifacts: { type: 'NO_ARTIFACTS' } };
  }
  const { type, cloneUrl, connectionArn, artifacts } = repository;
  return {
    source: {
      type,
      location: cloneUrl,
      buildspec,
      ...(connectionArn !== undefined && { auth: { type: 'CODECONNECTIONS', resource: connectionArn } }),
    },
    artifacts: {
      type: 'S3',
      location: artifacts.bucket,
      path: artifacts.folder,
      namespaceType: 'BUILD_ID',
      name: 'build',
      packaging: 'NONE',
    },
  };
}
