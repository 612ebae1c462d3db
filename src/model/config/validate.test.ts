import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configSchema } from './schema.ts';
import { validateConfig } from './validate.ts';

describe('a valid configuration', () => {
  test('gets every default from the application name alone', () => {
    const { config } = validateConfig({ application: 'storefront' });
    expect(config?.regions).toEqual(['us-east-1', 'us-west-2']);
    expect(config?.service.healthCheck.intervalSeconds).toBe(30);
  });

  test('may override in an environment whatever stays valid there', () => {
    const environments = { production: { service: { cpu: 512, memoryMb: 1024, desiredCount: 4 } } };
    expect(validateConfig({ application: 'storefront', environments }).faults).toBeUndefined();
  });
});

describe('a fault', () => {
  test('names the full key path, what was found and what is allowed', () => {
    expect(faultsOf({ service: { healthCheck: { intervalSeconds: 3 } } })).toEqual([
      { path: 'service.healthCheck.intervalSeconds', found: '3', allowed: 'a whole number from 5 to 300' },
    ]);
  });

  test('of an unknown key suggests the nearest key of its section', () => {
    expect(faultsOf({ service: { desiredcount: 3 } })).toMatchObject([
      {
        path: 'service.desiredcount',
        found: 'a key that does not exist',
        suggestion: 'service.desiredCount',
      },
    ]);
  });

  test('of a key in the wrong section suggests where it belongs', () => {
    expect(faultsOf({ memoryMb: 1024 })).toMatchObject([
      { path: 'memoryMb', suggestion: 'service.memoryMb' },
    ]);
  });

  test('of a wrong choice suggests the nearest one and lists all', () => {
    expect(faultsOf({ regions: ['us-east-1', 'us-wset-2'] })).toMatchObject([
      { path: 'regions[1]', found: '"us-wset-2"', suggestion: '"us-west-2"' },
    ]);
    expect(faultsOf({ pipeline: { executionMode: 'parallel' } })).toEqual([
      {
        path: 'pipeline.executionMode',
        found: '"parallel"',
        allowed: 'one of "SUPERSEDED", "QUEUED", "PARALLEL"',
        suggestion: '"PARALLEL"',
      },
    ]);
  });

  test('of a Fargate pair lists the sizes that go with the cpu', () => {
    expect(faultsOf({ service: { cpu: 1024, memoryMb: 512 } })).toEqual([
      {
        path: 'service.memoryMb',
        found: '512',
        allowed: 'with cpu 1024, one of 2048 to 8192 in steps of 1024',
      },
    ]);
  });

  test('of a missing application name says what a name looks like', () => {
    expect(validateConfig({}).faults).toEqual([
      {
        path: 'application',
        found: 'nothing',
        allowed: '2 to 31 lower-case letters, digits and single hyphens, a letter first, no hyphen last',
      },
    ]);
  });

  test('of an environment variable name quotes the name', () => {
    expect(faultsOf({ service: { environment: { 'A-B': 'x' } } })).toMatchObject([
      { path: 'service.environment["A-B"]', found: 'the name "A-B"' },
    ]);
  });

  test.each([undefined, null, [], 'text', 7, () => ({})])(
    'of no object at all (%s) says what is expected',
    value => {
      expect(validateConfig(value).faults).toMatchObject([{ path: '(the whole configuration)' }]);
    },
  );
});

describe('all faults come at once', () => {
  test('from every section, and the rules between keys with them', () => {
    const paths = faultsOf({
      owner: '',
      service: { prot: 80, cpu: 300 },
      deployment: { strategy: 'roling' },
      logs: { retentionDays: 0 },
    }).map(fault => fault.path);
    expect(paths.sort()).toEqual([
      'deployment.strategy',
      'logs.retentionDays',
      'owner',
      'service.cpu',
      'service.prot',
    ]);
  });

  test('but a rule between keys is not judged while one of the keys is wrong itself', () => {
    const paths = faultsOf({ service: { cpu: '512', memoryMb: 4096 } }).map(fault => fault.path);
    expect(paths).toEqual(['service.cpu']);
  });

  test('those of an environment as well, while the rest has other faults', () => {
    const paths = faultsOf({
      ownr: 'x',
      environments: { production: { service: { minimumCount: 4 } } },
    }).map(fault => fault.path);
    expect(paths).toEqual(['ownr', 'environments.production.service.minimumCount']);
  });
});

describe('an environment override', () => {
  test('that breaks a Fargate pair is reported where it was written', () => {
    expect(faultsOf({ environments: { production: { service: { cpu: 512 } } } })).toEqual([
      {
        path: 'environments.production.service.cpu',
        found: '512',
        allowed:
          'a value that goes with service.memoryMb = 512 (with cpu 512, one of 1024, 2048, 3072, 4096)',
      },
    ]);
  });

  test('that leaves no valid task count is reported where it was written', () => {
    expect(faultsOf({ environments: { staging: { service: { maximumCount: 1 } } } })).toMatchObject([
      { path: 'environments.staging.service.maximumCount', found: '1' },
    ]);
  });

  test('that stops every deployment is reported', () => {
    expect(faultsOf({ environments: { dev: { deployment: { maximumPercent: 100 } } } })).toMatchObject([
      { path: 'environments.dev.deployment.maximumPercent', found: '100' },
    ]);
  });
});

test('whatever is put in, the answer is a configuration or at least one fault, and the input is left alone', () => {
  const keys = Object.keys(configSchema.shape);
  const section = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom('cpu', 'port', 'prot'), fc.jsonValue()),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys, 'other'), section), input => {
      const before = JSON.stringify(input);
      const { config, faults } = validateConfig(input);
      expect(config === undefined ? faults.length : 1).toBeGreaterThan(0);
      expect(JSON.stringify(input)).toBe(before);
    }),
  );
});

function faultsOf(config: Record<string, unknown>) {
  return validateConfig({ application: 'storefront', ...config }).faults ?? [];
}
