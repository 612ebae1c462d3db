import { LambdaFunction } from '@cdktn/provider-aws/lib/lambda-function/index.js';
import type { ITerraformDependable } from 'cdktn';
import { Construct } from 'constructs';
import { archivePath, type FunctionName } from '../function-archives.ts';
import type { PolicyStatement } from '../policy.ts';
import { logGroup } from './log-group.ts';
import { serviceRole } from './service-role.ts';

export interface LambdaFunctionInput {
  /** At most 64 characters. */
  name: string;
  description: string;
  accountId: string;
  roleName: string;
  /** Whose code it runs. */
  code: FunctionName;
  environment: Readonly<Record<string, string>>;
  /** At most 900. */
  timeoutSeconds: number;
  /** Processor and network grow with it. */
  memoryMb: number;
  /** A topic that gets the events at which it failed three times, for those that nobody waits for. */
  deadLetterArn?: string;
  logRetentionDays: number;
  /** What it may do besides writing its log. */
  statements: readonly PolicyStatement[];
}

export interface LambdaFunctionOutput {
  name: string;
  arn: string;
  roleArn: string;
  /** What must be there before it may do what it does. */
  ready: ITerraformDependable[];
}

/** A function with a role and a log group of its own. Terraform sees by the zip's hash whether its code changed. */
export function lambdaFunction(
  scope: Construct,
  id: string,
  input: LambdaFunctionInput,
): LambdaFunctionOutput {
  const here = new Construct(scope, id);
  const logs = logGroup(here, 'logs', {
    name: `/aws/lambda/${input.name}`,
    retentionDays: input.logRetentionDays,
  });
  const role = serviceRole(here, 'role', {
    name: input.roleName,
    description: input.description,
    service: 'lambda.amazonaws.com',
    accountId: input.accountId,
    statements: [
      { Sid: 'Log', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: `${logs.arn}:*` },
      ...input.statements,
    ],
  });
  const path = archivePath(input.code);
  const made = new LambdaFunction(here, 'function', {
    functionName: input.name,
    description: input.description,
    role: role.arn,
    runtime: 'nodejs24.x',
    architectures: ['arm64'],
    handler: 'index.handler',
    filename: `\${path.module}/${path}`,
    sourceCodeHash: `\${filebase64sha256("\${path.module}/${path}")}`,
    timeout: input.timeoutSeconds,
    memorySize: input.memoryMb,
    ...(input.deadLetterArn !== undefined && { deadLetterConfig: { targetArn: input.deadLetterArn } }),
    environment: { variables: { ...input.environment } },
    loggingConfig: { logFormat: 'Text', logGroup: logs.name },
  });
  return { name: made.functionName, arn: made.arn, roleArn: role.arn, ready: [made, ...role.policies] };
}
