import { DbInstance } from '@cdktn/provider-aws/lib/db-instance/index.js';
import { DbParameterGroup } from '@cdktn/provider-aws/lib/db-parameter-group/index.js';
import { DbSubnetGroup } from '@cdktn/provider-aws/lib/db-subnet-group/index.js';
import { EphemeralAwsSecretsmanagerSecretVersion } from '@cdktn/provider-aws/lib/ephemeral-aws-secretsmanager-secret-version/index.js';
import { RdsClusterInstance } from '@cdktn/provider-aws/lib/rds-cluster-instance/index.js';
import { RdsClusterParameterGroup } from '@cdktn/provider-aws/lib/rds-cluster-parameter-group/index.js';
import { RdsCluster } from '@cdktn/provider-aws/lib/rds-cluster/index.js';
import { SecurityGroup } from '@cdktn/provider-aws/lib/security-group/index.js';
import { Fn } from 'cdktn';
import { Construct } from 'constructs';
import { encryptionKey } from './encryption-key.ts';

export type DatabaseEngine = 'postgres' | 'mysql' | 'aurora-postgresql' | 'aurora-mysql';

/** In one region it is written to; each other region has a copy that follows, and can be promoted. */
type DatabaseRole =
  /** The secret is JSON with `password`, and in this region or copied to it. */
  | { kind: 'primary'; loginSecretName: string; isMultiZone: boolean }
  | { kind: 'replica'; primaryRegion: string };

export interface DatabaseInput {
  /** At most 60 characters; the same in every region. */
  name: string;
  region: string;
  accountId: string;
  vpcId: string;
  subnetIds: string[];
  engine: DatabaseEngine;
  /** The major version: `17`, `8.4`. */
  version: string;
  instanceClass: string;
  /** Aurora takes what it needs. */
  storageGb: number;
  backupDays: number;
  role: DatabaseRole;
  protect: boolean;
}

export interface DatabaseOutput {
  /** Takes reads and writes where the role is primary; reads only where it is a replica. */
  host: string;
  port: number;
  securityGroupId: string;
}

/** What the first database and its administrator are called: the same everywhere, so that nobody must ask. */
export const DATABASE_NAME = 'application';
export const DATABASE_USER = 'tandem';

const PORT: Record<DatabaseEngine, number> = {
  postgres: 5432,
  'aurora-postgresql': 5432,
  mysql: 3306,
  'aurora-mysql': 3306,
};
/** Refuses whoever speaks without TLS. */
const FORCE_TLS: Record<DatabaseEngine, { name: string; value: string }> = {
  postgres: { name: 'rds.force_ssl', value: '1' },
  'aurora-postgresql': { name: 'rds.force_ssl', value: '1' },
  mysql: { name: 'require_secure_transport', value: '1' },
  'aurora-mysql': { name: 'require_secure_transport', value: 'ON' },
};

interface Surroundings {
  subnetGroupName: string;
  securityGroupId: string;
  keyArn: string;
}

/**
 * A relational database in private subnets, encrypted with a key of its own, over TLS only. `postgres` and `mysql`:
 * RDS, with a standby in a second zone and read replicas in other regions. `aurora-…`: a member of an Aurora global
 * database, see `globalDatabase`.
 */
export function database(scope: Construct, id: string, input: DatabaseInput): DatabaseOutput {
  const here = new Construct(scope, id);
  const group = new SecurityGroup(here, 'group', {
    name: input.name,
    description: `The database ${input.name}: reached by what is let in only`,
    vpcId: input.vpcId,
    tags: { Name: input.name },
  });
  const subnets = new DbSubnetGroup(here, 'subnets', { name: input.name, subnetIds: input.subnetIds });
  const key = encryptionKey(here, 'encryption', {
    name: input.name,
    description: `Encrypts the database ${input.name}`,
    accountId: input.accountId,
  });
  const surroundings = { subnetGroupName: subnets.name, securityGroupId: group.id, keyArn: key.arn };
  const host = input.engine.startsWith('aurora-')
    ? auroraCluster(here, input, surroundings)
    : instance(here, input, surroundings);
  return { host, port: PORT[input.engine], securityGroupId: group.id };
}

/** What both kinds of database have, whichever role they play. */
function lasting({ name, backupDays, protect }: DatabaseInput, { keyArn, securityGroupId }: Surroundings) {
  return {
    storageEncrypted: true,
    kmsKeyId: keyArn,
    vpcSecurityGroupIds: [securityGroupId],
    backupRetentionPeriod: backupDays,
    copyTagsToSnapshot: true,
    deletionProtection: protect,
    skipFinalSnapshot: !protect,
    ...(protect && { finalSnapshotIdentifier: `${name}-final` }),
  };
}

/** A promotion in an emergency turns roles around: to put them back is people's decision, not Terraform's. */
function lifecycle(protect: boolean, whatPromotionChanges: string[]) {
  return { ignoreChanges: whatPromotionChanges, ...(protect && { preventDestroy: true }) };
}

/** Read while Terraform applies, into a write-only argument: neither plan nor state ever holds it. */
function passwordOf(scope: Construct, secretName: string): string {
  const { secretString } = new EphemeralAwsSecretsmanagerSecretVersion(scope, 'login', {
    secretId: secretName,
  });
  return Fn.lookup(Fn.jsondecode(secretString), 'password') as string;
}

function instance(scope: Construct, input: DatabaseInput, surroundings: Surroundings): string {
  const { name, engine, version, role } = input;
  const parameters = new DbParameterGroup(scope, 'parameters', {
    name,
    family: `${engine}${version}`,
    parameter: [FORCE_TLS[engine]],
    lifecycle: { createBeforeDestroy: true },
  });
  return new DbInstance(scope, 'database', {
    ...lasting(input, surroundings),
    identifier: name,
    instanceClass: input.instanceClass,
    dbSubnetGroupName: surroundings.subnetGroupName,
    parameterGroupName: parameters.name,
    storageType: 'gp3',
    publiclyAccessible: false,
    autoMinorVersionUpgrade: true,
    ...(role.kind === 'primary'
      ? {
          engine,
          engineVersion: version,
          allocatedStorage: input.storageGb,
          multiAz: role.isMultiZone,
          dbName: DATABASE_NAME,
          username: DATABASE_USER,
          passwordWo: passwordOf(scope, role.loginSecretName),
          passwordWoVersion: 1,
        }
      : { replicateSourceDb: `arn:aws:rds:${role.primaryRegion}:${input.accountId}:db:${name}` }),
    lifecycle: lifecycle(input.protect, ['replicate_source_db']),
  }).address;
}

function auroraCluster(scope: Construct, input: DatabaseInput, surroundings: Surroundings): string {
  const { name, engine, version, role } = input;
  const parameters = new RdsClusterParameterGroup(scope, 'parameters', {
    name,
    family: `${engine}${version}`,
    parameter: [FORCE_TLS[engine]],
    lifecycle: { createBeforeDestroy: true },
  });
  const cluster = new RdsCluster(scope, 'database', {
    ...lasting(input, surroundings),
    clusterIdentifier: name,
    globalClusterIdentifier: name,
    engine,
    engineVersion: version,
    dbSubnetGroupName: surroundings.subnetGroupName,
    dbClusterParameterGroupName: parameters.name,
    ...(role.kind === 'primary'
      ? {
          databaseName: DATABASE_NAME,
          masterUsername: DATABASE_USER,
          masterPasswordWo: passwordOf(scope, role.loginSecretName),
          masterPasswordWoVersion: 1,
        }
      : // The application writes in every region; what it writes here travels to the primary.
        { enableGlobalWriteForwarding: true }),
    lifecycle: lifecycle(input.protect, ['global_cluster_identifier', 'replication_source_identifier']),
  });
  const zones = role.kind === 'primary' && role.isMultiZone ? ['a', 'b'] : ['a'];
  for (const zone of zones) {
    new RdsClusterInstance(scope, `instance-${zone}`, {
      identifier: `${name}-${zone}`,
      clusterIdentifier: cluster.id,
      engine,
      instanceClass: input.instanceClass,
      publiclyAccessible: false,
    });
  }
  return cluster.endpoint;
}
