import { EcsTaskDefinition } from '@cdktn/provider-aws/lib/ecs-task-definition/index.js';
import { Construct } from 'constructs';
import type { PolicyStatement } from '../policy.ts';
import { collector, type CollectorInput, type CollectorOutput } from './collector.ts';
import { logGroup } from './log-group.ts';
import { serviceRole } from './service-role.ts';

/** A secret that ECS puts into an environment variable when a task starts. */
export interface TaskSecret {
  variable: string;
  /** The ARN of a secret in Secrets Manager; see `secretReference`. */
  valueFrom: string;
  /** The same as a policy names it. */
  policyResource: string;
  /** Where the secret is JSON: which of its properties. */
  jsonKey?: string;
}

export interface EcsTaskDefinitionInput {
  name: string;
  region: string;
  accountId: string;
  container: {
    name: string;
    port: number;
    environment: Readonly<Record<string, string>>;
    secrets?: readonly TaskSecret[];
    stopTimeoutSeconds: number;
  };
  /** What the load balancer will ask for: the placeholder answers it. */
  healthPath: string;
  cpu: number;
  memoryMb: number;
  architecture: 'X86_64' | 'ARM64';
  repositoryArn: string;
  executionRoleName: string;
  taskRoleName: string;
  taskStatements?: readonly PolicyStatement[];
  logGroupName: string;
  logRetentionDays: number;
  /** An OpenTelemetry collector beside the application. */
  collector?: Pick<CollectorInput, 'metricsNamespace' | 'tracePercent' | 'image'>;
  /** A copy of the public image that runs until the first release comes. */
  placeholderImage?: string;
}

export interface EcsTaskDefinitionOutput {
  family: string;
  arn: string;
  executionRoleArn: string;
  taskRoleArn: string;
  logGroupName: string;
}

/** Runs until the first release comes: small, from a registry without pull limits, and answers the health check. */
export const PLACEHOLDER_IMAGE = 'public.ecr.aws/docker/library/busybox:1.37';

/**
 * What a task of the service is. The pipeline makes further revisions of the same family, each from the newest one
 * with its release's image in place of the placeholder; so a change made here goes out with the next release.
 */
export function ecsTaskDefinition(
  scope: Construct,
  id: string,
  input: EcsTaskDefinitionInput,
): EcsTaskDefinitionOutput {
  const here = new Construct(scope, id);
  const logs = logGroup(here, 'logs', { name: input.logGroupName, retentionDays: input.logRetentionDays });
  const { secrets = [] } = input.container;
  const executionRole = serviceRole(here, 'execution', {
    name: input.executionRoleName,
    description: `Pulls images and writes logs for the tasks of ${input.name}`,
    service: 'ecs-tasks.amazonaws.com',
    accountId: input.accountId,
    statements: [
      // Knows no resource (service authorization reference, Amazon ECR).
      { Sid: 'SignIn', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
      {
        Sid: 'Pull',
        Action: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        Resource: input.repositoryArn,
      },
      { Sid: 'Log', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: `${logs.arn}:*` },
      ...(secrets.length > 0
        ? [
            {
              Sid: 'ReadSecrets',
              Action: 'secretsmanager:GetSecretValue',
              Resource: secrets.map(({ policyResource }) => policyResource),
            },
          ]
        : []),
    ],
  });
  const beside =
    input.collector &&
    collector(here, 'collector', {
      ...input.collector,
      region: input.region,
      serviceName: input.name,
      metricsLogGroupName: `${input.logGroupName}/metrics`,
      logRetentionDays: input.logRetentionDays,
    });
  const taskRole = serviceRole(here, 'role', {
    name: input.taskRoleName,
    description: `What the application may do in the tasks of ${input.name}`,
    service: 'ecs-tasks.amazonaws.com',
    accountId: input.accountId,
    statements: [...(input.taskStatements ?? []), ...(beside?.statements ?? [])],
  });
  const definition = new EcsTaskDefinition(here, 'definition', {
    family: input.name,
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: String(input.cpu),
    memory: String(input.memoryMb),
    runtimePlatform: { operatingSystemFamily: 'LINUX', cpuArchitecture: input.architecture },
    executionRoleArn: executionRole.arn,
    taskRoleArn: taskRole.arn,
    containerDefinitions: JSON.stringify(containerDefinitions(input, logs.name, beside)),
  });
  return {
    family: definition.family,
    arn: definition.arn,
    executionRoleArn: executionRole.arn,
    taskRoleArn: taskRole.arn,
    logGroupName: logs.name,
  };
}

function containerDefinitions(
  input: EcsTaskDefinitionInput,
  logGroupName: string,
  beside: CollectorOutput | undefined,
) {
  const application = containerDefinition(input, logGroupName, beside?.variables ?? {});
  if (!beside) return [application];
  const { logConfiguration } = application;
  const options = { ...logConfiguration.options, 'awslogs-stream-prefix': 'collector' };
  return [application, { ...beside.container, logConfiguration: { ...logConfiguration, options } }];
}

function containerDefinition(
  { container, region, healthPath, placeholderImage }: EcsTaskDefinitionInput,
  logGroupName: string,
  variables: Readonly<Record<string, string>>,
) {
  const { name, port, environment, secrets = [], stopTimeoutSeconds } = container;
  return {
    name,
    image: placeholderImage ?? PLACEHOLDER_IMAGE,
    command: ['sh', '-c', placeholderServer(port, healthPath)],
    essential: true,
    portMappings: [{ containerPort: port, hostPort: port, protocol: 'tcp' }],
    // In the order of names, as AWS gives it back: another order would read as a change.
    environment: Object.entries({ ...variables, ...environment })
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, value]) => ({ name: key, value })),
    ...(secrets.length > 0 && {
      secrets: secrets
        .toSorted((one, other) => (one.variable < other.variable ? -1 : 1))
        .map(({ variable, valueFrom, jsonKey }) => ({
          name: variable,
          // `arn:key:stage:version`, the last two left to their defaults.
          valueFrom: jsonKey === undefined ? valueFrom : `${valueFrom}:${jsonKey}::`,
        })),
    }),
    stopTimeout: stopTimeoutSeconds,
    logConfiguration: {
      logDriver: 'awslogs',
      options: {
        'awslogs-group': logGroupName,
        'awslogs-region': region,
        'awslogs-stream-prefix': 'task',
        // Requests matter more than logs: a slow log service must not stop the application.
        mode: 'non-blocking',
        'max-buffer-size': '25m',
      },
    },
  };
}

/** A page, and a file where the health check looks: every other path answers 404. */
function placeholderServer(port: number, healthPath: string): string {
  const path = healthPath
    .split('?', 1)[0]!
    .replaceAll(/[^\w./-]/g, '_')
    .replace(/\/$/, '');
  const folder = `/tmp/www${path.slice(0, path.lastIndexOf('/') + 1)}`;
  return [
    `mkdir -p ${folder}`,
    "echo '<p>Nothing has been released here yet.</p>' > /tmp/www/index.html",
    ...(path === '' ? [] : [`echo ok > /tmp/www${path}`]),
    `exec httpd -f -p ${port} -h /tmp/www`,
  ].join(' && ');
}
