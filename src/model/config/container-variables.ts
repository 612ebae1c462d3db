import { ENVIRONMENTS } from '../names.ts';
import { namePrefix } from './name-prefix.ts';
import type { Config } from './schema.ts';

/** What every container is told, whatever the file says. */
export const OWN_VARIABLES: readonly string[] = ['PORT', 'APPLICATION', 'ENVIRONMENT'];
const OF_A_DATABASE = ['DATABASE_HOST', 'DATABASE_PORT', 'DATABASE_NAME', 'DATABASE_USER'];
const OF_A_COLLECTOR = [
  'OTEL_SERVICE_NAME',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'OTEL_PROPAGATORS',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
];
const LOGIN = 'DATABASE_PASSWORD';
/** A task definition takes 64 KiB (Amazon ECS service quotas); the rest is left for what surrounds the variables. */
const MAXIMUM_BYTES = 56_000;
/** A role's own policies take 10,240 characters (IAM quotas); the rest is left for images and logs. */
const MAXIMUM_POLICY = 9000;

interface Fault {
  path: (string | number)[];
  input: unknown;
  message: string;
}

type Variables = Pick<
  Config,
  'application' | 'customer' | 'aws' | 'service' | 'environments' | 'secrets' | 'database' | 'monitoring'
>;

/**
 * What ECS would refuse of a container's variables: one that is both plain and secret, and too many. Secrets whose names
 * differ in capitals only would be one resource to Terraform; what Tandem sets itself would never arrive.
 */
export function variableFaults(config: Variables): Fault[] {
  const hasLogin = !['none', 'dynamodb'].includes(config.database.engine);
  const plain = plainVariables(config);
  const secrets = Object.keys(config.secrets);
  const taken = new Set([
    ...OWN_VARIABLES,
    ...(hasLogin ? [...OF_A_DATABASE, LOGIN] : []),
    ...(config.database.engine === 'dynamodb' ? ['TABLE_NAME'] : []),
    ...(config.monitoring.collector ? OF_A_COLLECTOR : []),
  ]);
  return [
    ...secrets.flatMap((name, index) => {
      const fault = (message: string) => [{ path: ['secrets', name], input: name, message }];
      const where = plain.find(({ variables }) => Object.hasOwn(variables, name));
      if (where) return fault(`a name that ${where.path.join('.')} does not have too`);
      if (taken.has(name)) return fault('a name that Tandem does not give to a variable of its own');
      const alike = secrets.slice(0, index).find(other => other.toLowerCase() === name.toLowerCase());
      return alike === undefined ? [] : fault(`a name that differs from ${alike} in more than capitals`);
    }),
    ...plain.flatMap(({ path, variables }) =>
      OWN_VARIABLES.filter(name => Object.hasOwn(variables, name)).map(name => ({
        path: [...path, name],
        input: variables[name],
        message: `not here: Tandem sets it${name === 'PORT' ? ', to service.port' : ''}`,
      })),
    ),
    ...plain.flatMap(({ path, variables }) =>
      hasLogin && Object.hasOwn(variables, LOGIN)
        ? [{ path: [...path, LOGIN], input: variables[LOGIN], message: 'not here: the database brings it' }]
        : [],
    ),
    ...plain.flatMap(({ path, variables }) => {
      const bytes = bytesOf(config, { ...config.service.environment, ...variables });
      const message = `at most ${MAXIMUM_BYTES} bytes of names and values, as a task definition has them, and these are ${bytes}: it takes 64 KiB`;
      return bytes > MAXIMUM_BYTES ? [{ path, input: variables, message }] : [];
    }),
    ...policyFaults(config),
  ];
}

/** The role that reads them names each. */
function policyFaults(config: Variables): Fault[] {
  const length = JSON.stringify(
    Object.keys(config.secrets).map(name => `${secretArn(config, name)}-??????`),
  ).length;
  const message = `fewer of them, or shorter names: the role that reads them takes ${MAXIMUM_POLICY} characters of ARNs, and these are ${length}`;
  return length > MAXIMUM_POLICY ? [{ path: ['secrets'], input: config.secrets, message }] : [];
}

/** The longest that it may be. */
function secretArn(config: Variables, name: string): string {
  return `arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:${namePrefix(config)}/production/${name}`;
}

function plainVariables({ service, environments }: Variables) {
  return [
    { path: ['service', 'environment'], variables: service.environment },
    ...ENVIRONMENTS.flatMap(environment => {
      const variables = environments[environment].service.environment;
      const path = ['environments', environment, 'service', 'environment'];
      return variables === undefined ? [] : [{ path, variables }];
    }),
  ];
}

/** As JSON, in which a task definition has them, beside the secrets. */
function bytesOf(config: Variables, plain: Readonly<Record<string, string>>): number {
  const variables = Object.entries(plain).map(([name, value]) => ({ name, value }));
  const secrets = Object.keys(config.secrets).map(name => ({ name, valueFrom: secretArn(config, name) }));
  return new TextEncoder().encode(JSON.stringify([...variables, ...secrets])).length;
}
