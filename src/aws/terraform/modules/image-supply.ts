import { LambdaInvocation } from '@cdktn/provider-aws/lib/lambda-invocation/index.js';
import { Construct } from 'constructs';
import { lambdaFunction } from './lambda-function.ts';

export interface ImageSupplyInput {
  /** Of the function; at most 64 characters. */
  name: string;
  accountId: string;
  roleName: string;
  repository: { name: string; arn: string };
  architecture: 'X86_64' | 'ARM64';
  /** What is copied, with registry and tag, and the tag in the repository: one that nothing else moves and no rule expires. */
  images: readonly { source: string; tag: string }[];
  logRetentionDays: number;
}

/**
 * Public images, copied into a repository of the region while Terraform applies: what starts a task is then all in its own
 * region, and a network needs no way to the internet for it. The function itself is in no network.
 */
export function imageSupply(scope: Construct, id: string, input: ImageSupplyInput): void {
  const here = new Construct(scope, id);
  const code = lambdaFunction(here, 'function', {
    name: input.name,
    description: 'Copies the images that tasks need beside their own into the region',
    accountId: input.accountId,
    roleName: input.roleName,
    code: 'supply',
    environment: {},
    timeoutSeconds: 900,
    memoryMb: 1024,
    logRetentionDays: input.logRetentionDays,
    statements: [
      // Knows no resource (service authorization reference, Amazon ECR).
      { Sid: 'SignIn', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
      {
        Sid: 'Copy',
        Action: [
          'ecr:BatchCheckLayerAvailability',
          'ecr:BatchGetImage',
          'ecr:CompleteLayerUpload',
          'ecr:GetDownloadUrlForLayer',
          'ecr:InitiateLayerUpload',
          'ecr:PutImage',
          'ecr:UploadLayerPart',
        ],
        Resource: input.repository.arn,
      },
    ],
  });
  new LambdaInvocation(here, 'copies', {
    functionName: code.name,
    input: JSON.stringify({
      repository: input.repository.name,
      architecture: input.architecture === 'ARM64' ? 'arm64' : 'amd64',
      images: input.images,
    }),
    dependsOn: code.ready,
  });
}
