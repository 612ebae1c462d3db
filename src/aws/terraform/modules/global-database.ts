import { DynamodbTable } from '@cdktn/provider-aws/lib/dynamodb-table/index.js';
import { RdsGlobalCluster } from '@cdktn/provider-aws/lib/rds-global-cluster/index.js';
import type { Construct } from 'constructs';
import { DATABASE_NAME, type DatabaseEngine } from './database.ts';

/*
 * What ties the databases of several regions together. It belongs to none of them, so that it outlives each.
 */

export interface GlobalDatabaseInput {
  name: string;
  engine: Extract<DatabaseEngine, `aurora-${string}`>;
  version: string;
  protect: boolean;
}

/** An Aurora global database without members: a `database` of the same name joins it in each region. */
export function globalDatabase(scope: Construct, id: string, input: GlobalDatabaseInput): void {
  new RdsGlobalCluster(scope, id, {
    globalClusterIdentifier: input.name,
    engine: input.engine,
    engineVersion: input.version,
    databaseName: DATABASE_NAME,
    storageEncrypted: true,
    deletionProtection: input.protect,
    lifecycle: {
      // Aurora upgrades minor versions by itself.
      ignoreChanges: ['engine_version'],
      ...(input.protect && { preventDestroy: true }),
    },
  });
}

export interface GlobalTableInput {
  name: string;
  hashKey: string;
  /** Empty: items have one key. */
  rangeKey: string;
  replicateTo: readonly string[];
  protect: boolean;
}

/** A DynamoDB table that every region reads and writes, billed by use. The last writer of an item wins. */
export function globalTable(scope: Construct, id: string, input: GlobalTableInput): void {
  const keys = [input.hashKey, ...(input.rangeKey === '' ? [] : [input.rangeKey])];
  new DynamodbTable(scope, id, {
    name: input.name,
    billingMode: 'PAY_PER_REQUEST',
    hashKey: input.hashKey,
    ...(input.rangeKey !== '' && { rangeKey: input.rangeKey }),
    attribute: keys.map(name => ({ name, type: 'S' })),
    // What copies to other regions are made from.
    streamEnabled: true,
    streamViewType: 'NEW_AND_OLD_IMAGES',
    serverSideEncryption: { enabled: true },
    pointInTimeRecovery: { enabled: true },
    deletionProtectionEnabled: input.protect,
    replica: input.replicateTo.map(regionName => ({
      regionName,
      pointInTimeRecovery: true,
      propagateTags: true,
    })),
    ...(input.protect && { lifecycle: { preventDestroy: true } }),
  });
}
