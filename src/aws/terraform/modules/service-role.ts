import { IamRole } from '@cdktn/provider-aws/lib/iam-role/index.js';
import { IamRolePolicy } from '@cdktn/provider-aws/lib/iam-role-policy/index.js';
import { Construct } from 'constructs';
import { policyDocument, trustPolicy, type PolicyStatement } from '../policy.ts';

export interface ServiceRoleInput {
  /** At most 64 characters. */
  name: string;
  description: string;
  /** The AWS service that assumes it: `ecs-tasks.amazonaws.com`. */
  service: string;
  accountId: string;
  /** What it may do; none: nothing. */
  statements: readonly PolicyStatement[];
}

export interface ServiceRole {
  name: string;
  arn: string;
}

/** A role for one AWS service, with one inline policy, so that nothing else can hang on it. */
export function serviceRole(scope: Construct, id: string, input: ServiceRoleInput): ServiceRole {
  const here = new Construct(scope, id);
  const role = new IamRole(here, 'role', {
    name: input.name,
    description: input.description,
    assumeRolePolicy: trustPolicy(input.service, input.accountId),
  });
  if (input.statements.length > 0) {
    new IamRolePolicy(here, 'policy', {
      name: 'allow',
      role: role.name,
      policy: policyDocument(input.statements),
    });
  }
  return { name: role.name, arn: role.arn };
}
