import { ENVIRONMENTS } from '../names.ts';
import type { Config } from './schema.ts';

/** What every container is told, whatever the file says. */
const OWN = ['PORT', 'APPLICATION', 'ENVIRONMENT'];
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

interface Fault {
  path: (string | number)[];
  input: unknown;
  message: string;
}

type Variables = Pick<Config, 'service' | 'environments' | 'secrets' | 'database' | 'monitoring'>;

/**
 * What ECS would refuse of a container's variables: one that is both plain and secret, and too many. Secrets whose names
 * differ in capitals only would be one resource to Terraform.
 */
export function variableFaults(config: Variables): Fault[] {
  const hasLogin = !['none', 'dynamodb'].includes(config.database.engine);
  const plain = plainVariables(config);
  const secrets = Object.keys(config.secrets);
  const taken = new Set([
    ...OWN,
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
      hasLogin && Object.hasOwn(variables, LOGIN)
        ? [{ path: [...path, LOGIN], input: variables[LOGIN], message: 'not here: the database brings it' }]
        : [],
    ),
    ...plain.flatMap(({ path, variables }) =>
      bytesOf(variables) > MAXIMUM_BYTES
        ? [
            {
              path,
              input: `${bytesOf(variables)} bytes`,
              message: `at most ${MAXIMUM_BYTES} bytes of names and values: a task definition takes 64 KiB`,
            },
          ]
        : [],
    ),
  ];
}

function plainVariables({ service, environments }: Variables) {
  return [
    { path: ['service', 'environment'], variables: service.environment },
    ...ENVIRONMENTS.map(environment => ({
      path: ['environments', environment, 'service', 'environment'],
      variables: environments[environment].service.environment ?? {},
    })),
  ];
}

/** As JSON, in which a task definition has them. */
function bytesOf(variables: Readonly<Record<string, string>>): number {
  return new TextEncoder().encode(JSON.stringify(variables)).length;
}
