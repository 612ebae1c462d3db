import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { synthesize, type SynthesizedStack } from '../../src/aws/terraform/synthesize.ts';
import { configSchema, type ConfigInput } from '../../src/model/config/schema.ts';
import { CONFIGURATIONS } from './configurations.ts';
import { CORRECTIONS } from './moto-corrections.ts';
import { startMoto } from './moto.ts';
import { project, REMOVALS } from './projection.ts';
import { findTools, Workspace, type Tools } from './terraform.ts';

/*
 * Real Terraform with the real AWS provider. The provider waits as long as AWS would take, so making everything in moto
 * takes minutes: it is done where TANDEM_AWS_SUITE says `apply`, and elsewhere everything is validated only.
 */

const tools = findTools();
const isMissing = 'missing' in tools;
const isFull = process.env['TANDEM_AWS_SUITE'] === 'apply';
if (isMissing) console.log(`The AWS suite is skipped: there is no ${tools.missing}.`);
else if (!isFull) console.log('Nothing is applied to moto: TANDEM_AWS_SUITE=apply does that too.');

describe.skipIf(isMissing)('Terraform with provider 5.100.0', { timeout: 600_000 }, () => {
  const removed = new Set<string>();
  let workspace: Workspace;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-aws-'));
    workspace = new Workspace(folder, tools as Tools);
    const [stack] = stacksOf(CONFIGURATIONS.defaults);
    await workspace.write(project(stack!.document, { removed }));
    expect((await workspace.init()).output).toContain('successfully initialized');
  }, 120_000);

  afterAll(async () => {
    await rm(workspace.folder, { recursive: true, force: true });
    report(removed);
  });

  // Regions are like each other, and so are environments.
  test.each(['bootstrap-eu-central-1', 'foundation', 'eu-central-1', 'eu-central-1-production', 'global'])(
    'takes %s with every switch on',
    async name => {
      const stack = stacksOf(CONFIGURATIONS.everything, 's3').find(made => made.name === name)!;
      await workspace.write(project(stack.document, { removed }));
      expect((await workspace.run('validate')).output).toContain('The configuration is valid');
    },
  );

  test.runIf(isFull)('makes a region, finds nothing to change, and leaves nothing', async () => {
    await using moto = await startMoto();
    const [stack] = stacksOf(CONFIGURATIONS.defaults);
    await workspace.write(project(stack!.document, { removed, endpoint: moto.endpoint }));
    const unasked = ['-input=false', '-parallelism=40'];
    expect(summaryOf(await workspace.run('apply', '-auto-approve', ...unasked))).toMatch(
      /^Apply complete! Resources: \d+ added, 0 changed, 0 destroyed/,
    );
    expect(summaryOf(await workspace.run('plan', ...unasked))).toMatch(/^No changes\./);
    expect(summaryOf(await workspace.run('destroy', '-auto-approve', ...unasked))).toMatch(
      /^Destroy complete!/,
    );
    expect(await workspace.resourcesInState()).toEqual([]);
    expect([...moto.unknown], 'calls that moto failed at').toEqual([]);
    expect(CORRECTIONS.map(({ name }) => name).filter(name => !moto.corrected.has(name))).toEqual([]);
  });
});

function stacksOf(input: ConfigInput, state: 's3' | 'local' = 'local'): SynthesizedStack[] {
  return synthesize(configSchema.parse(input), { state, protect: false });
}

/** Errors, else how the run ended. A whole plan would bury it. */
function summaryOf({ output }: { output: string }): string {
  const errors = output.slice(Math.max(0, output.indexOf('Error: ')));
  if (output.includes('Error: ')) return errors;
  return (
    output.split('\n').findLast(line => /^(Apply complete|Destroy complete|No changes|Plan:)/.test(line)) ??
    output
  );
}

function report(removed: ReadonlySet<string>): void {
  const lines = [
    'Taken away for provider 5.100.0 and moto:',
    ...REMOVALS.map(({ type, what, reason }) => `  ${type}: ${what}: ${reason}`),
    'Mended in front of moto:',
    ...CORRECTIONS.map(({ name, reason }) => `  ${name}: ${reason}`),
    ...REMOVALS.filter(({ type, what, onlyForMoto }) => !onlyForMoto && !removed.has(`${type}: ${what}`)).map(
      ({ type, what }) => `  no longer needed: ${type}: ${what}`,
    ),
  ];
  console.log(lines.join('\n'));
}
