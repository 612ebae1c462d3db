import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TandemError } from '../core/error.ts';
import { nodePath, runCommand } from '../platform/process.ts';
import { loadConfig, loadFleet } from './load-config.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-config-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a config file', () => {
  test('finds `tandem` from a folder that has no node_modules', async () => {
    const path = await write(`import { defineConfig } from 'tandem';
      export default defineConfig({ application: 'storefront' satisfies string });`);
    expect((await loadConfig(path)).service.port).toBe(8080);
  });

  test('is an ES module even where package.json says commonjs, and so is what it imports', async () => {
    await writeFile(join(folder, 'package.json'), '{"type":"commonjs"}');
    await writeFile(join(folder, 'shared.ts'), `export const application: string = 'shared-name';`);
    const path = await write(`import { application } from './shared.ts';
      import { defineConfig } from 'tandem';
      export default defineConfig({ application });`);
    expect((await loadConfig(path)).application).toBe('shared-name');
  });

  test('may await at its top level (in Node.js itself, outside the test runner)', async () => {
    const path = await write(`import { defineConfig } from 'tandem';
      const application = await Promise.resolve('awaited');
      export default defineConfig({ application });`);
    const script = `
      import { loadConfig, loadFleet } from ${JSON.stringify(join(import.meta.dirname, 'load-config.ts'))};
      const config = await loadConfig(${JSON.stringify(path)});
      process.stdout.write(config.application);`;
    const result = await runCommand(nodePath, ['--input-type=module', '--eval', script]);
    expect(result).toMatchObject({ stdout: 'awaited', exitCode: 0 });
  });

  test('works in a folder whose name needs escaping in a URL', async () => {
    const spaced = join(folder, 'my app #1');
    await mkdir(spaced);
    const path = join(spaced, 'tandem.config.ts');
    await writeFile(path, `export default { application: 'spaced' };`);
    expect((await loadConfig(path)).application).toBe('spaced');
  });
});

describe('a config file that cannot be used', () => {
  test('is missing: the path that was looked at, and the way out', async () => {
    const path = join(folder, 'tandem.config.ts');
    const error = await failure(path);
    expect(error.code).toBe('CONFIG_MISSING');
    expect(error.message).toContain(path);
    expect(error.message).toContain('tandem init');
  });

  test('has faults: each on its line with file, key path, what was found and what is allowed', async () => {
    const path = await write(`export default {
      application: 'storefront', service: { healthCheck: { intervalSeconds: 3 }, prot: 1 } };`);
    const error = await failure(path);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message.split('\n')).toEqual([
      '2 faults, so nothing was done',
      `  ${path}: service.healthCheck.intervalSeconds: found 3, allowed: a whole number from 5 to 300`,
      expect.stringMatching(
        /service\.prot: found a key that does not exist, .*; did you mean service\.port\?$/,
      ),
    ]);
    expect(error.data['faults']).toHaveLength(2);
  });

  test.each([
    ['a syntax error', `export default {\n  application 'x',\n};`, ':2 cannot be read'],
    ['syntax that Node cannot strip', `\n\nenum Colour { red }\nexport default {};`, ':3 cannot be read'],
    ['a name declared twice', `let a = 1;\nlet a = 2;\nexport default {};`, ':2 cannot be read'],
    ['an exception', `\n\nthrow new Error('no such variable');`, ':3 cannot be read: no such variable'],
    ['a file that is not there', `\nimport './absent.ts';\nexport default {};`, ':2 cannot be read'],
    [
      'a package that is not there',
      `import x from 'absent-package';\nexport default x;`,
      ':1 cannot be read',
    ],
    [
      'an export that is not there',
      `import { absent } from 'tandem';\nexport default absent;`,
      ':1 cannot be',
    ],
  ])('has %s: the line is named', async (_what, source, expected) => {
    const path = await write(source);
    const error = await failure(path);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(`${path}${expected}`);
  });

  test('throws inside a file it imports: that file and line are named', async () => {
    await writeFile(join(folder, 'shared.ts'), `\nthrow new Error('shared is broken');`);
    const path = await write(`import './shared.ts';\nexport default {};`);
    expect((await failure(path)).message).toContain(`${join(folder, 'shared.ts')}:2 cannot be read`);
  });

  test('exports nothing: says what to write', async () => {
    const error = await failure(await write('export const config = {};'));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(error.message).toContain('export default defineConfig');
  });
});

async function write(source: string): Promise<string> {
  const path = join(folder, 'tandem.config.ts');
  await writeFile(path, source);
  return path;
}

async function failure(path: string): Promise<TandemError> {
  const error: unknown = await loadConfig(path).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TandemError);
  return error as TandemError;
}

test('a fleet file that has a customer twice says in which lines, with all its other faults', async () => {
  const path = join(folder, 'tandem.fleet.ts');
  await writeFile(
    path,
    `import { defineFleet } from 'tandem';
const shared = { owner: 'platform' } as const;
export default defineFleet({
  defaults: { application: 'storefront' satisfies string },
  customers: {
    acme: { ...shared },
    globex: { ...shared, service: { port: 0 } },
    ['initech']: {},
    "acme": { service: { cpu: 512, 'cpu': 1024, memoryMb: 2048 } },
  },
});`,
  );
  const error = (await loadFleet(path).catch((thrown: unknown) => thrown)) as TandemError;
  expect(error.message.split('\n').slice(1)).toEqual([
    `  ${path}: customers.acme: found the same key in lines 6 and 9, allowed: each key once`,
    `  ${path}: customers.acme.service.cpu: found the same key in lines 9 and 9, allowed: each key once`,
    `  ${path}: customers.globex.service.port: found 0, allowed: a whole number from 1 to 65535`,
  ]);
});
