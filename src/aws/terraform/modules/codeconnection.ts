import { CodeconnectionsConnection } from '@cdktn/provider-aws/lib/codeconnections-connection/index.js';
import type { Construct } from 'constructs';

export interface CodeconnectionInput {
  /** At most 32 characters. */
  name: string;
  providerType: 'GitHub' | 'GitLab';
}

/**
 * A connection to a Git host. It is pending until a person signs in to the host in the console, once. Returns its ARN.
 */
export function codeconnection(scope: Construct, id: string, input: CodeconnectionInput): string {
  return new CodeconnectionsConnection(scope, id, { ...input }).arn;
}
