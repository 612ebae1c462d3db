import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
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

  afterAll(() => report(removed));

  // Each is a module of one root: the provider takes long to start, and so starts once.
  test('takes every kind of stack of every configuration', async () => {
    await using modules = await createWorkspace(tools as Tools);
    const documents = Object.entries(CONFIGURATIONS).flatMap(([title, input]) =>
      distinct(stacksOf(input, { state: 's3', protect: false }), input).map(
        ({ name, document }) => [`${title}-${name}`, project(document, { removed })] as const,
      ),
    );
    await modules.writeModules(Object.fromEntries(documents));
    expect((await modules.init()).output).toContain('successfully initialized');
    expect((await modules.run('validate')).output).toContain('The configuration is valid');
  });

  test.runIf(isFull)(
    'makes two regions, finds nothing to change, and leaves nothing',
    async () => {
      await using moto = await startMoto();
      await using root = await createWorkspace(tools as Tools);
      const stacks = stacksOf(CONFIGURATIONS.defaults, { state: 's3', protect: true });
      const unprotected = stacksOf(CONFIGURATIONS.defaults, { state: 's3', protect: false });
      const places = new Map(
        stacks.map(({ name }) => [name, new Workspace(join(root.folder, name), tools as Tools)]),
      );
      const write = async (those: readonly SynthesizedStack[]) => {
        for (const { name, document } of those) {
          await places.get(name)!.write(project(document, { removed, endpoint: moto.endpoint }));
        }
      };
      /** How each of the stacks that are worked on at the same time ended. */
      const inAll = (wave: readonly SynthesizedStack[], ...args: string[]) =>
        Promise.all(
          wave.map(async ({ name }) => `${name}: ${summaryOf(await places.get(name)!.run(...args))}`),
        );
      const unasked = ['-input=false', '-parallelism=40'];

      await write(stacks);
      for (const wave of wavesOf(stacks)) {
        // Its state is in a bucket that the wave before made.
        for (const { name } of wave) {
          expect(summaryOf(await places.get(name)!.init()), name).toContain('successfully initialized');
        }
        for (const end of await inAll(wave, 'apply', '-auto-approve', ...unasked)) {
          expect(end).toMatch(/: Apply complete! Resources: \d+ added, 0 changed, 0 destroyed/);
        }
      }
      for (const end of await inAll(stacks, 'plan', ...unasked)) expect(end).toMatch(/: No changes\./);

      // Nothing changed since that plan, so that nothing has to be read anew.
      const known = ['-auto-approve', '-refresh=false', ...unasked];
      await write(unprotected);
      const losing = unprotected.filter(
        ({ document }, index) => !isDeepStrictEqual(document, stacks[index]!.document),
      );
      for (const end of await inAll(losing, 'apply', ...known)) {
        expect(end).toMatch(/: Apply complete! Resources: 0 added, [1-9]\d* changed, 0 destroyed/);
      }
      for (const wave of wavesOf(unprotected).toReversed()) {
        for (const end of await inAll(wave, 'destroy', ...known)) expect(end).toMatch(/: Destroy complete!/);
      }
      for (const { region } of stacks) expect(await moto.tagged(region), region).toEqual([]);
      expect([...moto.unknown], 'calls that moto failed at').toEqual([]);
      expect(CORRECTIONS.map(({ name }) => name).filter(name => !moto.corrected.has(name))).toEqual([]);
    },
    3_600_000,
  );
});

/** The second region stands for all after it. */
function distinct(stacks: readonly SynthesizedStack[], input: ConfigInput): SynthesizedStack[] {
  const further: readonly string[] = input.regions?.slice(2) ?? [];
  return stacks.filter(({ region }) => !further.includes(region));
}

async function createWorkspace(found: Tools): Promise<Workspace> {
  return new Workspace(await mkdtemp(join(tmpdir(), 'tandem-aws-')), found);
}

/** Stacks that can be made at the same time, each after all that it comes after. */
function wavesOf(stacks: readonly SynthesizedStack[]): SynthesizedStack[][] {
  const level = (name: string): number =>
    Math.max(0, ...stacks.find(stack => stack.name === name)!.after.map(before => level(before) + 1));
  const waves: SynthesizedStack[][] = [];
  for (const stack of stacks) (waves[level(stack.name)] ??= []).push(stack);
  return waves;
}

function stacksOf(
  input: ConfigInput,
  options: { state: 's3' | 'local'; protect: boolean },
): SynthesizedStack[] {
  return synthesize(configSchema.parse(input), options);
}

/** Errors, else how the run ended. A whole plan would bury it. */
function summaryOf({ output }: { output: string }): string {
  const errors = output.slice(Math.max(0, output.indexOf('Error: ')));
  if (output.includes('Error: ')) return errors;
  return (
    output
      .split('\n')
      .findLast(line =>
        /^(Apply complete|Destroy complete|No changes|Plan:|Terraform has been successfully)/.test(line),
      ) ?? output
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
