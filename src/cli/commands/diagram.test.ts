import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../testing/command-run.ts';

let workingFolder: string;
const drawDiagram = async ({ regions }: { regions: readonly string[] }) => `<svg>${regions.join()}</svg>`;

beforeEach(async () => {
  workingFolder = await mkdtemp(join(tmpdir(), 'tandem-diagram-'));
  await writeFile(join(workingFolder, 'tandem.config.ts'), "export default { application: 'storefront' };\n");
});

afterEach(async () => {
  await rm(workingFolder, { recursive: true });
});

test('draws beside the config file, or where it is told', async () => {
  const run = await runCli(['diagram', '--target', 'aws'], { workingFolder, drawDiagram });
  expect(run).toEqual({ exitCode: 0, stdout: 'wrote  environment.svg  30 B\n', stderr: '' });
  expect(await readFile(join(workingFolder, 'environment.svg'), 'utf8')).toBe(
    '<svg>us-east-1,us-west-2</svg>',
  );

  const file = join(workingFolder, 'deep', 'down.svg');
  const json = await runCli(['diagram', 'deep/down.svg', '--json'], { workingFolder, drawDiagram });
  expect(JSON.parse(json.stdout)).toEqual({ file, bytes: 30, regions: ['us-east-1', 'us-west-2'] });
});
