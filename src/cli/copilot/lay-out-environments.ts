import type { ConfigInput } from '../../model/config/schema.ts';
import { ENVIRONMENTS, type Environment } from '../../model/names.ts';
import type { MappedService } from './map-service.ts';
import { show } from './read-values.ts';

/** Keys that an environment may have a value of its own for; all others are one for all. */
const OWN_SERVICE_KEYS = [
  'cpu',
  'memoryMb',
  'desiredCount',
  'minimumCount',
  'maximumCount',
  'deregistrationDelaySeconds',
] as const;
const OWN_DEPLOYMENT_KEYS = ['minimumHealthyPercent', 'maximumPercent'] as const;

type Overrides = NonNullable<ConfigInput['environments']>;

/**
 * Production's values become the file's own, what others have differently their overrides; where Tandem has one value
 * for all, production's is taken, and that is told.
 */
export function layOutEnvironments(
  production: MappedService,
  others: Partial<Record<Environment, MappedService>>,
  tell: (environment: Environment, remark: string) => void,
): Omit<ConfigInput, 'application'> {
  const overrides: Overrides = {};
  const shared = sharedVariables([production, ...Object.values(others)], production);
  for (const environment of ENVIRONMENTS) {
    const own = environment === 'production' ? production : others[environment];
    if (!own) continue;
    const service = {
      ...differing(own.service, production.service, OWN_SERVICE_KEYS),
      ...present('environment', variablesBeside(own.service.environment, shared)),
    };
    const deployment = differing(
      { minimumHealthyPercent: 100, maximumPercent: 200, ...own.deployment },
      { minimumHealthyPercent: 100, maximumPercent: 200, ...production.deployment },
      OWN_DEPLOYMENT_KEYS,
    );
    const override = { ...present('service', service), ...present('deployment', deployment) };
    if (Object.keys(override).length > 0) overrides[environment] = override;
    for (const remark of oneForAll(environment, own, production)) tell(environment, remark);
  }
  const { environment: _variables, ...service } = production.service;
  return {
    service: { ...service, ...present('environment', shared) },
    ...present('deployment', production.deployment),
    ...present('scaling', production.scaling),
    ...present('logs', production.logs),
    ...present('domain', production.domain),
    ...present('aws', production.aws),
    ...present('secrets', allSecrets([...Object.values(others), production], shared, overrides)),
    ...present('monitoring', production.monitoring),
    ...present('environments', overrides),
  };
}

/** Every environment has a value for each secret; what is plain in one of them cannot be secret in another. */
function allSecrets(
  all: readonly MappedService[],
  shared: Record<string, string>,
  overrides: Overrides,
): MappedService['secrets'] {
  const plain = [shared, ...Object.values(overrides).map(override => override?.service?.environment ?? {})];
  const secrets = Object.entries(Object.assign({}, ...all.map(({ secrets }) => secrets)));
  return Object.fromEntries(
    secrets.filter(([name]) => !plain.some(names => Object.hasOwn(names, name))),
  ) as MappedService['secrets'];
}

/** A variable that one environment lacks must not be the file's own: overrides add, and take nothing away. */
function sharedVariables(all: readonly MappedService[], production: MappedService): Record<string, string> {
  return Object.fromEntries(
    Object.entries(production.service.environment).filter(([name]) =>
      all.every(({ service }) => service.environment[name] !== undefined),
    ),
  );
}

function variablesBeside(
  own: Record<string, string>,
  shared: Record<string, string>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(own).filter(([name, value]) => shared[name] !== value));
}

function differing<Key extends string>(
  own: Partial<Record<Key, unknown>>,
  other: Partial<Record<Key, unknown>>,
  keys: readonly Key[],
): Partial<Record<Key, number>> {
  const entries = keys
    .filter(key => own[key] !== undefined && own[key] !== other[key])
    .map(key => [key, own[key]]);
  return Object.fromEntries(entries) as Partial<Record<Key, number>>;
}

/** What differs and cannot: key paths with the values on both sides. */
function oneForAll(environment: Environment, own: MappedService, production: MappedService): string[] {
  const { placement: _own, secrets: _ownSecrets, ...ownSections } = own;
  const { placement: _production, secrets: _secrets, ...sections } = production;
  const ownLeaves = new Map(leaves(ownSections));
  return leaves(sections).flatMap(([path, value]) => {
    const other = ownLeaves.get(path);
    const [, key] = /^(?:service|deployment)\.(\w+)/.exec(path) ?? [];
    const isOwn = [...OWN_SERVICE_KEYS, ...OWN_DEPLOYMENT_KEYS, 'environment'].some(name => name === key);
    if (isOwn || path === 'domain.zoneId' || other === undefined || other === value) return [];
    if (path === 'domain.name') {
      const derived = `${environment}.${String(value)}`;
      return other === derived ? [] : [`its host name becomes ${derived}, not ${show(other)}`];
    }
    return [`${path} is one for all environments: ${show(value)}, not ${show(other)}`];
  });
}

function leaves(value: object, path = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([key, entry]: [string, unknown]): [string, unknown][] =>
    typeof entry === 'object' && entry !== null
      ? leaves(entry, `${path}${key}.`)
      : [[`${path}${key}`, entry]],
  );
}

/** Nothing where there is nothing to say. */
function present<Key extends string, Value extends object>(key: Key, value: Value): { [K in Key]?: Value } {
  return Object.keys(value).length === 0 ? {} : ({ [key]: value } as { [K in Key]: Value });
}
