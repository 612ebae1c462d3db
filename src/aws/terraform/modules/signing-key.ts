import { KmsAlias } from '@cdktn/provider-aws/lib/kms-alias/index.js';
import { KmsKey } from '@cdktn/provider-aws/lib/kms-key/index.js';
import { KmsReplicaKey } from '@cdktn/provider-aws/lib/kms-replica-key/index.js';
import { Construct } from 'constructs';
import { policyDocument, type PolicyStatement } from '../policy.ts';

export interface SigningKeyInput {
  /** `alias/…`, the same in every region. */
  alias: string;
  description: string;
  accountId: string;
  /** Regions that have the same key, so that each signs and verifies without any other. */
  replicateTo: readonly string[];
  /** Terraform then refuses to delete it: without it no signature can be verified any more. */
  protect: boolean;
}

/**
 * One key in several regions that signs, and never leaves KMS. An asymmetric key is not renewed by AWS: what it signed
 * must be verifiable for as long as it runs.
 */
export function signingKey(scope: Construct, id: string, input: SigningKeyInput): void {
  const here = new Construct(scope, id);
  const lifecycle = input.protect ? { lifecycle: { preventDestroy: true } } : {};
  const shared = {
    description: input.description,
    deletionWindowInDays: 7,
    policy: policyDocument([
      {
        Sid: 'Administer',
        Principal: { AWS: `arn:aws:iam::${input.accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ]),
    tags: { Name: input.alias },
    ...lifecycle,
  };
  const key = new KmsKey(here, 'key', {
    ...shared,
    keyUsage: 'SIGN_VERIFY',
    customerMasterKeySpec: 'ECC_NIST_P256',
    multiRegion: true,
  });
  new KmsAlias(here, 'key-name', { name: input.alias, targetKeyId: key.keyId });
  for (const region of input.replicateTo) {
    const replica = new KmsReplicaKey(here, `replica-${region}`, {
      ...shared,
      region,
      primaryKeyArn: key.arn,
    });
    new KmsAlias(here, `replica-name-${region}`, { region, name: input.alias, targetKeyId: replica.keyId });
  }
}

/** Lets a role use the key of its own region, which another stack made: only its alias is known. */
export function signingStatement(
  { region, accountId, alias }: { region: string; accountId: string; alias: string },
  ...actions: ('kms:Sign' | 'kms:Verify')[]
): PolicyStatement {
  return {
    Sid: 'UseSigningKey',
    Action: actions,
    Resource: `arn:aws:kms:${region}:${accountId}:key/*`,
    Condition: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': alias } },
  };
}
