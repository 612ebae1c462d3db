import { expect, test } from 'vitest';
import { synthesize, type SynthesizedStack } from '../../src/aws/terraform/synthesize.ts';
import { configSchema } from '../../src/model/config/schema.ts';
import { CONFIGURATIONS } from './configurations.ts';

/*
 * What a change adds and takes away is for a reviewer to see; an address that changes is a resource deleted and made anew.
 * Renewed by `npx vitest run test/aws/golden.test.ts -u`.
 */

test('the default configuration makes these resources, at these addresses', async () => {
  const stacks = synthesize(configSchema.parse(CONFIGURATIONS.defaults), { state: 's3', protect: true });
  await expect(stacks.map(section).join('\n')).toMatchFileSnapshot('golden/defaults.txt');
});

function section({ name, document }: SynthesizedStack): string {
  const addresses = Object.entries(document.resource ?? {}).flatMap(([type, resources]) =>
    Object.keys(resources).map(resource => `${type}.${resource}`),
  );
  return [`${name}: ${addresses.length}`, ...addresses.toSorted().map(address => `  ${address}`), ''].join(
    '\n',
  );
}
