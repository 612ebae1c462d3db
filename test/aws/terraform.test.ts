import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { synthesize, type SynthesizedStack } from '../../src/aws/terraform/synthesize.ts';
import { configSchema, type ConfigInput } from '../../src/model/config/schema.ts';
import { CONFIGURATIONS } from './configurations.ts';
import { project, REMOVALS } from './projection.ts';
import { findTools, Workspace, type Tools } from './terraform.ts';

/* Everything that is generated, checked by real Terraform with the real AWS provider. */

const tools = findTools();
const isMissing = 'missing' in tools;
if (isMissing) console.log(`Nothing is checked by Terraform: there is no ${tools.missing}.`);

describe.skipIf(isMissing)('Terraform with provider 5.100.0', { timeout: 600_000 }, () => {
  const removed = new Set<string>();

  afterAll(() => report(removed));

  // Each is a module of one root: the provider takes long to start, and so starts once.
  test('takes every kind of stack of every configuration', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-aws-'));
    await using modules = new Workspace(folder, tools as Tools);
    const documents = Object.entries(CONFIGURATIONS).flatMap(([title, input]) =>
      distinct(synthesize(configSchema.parse(input), { state: 's3', protect: false }), input).map(
        ({ name, document }) => [`${title}-${name}`, project(document, { isMoto: false, removed })] as const,
      ),
    );
    await modules.writeModules(Object.fromEntries(documents));
    expect((await modules.init()).output).toContain('successfully initialized');
    expect((await modules.run('validate')).output).toContain('The configuration is valid');
  });
});

/** The second region stands for all after it. */
function distinct(stacks: readonly SynthesizedStack[], input: ConfigInput): SynthesizedStack[] {
  const further: readonly string[] = input.regions?.slice(2) ?? [];
  return stacks.filter(({ region }) => !further.includes(region));
}

function report(removed: ReadonlySet<string>): void {
  const forProvider = REMOVALS.filter(({ onlyForMoto }) => !onlyForMoto);
  const lines = [
    'Taken away for provider 5.100.0:',
    ...forProvider.map(({ type, what, reason }) => `  ${type}: ${what}: ${reason}`),
    ...forProvider
      .filter(({ type, what }) => !removed.has(`${type}: ${what}`))
      .map(({ type, what }) => `  no longer needed: ${type}: ${what}`),
  ];
  console.log(lines.join('\n'));
}
