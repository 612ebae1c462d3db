import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIMITS, namesIn } from './aws-names.ts';
import { CONFIGURATIONS } from './configurations.ts';
import { awsRegions } from '../../src/model/config/regions.ts';
import { validateConfig } from '../../src/model/config/validate.ts';
import type { Config, ConfigInput } from '../../src/model/config/schema.ts';
import { synthesize } from '../../src/aws/terraform/synthesize.ts';

const RUNS = 12;

/** Prefixes of every length, the shortest and the longest often. */
const PREFIX = fc
  .oneof(fc.constant(2), fc.constant(21), fc.integer({ min: 2, max: 21 }))
  .chain(length => fc.stringMatching(new RegExp(`^[a-z][a-z0-9-]{${length - 2}}[a-z0-9]$`)));
const BASE = fc.constantFrom<ConfigInput>(
  CONFIGURATIONS.everything,
  CONFIGURATIONS.relational,
  CONFIGURATIONS.table,
);

test(
  'every name that a valid configuration makes, and all that is said of a thing, is one that AWS takes',
  { timeout: 120_000 },
  () => {
    const regions = fc.shuffledSubarray([...awsRegions], { minLength: 2, maxLength: 4 });
    const unknown = new Set<string>();
    const seen = new Set<string>();
    fc.assert(
      fc.property(PREFIX, regions, BASE, fc.nat(200), (namePrefix, places, base, length) => {
        const config = valid(base, { namePrefix, regions: places, secretLength: Math.max(1, length) });
        if (!config) return;
        for (const { key, name } of namesOf(config)) {
          if (LIMITS[key] === undefined) unknown.add(key);
          else expect(name, `${key} of ${namePrefix} in ${places.join(', ')}`).toMatch(LIMITS[key]);
          seen.add(key);
        }
      }),
      {
        numRuns: RUNS,
        // The examples come first.
        interruptAfterTimeLimit: 20_000,
        examples: [
          // The longest of everything, the shortest, and more regions than a sentence holds.
          ['abcdefghij-klmnopqrst', ['ap-northeast-1', 'ap-southeast-1'], CONFIGURATIONS.everything, 200],
          ['abcdefghij-klmnopqrst', ['ap-northeast-1', 'ap-southeast-1'], CONFIGURATIONS.relational, 200],
          ['ab', ['us-east-1', 'us-west-2'], CONFIGURATIONS.everything, 1],
          ['abcdefghij-klmnopqrst', ['ap-northeast-1', 'ap-southeast-1'], CONFIGURATIONS.table, 200],
          ['ab', ['eu-north-1'], CONFIGURATIONS.elsewhere, 1],
          ['abcdefghij-klmnopqrst', awsRegions.slice(0, 20), CONFIGURATIONS.everything, 200],
        ],
      },
    );
    expect([...unknown], 'these need a limit').toEqual([]);
    expect(
      Object.keys(LIMITS).filter(key => !seen.has(key)),
      'these limits are of nothing',
    ).toEqual([]);
  },
);

test('a secret cannot have the name of any variable that a container is given', () => {
  for (const [name, base] of Object.entries(CONFIGURATIONS)) {
    const config = validateConfig(base).config!;
    const container = synthesize(config, { state: 'local', protect: false })
      .flatMap(({ document }) => Object.values(document.resource?.['aws_ecs_task_definition'] ?? {}))
      .map(definition => String(definition['container_definitions']))
      .flatMap(text => [...text.matchAll(/"name"\s*:\s*"([A-Z][A-Z_]+)"/g)].map(([, variable]) => variable!));
    const given = new Set(container.filter(variable => !(variable in (base.secrets ?? {}))));
    expect(given.size, name).toBeGreaterThan(2);
    for (const variable of given) {
      if (variable === 'AOT_CONFIG_CONTENT') continue;
      const { faults } = validateConfig({ ...base, secrets: { [variable]: {} } });
      expect(faults, `${variable} in ${name}`).toMatchObject([{ path: `secrets.${variable}` }]);
    }
  }
});

function valid(
  base: ConfigInput,
  given: { namePrefix: string; regions: readonly string[]; secretLength: number },
): Config | undefined {
  const { routing, ...rest } = base;
  const { regionSwitch } = routing ?? {};
  return validateConfig({
    ...rest,
    ...(regionSwitch && given.regions.length === 2 && { routing: { regionSwitch } }),
    regions: given.regions,
    secrets: { ...base.secrets, ['S'.repeat(given.secretLength)]: {} },
    aws: { ...base.aws, namePrefix: given.namePrefix, accountId: '123456789012' },
  }).config;
}

function namesOf(config: Config) {
  return synthesize(config, { state: 's3', protect: true }).flatMap(({ document }) => namesIn(document));
}
