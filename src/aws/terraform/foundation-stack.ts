import { Construct } from 'constructs';
import type { Config } from '../../model/config/schema.ts';
import type { Environment, RegionName } from '../../model/names.ts';
import { databasesOf, relational } from './environment-data.ts';
import { environmentsIn } from './environments.ts';
import { certificate } from './modules/certificate.ts';
import { DATABASE_USER, type DatabaseEngine } from './modules/database.ts';
import { globalDatabase, globalTable } from './modules/global-database.ts';
import { rotationFunction } from './modules/rotation-function.ts';
import { AWKWARD_CHARACTERS, secret, secretRotation } from './modules/secrets.ts';
import { signingKey } from './modules/signing-key.ts';
import { accountIdOf, type StackInput } from './region-stack.ts';
import type { Stack } from './stack.ts';

const SECRET_LENGTH = 40;

/** Whether there is anything that regions stand on and none of them may own. */
export function hasFoundation(config: Config): boolean {
  return (
    config.registry.sign ||
    config.domain.name !== '' ||
    Object.keys(config.secrets).length > 0 ||
    databasesOf(config).length > 0
  );
}

/**
 * What must be there before any region, and outlive each of them: the proof that the domain is ours, for which every
 * region's certificate waits; the key that images are signed with, secrets and data, which have a copy in every region.
 */
export function defineFoundation(stack: Stack, input: StackInput): void {
  const { config, names, protect } = input;
  if (config.domain.name !== '') {
    certificate(stack, 'domain', { hostName: config.domain.name, proofZoneId: config.domain.zoneId });
  }
  const primary = config.regions[0]!;
  if (config.registry.sign) {
    signingKey(stack, 'signing', {
      alias: names.signingKey,
      description: `Signs the images of ${config.application}`,
      accountId: accountIdOf(stack, config),
      replicateTo: config.regions.slice(1),
      protect,
    });
  }
  for (const environment of environmentsIn(config, primary)) {
    const scope = new Construct(stack, environment);
    const others = config.regions
      .slice(1)
      .filter(region => environmentsIn(config, region).includes(environment));
    const rotated: RotatedSecret[] = [];
    for (const [variable, { generate, rotateAfterDays }] of Object.entries(config.secrets)) {
      const { arn } = secret(scope, `secret-${variable.toLowerCase()}`, {
        name: names.secret(environment, variable),
        description: `${variable} of ${config.application} in ${environment}`,
        replicateTo: others,
        ...(generate && { firstValue: { kind: 'text', length: SECRET_LENGTH } }),
        protect,
      });
      if (generate && rotateAfterDays > 0) rotated.push({ variable, arn, everyDays: rotateAfterDays });
    }
    if (rotated.length > 0) rotate(stack, scope, input, { environment, rotated, others });
    if (databasesOf(config).some(other => other.environment === environment)) {
      spanRegions(scope, input, {
        name: names.database(environment),
        login: names.databaseLogin(environment),
        others,
      });
    }
  }
}

interface RotatedSecret {
  variable: string;
  arn: string;
  everyDays: number;
}

/** One function for the generated secrets of an environment; it renews the tasks in every region that has copies. */
function rotate(
  stack: Stack,
  scope: Construct,
  { config, names }: StackInput,
  {
    environment,
    rotated,
    others,
  }: { environment: Environment; rotated: readonly RotatedSecret[]; others: readonly RegionName[] },
): void {
  const { functionArn, ready } = rotationFunction(scope, 'rotation', {
    name: names.function(`${environment}-rotation`),
    accountId: accountIdOf(stack, config),
    roleName: names.role(`${environment}-rotation`, stack.region),
    secretArns: rotated.map(({ arn }) => arn),
    services: [stack.region, ...others].map(region => ({
      region,
      cluster: names.cluster(environment),
      service: names.service(environment),
    })),
    length: SECRET_LENGTH,
    excludeCharacters: AWKWARD_CHARACTERS,
    logRetentionDays: config.logs.retentionDays,
  });
  for (const { variable, arn, everyDays } of rotated) {
    secretRotation(scope, `rotate-${variable.toLowerCase()}`, {
      secretArn: arn,
      functionArn,
      everyDays,
      after: ready,
    });
  }
}

/** What a database has that is of no single region. */
function spanRegions(
  scope: Construct,
  { config, protect }: StackInput,
  { name, login, others }: { name: string; login: string; others: readonly string[] },
): void {
  const settings = relational(config);
  if (!settings) {
    const { hash, range } = config.database.tableKeys;
    globalTable(scope, 'table', { name, hashKey: hash, rangeKey: range, replicateTo: others, protect });
    return;
  }
  const { engine, version } = settings;
  secret(scope, 'database-login', {
    name: login,
    description: `The login of the database ${name}`,
    replicateTo: others,
    firstValue: { kind: 'login', length: SECRET_LENGTH, fields: { username: DATABASE_USER, engine } },
    protect,
  });
  if (isAurora(engine)) globalDatabase(scope, 'global-database', { name, engine, version, protect });
}

function isAurora(engine: DatabaseEngine): engine is Extract<DatabaseEngine, `aurora-${string}`> {
  return engine.startsWith('aurora-');
}
