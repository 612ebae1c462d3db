import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LONGEST_NAME_PREFIX } from '../../model/config/name-prefix.ts';
import { awsRegions } from '../../model/config/regions.ts';
import { configSchema, type ConfigInput } from '../../model/config/schema.ts';
import { validateConfig } from '../../model/config/validate.ts';
import { ENVIRONMENTS } from '../../model/names.ts';
import { createNames, type Names } from './names.ts';

const PREFIX = fc
  .stringMatching(/^[a-z][a-z0-9]{1,9}(-[a-z0-9]{1,10})?$/)
  .filter(prefix => !/^(sg|internal|sthree)(-|$)/.test(prefix));

test('no valid configuration makes a name that AWS refuses', () => {
  fc.assert(
    fc.property(PREFIX, fc.constantFrom(...awsRegions), fc.boolean(), (namePrefix, region, hasAccount) => {
      const config = configSchema.parse({
        application: 'storefront',
        aws: { namePrefix, accountId: hasAccount ? '123456789012' : '' },
      });
      const all = everyName(createNames(config), region);
      expect(new Set(all).size).toBe(all.length);
      for (const name of all) expect(name).toMatch(/^[a-z/][a-z0-9/-]+$/);
    }),
  );
});

test('the longest prefix there may be fits everywhere, and no longer one would', () => {
  const named = (length: number) =>
    createNames({
      ...configSchema.parse({ application: 'storefront' }),
      aws: {
        ...configSchema.parse({ application: 'storefront' }).aws,
        namePrefix: 'x'.repeat(length),
        accountId: '1'.repeat(12),
      },
    });
  expect(() => everyName(named(LONGEST_NAME_PREFIX), 'ap-northeast-1')).not.toThrow();
  expect(() => everyName(named(LONGEST_NAME_PREFIX + 1), 'ap-northeast-1')).toThrow(/longer than 32/);
});

test.each<[string, ConfigInput, string | undefined]>([
  ['one’s own application', { application: 'storefront' }, 'storefront'],
  ['a customer’s', { application: 'storefront', customer: 'acme' }, 'acme-storefront'],
  [
    'a prefix that is set',
    { application: 'storefront', customer: 'acme', aws: { namePrefix: 'shop' } },
    'shop',
  ],
])('names begin with %s', (_what, input, prefix) => {
  expect(createNames(configSchema.parse(input)).prefix).toBe(prefix);
});

test('a configuration whose names would be too long is invalid, and says what to do', () => {
  const { faults } = validateConfig({ application: 'wholesale-storefront', customer: 'acme-industries' });
  expect(faults).toEqual([
    {
      path: 'aws.namePrefix',
      found: 'nothing',
      allowed:
        "a shorter name than acme-industries-wholesale-storefront: load balancers' names leave 21 characters, and these are 36",
    },
  ]);
});

function everyName(names: Names, region: string): string[] {
  return [
    names.bucket('state', region),
    names.bucket('artifacts', region),
    ...(['flow-log', 'build', 'image', 'pipeline', 'pipeline-start', 'gate-refused'] as const).map(purpose =>
      names.role(purpose, region),
    ),
    names.rule('pipeline-failed'),
    names.rule('gate-refused'),
    names.buildProject,
    names.imageProject,
    names.connection,
    names.bucket('access-logs', region),
    ...ENVIRONMENTS.flatMap(environment => [
      names.loadBalancer(environment),
      names.targetGroup(environment, 'blue'),
      names.targetGroup(environment, 'green'),
      names.rule(`${environment}-deployment-failed`),
      names.logGroup(environment),
      names.releaseProject(environment),
      ...(['execution', 'task', 'release', 'shift'] as const).map(purpose =>
        names.role(`${environment}-${purpose}`, region),
      ),
    ]),
  ];
}
