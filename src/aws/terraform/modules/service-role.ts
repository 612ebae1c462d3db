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
  /** What must be there before the role is used, and until it is used no more: what it may do. */
  policies: IamRolePolicy[];
}

/** A role for one AWS service, with one inline policy, so that nothing else can hang on it. */
export function serviceRole(scope: Construct, id: string, input: ServiceRoleInput): ServiceRole {
  const here = new Construct(scope, id);
  const role = new IamRole(here, 'role', {
    name: input.name,
    description: input.description,
    assumeRolePolicy: trustPolicy(input.service, input.accountId),
  });
  const policies = (input.statements.length > 0 ? [input.statements] : []).map(
    statements =>
      new IamRolePolicy(here, 'policy', {
        name: 'allow',
        role: role.name,
        policy: policyDocument(statements),
      }),
  );
  return { name: role.name, arn: role.arn, policies };
}
