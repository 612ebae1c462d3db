import { KmsAlias } from '@cdktn/provider-aws/lib/kms-alias/index.js';
import { KmsKey } from '@cdktn/provider-aws/lib/kms-key/index.js';
import { Construct } from 'constructs';
import { policyDocument, type PolicyStatement } from '../policy.ts';

export interface EncryptionKeyInput {
  /** Also its alias. */
  name: string;
  description: string;
  accountId: string;
  /** Who may use it besides those whose own policies allow it: services of AWS that act by themselves. */
  statements?: readonly PolicyStatement[];
}

export interface EncryptionKey {
  arn: string;
}

/** A key of one's own, renewed every year. The account's administrators keep control of it. */
export function encryptionKey(scope: Construct, id: string, input: EncryptionKeyInput): EncryptionKey {
  const here = new Construct(scope, id);
  const key = new KmsKey(here, 'key', {
    description: input.description,
    enableKeyRotation: true,
    deletionWindowInDays: 7,
    policy: policyDocument([
      {
        Sid: 'Administer',
        Principal: { AWS: `arn:aws:iam::${input.accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
      ...(input.statements ?? []),
    ]),
    tags: { Name: input.name },
  });
  new KmsAlias(here, 'key-name', { name: `alias/${input.name}`, targetKeyId: key.keyId });
  return { arn: key.arn };
}
