import { LambdaPermission } from '@cdktn/provider-aws/lib/lambda-permission/index.js';
import type { ITerraformDependable } from 'cdktn';
import { Construct } from 'constructs';
import type { RegionName } from '../../../model/names.ts';
import { lambdaFunction } from './lambda-function.ts';

export interface RotationFunctionInput {
  /** At most 64 characters. */
  name: string;
  accountId: string;
  roleName: string;
  /** Those that it may renew. */
  secretArns: readonly string[];
  /** Those whose tasks read the secrets, in every region. */
  services: readonly { region: RegionName; cluster: string; service: string }[];
  /** Of a new value. */
  length: number;
  excludeCharacters: string;
  logRetentionDays: number;
}

export interface RotationFunctionOutput {
  functionArn: string;
  /** What must be there before Secrets Manager may call it. */
  ready: ITerraformDependable;
}

/** Renews secrets of random text, and the tasks that read them. */
export function rotationFunction(
  scope: Construct,
  id: string,
  input: RotationFunctionInput,
): RotationFunctionOutput {
  const here = new Construct(scope, id);
  const code = lambdaFunction(here, 'function', {
    name: input.name,
    description: 'Renews secrets, and the tasks that read them',
    accountId: input.accountId,
    roleName: input.roleName,
    code: 'rotation',
    environment: {
      SERVICES: JSON.stringify(input.services),
      LENGTH: String(input.length),
      EXCLUDE_CHARACTERS: input.excludeCharacters,
    },
    timeoutSeconds: 300,
    memoryMb: 256,
    logRetentionDays: input.logRetentionDays,
    statements: [
      {
        Sid: 'Renew',
        Action: [
          'secretsmanager:DescribeSecret',
          'secretsmanager:GetSecretValue',
          'secretsmanager:PutSecretValue',
          'secretsmanager:UpdateSecretVersionStage',
        ],
        Resource: input.secretArns,
      },
      // Knows no resource (service authorization reference, AWS Secrets Manager).
      { Sid: 'ThinkUp', Action: 'secretsmanager:GetRandomPassword', Resource: '*' },
      {
        Sid: 'RenewTasks',
        Action: ['ecs:DescribeServices', 'ecs:UpdateService'],
        Resource: input.services.map(
          ({ region, cluster, service }) =>
            `arn:aws:ecs:${region}:${input.accountId}:service/${cluster}/${service}`,
        ),
      },
    ],
  });
  const ready = new LambdaPermission(here, 'permission', {
    statementId: 'Rotate',
    action: 'lambda:InvokeFunction',
    functionName: code.name,
    principal: 'secretsmanager.amazonaws.com',
    sourceAccount: input.accountId,
  });
  return { functionArn: code.arn, ready };
}
