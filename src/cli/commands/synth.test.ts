import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { terraformFiles } from '../../aws/terraform/files.ts';
import { functionArchives } from '../../function-archives.ts';
import { linesOf, runCli } from '../testing/command-run.ts';

let workingFolder: string;
const synthesize: NonNullable<Parameters<typeof runCli>[1]>['synthesize'] = async (config, options) =>
  terraformFiles(config, options, await functionArchives());

beforeEach(async () => {
  workingFolder = await mkdtemp(join(tmpdir(), 'tandem-synth-'));
  await writeFile(join(workingFolder, 'tandem.config.ts'), "export default { application: 'storefront' };\n");
});

afterEach(async () => {
  await rm(workingFolder, { recursive: true });
});

test('writes a root module a stack, and says in a README in which order they go', async () => {
  const run = await runCli(['synth', '--target', 'aws'], { workingFolder, synthesize });
  expect(run.exitCode).toBe(0);
  expect(linesOf(run.stdout).map(line => line.split(/\s{2,}/)[1])).toEqual([
    'terraform/bootstrap-us-east-1/main.tf.json',
    'terraform/bootstrap-us-west-2/main.tf.json',
    'terraform/foundation/main.tf.json',
    'terraform/us-east-1/main.tf.json',
    'terraform/us-east-1/functions/replication.zip',
    'terraform/us-west-2/main.tf.json',
    'terraform/us-west-2/functions/replication.zip',
    'terraform/us-east-1-staging/main.tf.json',
    'terraform/us-east-1-production/main.tf.json',
    'terraform/us-west-2-staging/main.tf.json',
    'terraform/us-west-2-production/main.tf.json',
    'terraform/global/main.tf.json',
    'terraform/README.md',
  ]);
  expect(run.stderr).toBe('\nNext: terraform/README.md\n');
  const readme = await readFile(join(workingFolder, 'terraform', 'README.md'), 'utf8');
  expect(readme).toContain('terraform -chdir=us-east-1 init && terraform -chdir=us-east-1 apply');
});

test('writes where it is told, for a trial without buckets', async () => {
  const run = await runCli(['synth', 'trial', '--local-state', '--unprotected', '--json'], {
    workingFolder,
    synthesize,
  });
  const { folder, files } = JSON.parse(run.stdout) as { folder: string; files: { path: string }[] };
  expect(folder).toBe(join(workingFolder, 'trial'));
  expect(files.map(({ path }) => path)).toEqual([
    'foundation/main.tf.json',
    'us-east-1/main.tf.json',
    'us-east-1/functions/replication.zip',
    'us-west-2/main.tf.json',
    'us-west-2/functions/replication.zip',
    'us-east-1-staging/main.tf.json',
    'us-east-1-production/main.tf.json',
    'us-west-2-staging/main.tf.json',
    'us-west-2-production/main.tf.json',
    'global/main.tf.json',
    'README.md',
  ]);
  const document = await readFile(join(folder, 'us-east-1', 'main.tf.json'), 'utf8');
  expect(JSON.parse(document)).toMatchObject({ terraform: { backend: { local: {} } } });
  expect(document).not.toContain('prevent_destroy');
});

test('an invalid configuration writes nothing', async () => {
  await writeFile(
    join(workingFolder, 'tandem.config.ts'),
    "export default { application: 'storefront', domain: { name: 'shop.example.com' } };\n",
  );
  const run = await runCli(['synth'], { workingFolder, synthesize });
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain('domain.zoneId');
  await expect(readFile(join(workingFolder, 'terraform', 'README.md'))).rejects.toThrow('ENOENT');
});
