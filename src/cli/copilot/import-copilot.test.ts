import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { validateConfig } from '../../model/config/validate.ts';
import { assignEnvironments } from './environments.ts';
import { importCopilot } from './import-copilot.ts';
import { parseManifest, type Manifest } from './manifest.ts';
import type { CopilotWorkspace } from './workspace.ts';

describe('what the manifests say is fitted to what Tandem takes', () => {
  test.each([
    [
      'a size that Fargate lacks',
      { cpu: 300, memory: 700 },
      { service: { cpu: 512, memoryMb: 1024 } },
      'cpu',
    ],
    ['more than Fargate has', { cpu: 99_999, memory: 999_999 }, { service: { cpu: 32_768 } }, 'cpu'],
    ['no task at all', { count: 0 }, { service: { minimumCount: 0, maximumCount: 1 } }, 'count'],
    [
      'all on Spot',
      { count: { spot: 3 } },
      { service: { desiredCount: 3 }, aws: { spotPercent: 100 } },
      'count.spot',
    ],
    [
      'a turned range',
      { count: { range: '9-3' } },
      { service: { minimumCount: 3, maximumCount: 3 } },
      'count.range',
    ],
    [
      'a check that asks too often',
      { http: { healthcheck: { interval: '1s' } } },
      { service: { healthCheck: { intervalSeconds: 5, timeoutSeconds: 4 } } },
      'http.healthcheck.interval',
    ],
    [
      'a check that lasts until the next',
      { http: { healthcheck: { interval: '10s', timeout: '10s' } } },
      { service: { healthCheck: { intervalSeconds: 10, timeoutSeconds: 9 } } },
      'http.healthcheck.timeout',
    ],
    [
      'days that CloudWatch does not know',
      { logging: { retention: 10 } },
      { logs: { retentionDays: 14 } },
      'logging.retention',
    ],
    [
      'logs kept for ever',
      { logging: { retention: 99_999 } },
      { logs: { retentionDays: 3653 } },
      'logging.retention',
    ],
    [
      'tasks that all stop first',
      { deployment: { rolling: 'recreate' } },
      { deployment: { minimumHealthyPercent: 0, maximumPercent: 100 } },
      'deployment.rolling',
    ],
    [
      'a host name without its zone',
      { http: { alias: 'shop.example.com' } },
      { application: 'shop' },
      'http.alias',
    ],
    [
      'a duration that is none',
      { http: { healthcheck: { timeout: 'soon' } } },
      {},
      'http.healthcheck.timeout',
    ],
    ['a variable of another stack', { variables: { URL: { from_cfn: 'x' } } }, {}, 'variables.URL'],
    ['a variable of the shell', { variables: { TAG: '${TAG}' } }, {}, 'variables.TAG'],
  ])('%s', (_, manifest, config, key) => {
    const imported = importManifest(manifest);
    expect(imported.config).toMatchObject(config);
    expect(imported.remarks).toContainEqual(
      expect.objectContaining({
        key,
        kind: expect.stringMatching(/changed|left/),
        remark: expect.any(String),
      }),
    );
  });

  test('and a key that Copilot does not have is told with the one that was probably meant', () => {
    expect(importManifest({ memmory: 512 }).remarks).toContainEqual(
      expect.objectContaining({
        kind: 'left',
        key: 'memmory',
        remark: expect.stringContaining('was memory meant?'),
      }),
    );
  });

  test('whatever they say', () => {
    const scalar = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null), fc.double());
    const any = fc.oneof(scalar, fc.array(scalar), fc.dictionary(fc.string(), scalar));
    const number = fc.oneof(fc.integer({ min: -5, max: 40_000 }), any);
    const manifest = fc.record(
      {
        cpu: number,
        memory: number,
        count: fc.oneof(
          number,
          fc.record({ range: any, spot: any, cooldown: any, cpu_percentage: number }, { requiredKeys: [] }),
          fc.record({
            range: fc.record({ min: number, max: number, spot_from: number }, { requiredKeys: [] }),
          }),
        ),
        http: fc.oneof(any, fc.record({ alias: any, healthcheck: any, path: any }, { requiredKeys: [] })),
        image: fc.record({ port: number, build: any, location: any }, { requiredKeys: [] }),
        platform: any,
        deployment: any,
        variables: fc.oneof(any, fc.dictionary(fc.string(), fc.string())),
        logging: any,
      },
      { requiredKeys: [] },
    );
    const environments = fc.dictionary(fc.constantFrom('test', 'prod', 'dev', 'prod-eu'), manifest);
    fc.assert(
      fc.property(manifest, environments, fc.string(), (base, overrides, application) => {
        const { config } = importManifest({ ...base, environments: overrides }, application);
        expect(validateConfig(config).faults).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });
});

describe('environments', () => {
  test.each([
    [['test', 'prod'], [], { staging: 'test', production: 'prod' }],
    [['test'], [], { staging: 'test' }],
    [['dev', 'staging', 'production'], [], { dev: 'dev', staging: 'staging', production: 'production' }],
    [['prod-eu', 'prod-us', 'pre-prod'], [], { production: 'prod-eu', staging: 'pre-prod' }],
    [['blue', 'green'], ['blue', 'green'], { staging: 'blue', production: 'green' }],
    [['alpha', 'omega', 'dev'], ['dev', 'omega'], { dev: 'dev', production: 'omega' }],
  ])('%j with the stages %j', (names, stages, expected) => {
    expect(assignEnvironments(names, stages)).toEqual(expected);
  });
});

function importManifest(manifest: object, application = 'shop') {
  const workspace: CopilotWorkspace = {
    application,
    workloads: [{ name: 'web', type: TYPE, manifest: asManifest({ name: 'web', type: TYPE, ...manifest }) }],
    environments: [],
    pipelines: [],
    addons: [],
    extras: [],
  };
  return importCopilot(workspace, { service: undefined, fallbackName: 'folder' });
}

const TYPE = 'Load Balanced Web Service';

function asManifest(value: object): Manifest {
  const parsed = parseManifest('copilot/web/manifest.yml', stringify(value));
  // `<<` is a key that YAML gives a meaning of its own.
  fc.pre(!Array.isArray(parsed));
  return parsed;
}
