import { DynamodbTable } from '@cdktn/provider-aws/lib/dynamodb-table/index.js';
import type { Construct } from 'constructs';

export interface StateTableInput {
  name: string;
  /** Names of the key's two parts, both texts; `sort`: only where there is more than one item to a partition. */
  partition: string;
  sort?: string;
  /** The attribute with the second (Unix time) at which an item goes. */
  expiry?: string;
  /** Whether AWS and Terraform refuse to delete it. */
  protect: boolean;
}

export interface StateTableOutput {
  name: string;
  arn: string;
}

/** A small table of a function's own: paid by request, encrypted by DynamoDB, with every moment of 35 days to go back to. */
export function stateTable(scope: Construct, id: string, input: StateTableInput): StateTableOutput {
  const keys = [input.partition, ...(input.sort === undefined ? [] : [input.sort])];
  const table = new DynamodbTable(scope, id, {
    name: input.name,
    billingMode: 'PAY_PER_REQUEST',
    hashKey: input.partition,
    ...(input.sort !== undefined && { rangeKey: input.sort }),
    attribute: keys.map(name => ({ name, type: 'S' })),
    pointInTimeRecovery: { enabled: true },
    deletionProtectionEnabled: input.protect,
    ...(input.expiry !== undefined && { ttl: { attributeName: input.expiry, enabled: true } }),
    ...(input.protect && { lifecycle: { preventDestroy: true } }),
  });
  return { name: table.name, arn: table.arn };
}
