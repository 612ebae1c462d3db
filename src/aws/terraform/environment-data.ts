import { VpcSecurityGroupIngressRule } from '@cdktn/provider-aws/lib/vpc-security-group-ingress-rule/index.js';
import type { Config } from '../../model/config/schema.ts';
import type { Environment } from '../../model/names.ts';
import type { EnvironmentPlace } from './environment-stack.ts';
import { environmentsIn } from './environments.ts';
import { database, DATABASE_NAME, DATABASE_USER, type DatabaseEngine } from './modules/database.ts';
import type { TaskSecret } from './modules/ecs-task-definition.ts';
import { secretReference } from './modules/secrets.ts';
import type { PolicyStatement } from './policy.ts';

/** What the tasks of an environment get of secrets and data, all of it by reference. */
export interface EnvironmentData {
  variables: Record<string, string>;
  secrets: TaskSecret[];
  /** What the application itself may do. */
  statements: PolicyStatement[];
  /** Lets the tasks reach the database. */
  admit(tasksGroupId: string): void;
}

const NONE: EnvironmentData = { variables: {}, secrets: [], statements: [], admit: () => undefined };

export function defineData(place: EnvironmentPlace): EnvironmentData {
  const data = dataOf(place);
  return {
    ...data,
    secrets: [
      ...Object.keys(place.config.secrets).map(variable => ({
        variable,
        ...referenceTo(place, place.names.secret(place.environment, variable)),
      })),
      ...data.secrets,
    ],
  };
}

/** The environments that have a database, and where each is: the first of the regions is where it is written to. */
export function databasesOf(config: Config): { environment: Environment; regions: readonly string[] }[] {
  if (config.database.engine === 'none') return [];
  return environmentsIn(config, config.regions[0]!)
    .filter(environment => config.database.environments.includes(environment))
    .map(environment => ({
      environment,
      regions: config.regions.filter(region => environmentsIn(config, region).includes(environment)),
    }));
}

/** The settings of a relational database with what an empty one stands for; `undefined` where there is none. */
export function relational({ database }: Config) {
  const { engine } = database;
  if (engine === 'none' || engine === 'dynamodb') return undefined;
  const usual = USUAL[engine];
  return {
    engine,
    version: database.version === '' ? usual.version : database.version,
    instanceClass: database.instanceClass === '' ? usual.instanceClass : database.instanceClass,
  };
}

/** Global databases need a class that is made for memory. */
const USUAL: Record<DatabaseEngine, { version: string; instanceClass: string }> = {
  postgres: { version: '17', instanceClass: 'db.t4g.medium' },
  mysql: { version: '8.4', instanceClass: 'db.t4g.medium' },
  'aurora-postgresql': { version: '16', instanceClass: 'db.r6g.large' },
  'aurora-mysql': { version: '8.0', instanceClass: 'db.r6g.large' },
};

function dataOf(place: EnvironmentPlace): EnvironmentData {
  const { config, environment } = place;
  if (!databasesOf(config).some(other => other.environment === environment)) return NONE;
  const settings = relational(config);
  return settings ? relationalData(place, settings) : tableData(place);
}

function relationalData(
  place: EnvironmentPlace,
  settings: NonNullable<ReturnType<typeof relational>>,
): EnvironmentData {
  const { stack, config, names, accountId, environment, shared, protect } = place;
  const primaryRegion = config.regions[0]!;
  const loginSecretName = names.databaseLogin(environment);
  const { host, port, securityGroupId } = database(stack, 'database', {
    name: names.database(environment),
    region: stack.region,
    accountId,
    vpcId: shared.network.id,
    subnetIds: shared.network.privateSubnetIds,
    ...settings,
    storageGb: config.database.storageGb,
    backupDays: config.database.backupDays,
    role:
      stack.region === primaryRegion
        ? { kind: 'primary', loginSecretName, isMultiZone: environment === 'production' }
        : { kind: 'replica', primaryRegion },
    protect,
  });
  return {
    variables: {
      DATABASE_HOST: host,
      DATABASE_PORT: String(port),
      DATABASE_NAME,
      DATABASE_USER,
    },
    secrets: [{ variable: 'DATABASE_PASSWORD', ...referenceTo(place, loginSecretName), jsonKey: 'password' }],
    statements: [],
    admit: tasksGroupId => {
      new VpcSecurityGroupIngressRule(stack, 'tasks-to-database', {
        securityGroupId,
        description: 'Queries from the tasks',
        ipProtocol: 'tcp',
        fromPort: port,
        toPort: port,
        referencedSecurityGroupId: tasksGroupId,
      });
    },
  };
}

function tableData({ stack, names, accountId, environment }: EnvironmentPlace): EnvironmentData {
  const name = names.database(environment);
  return {
    ...NONE,
    variables: { TABLE_NAME: name },
    statements: [
      {
        Sid: 'Data',
        Action: [
          'dynamodb:BatchGetItem',
          'dynamodb:BatchWriteItem',
          'dynamodb:ConditionCheckItem',
          'dynamodb:DeleteItem',
          'dynamodb:DescribeTable',
          'dynamodb:GetItem',
          'dynamodb:PutItem',
          'dynamodb:Query',
          'dynamodb:Scan',
          'dynamodb:UpdateItem',
        ],
        Resource: `arn:aws:dynamodb:${stack.region}:${accountId}:table/${name}`,
      },
    ],
  };
}

function referenceTo({ stack, accountId }: { stack: { region: string }; accountId: string }, name: string) {
  return secretReference({ region: stack.region, accountId, name });
}
