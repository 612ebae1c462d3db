import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';

/*
 * Who may import whom, by the table in docs/architecture.md. A folder is the longest key that a file's path starts
 * with. `local/<service>` may also see other services' contracts, but never their implementation: only
 * `local/region.ts` puts services together.
 */
const ALLOWED: Record<string, readonly string[]> = {
  core: [],
  model: ['core'],
  control: ['core', 'model'],
  wire: ['core'],
  platform: ['core'],
  local: ['core', 'model', 'control', 'wire', 'platform'],
  'aws/terraform': ['core', 'model'],
  'aws/cost': ['core', 'model'],
  'aws/diagram': ['core', 'model'],
  'aws/lambda': ['core', 'model', 'control', 'wire', 'platform'],
  'aws/operate': ['core', 'model', 'platform'],
  api: ['core', 'model', 'platform'],
  cli: ['core', 'model', 'platform'],
  '': [
    'core',
    'model',
    'control',
    'wire',
    'platform',
    'local',
    'aws/terraform',
    'aws/cost',
    'aws/diagram',
    'aws/operate',
    'api',
    'cli',
  ],
};

const SOURCE = resolve(import.meta.dirname, '../src');
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .map(path => path.split(sep).join('/'))
  .filter(path => !path.includes('testing/'));

describe('the import table', () => {
  test('sees the source', () => {
    expect(files.length).toBeGreaterThan(50);
  });

  test('no file imports from a folder that it may not know', () => {
    const broken = files.flatMap(file =>
      importsOf(file)
        .filter(imported => !isAllowed(file, imported))
        .map(imported => `${file} imports ${imported}`),
    );
    expect(broken).toEqual([]);
  });

  test('a service of the local cloud knows other services by their contracts only', () => {
    const broken = files.flatMap(file => {
      const service = serviceOf(file);
      if (service === undefined) return [];
      return importsOf(file)
        .filter(imported => serviceOf(imported) !== undefined && serviceOf(imported) !== service)
        .filter(imported => !imported.endsWith('/contract.ts'))
        .map(imported => `${file} imports ${imported}`);
    });
    expect(broken).toEqual([]);
  });

  test('every folder that holds source says in a README what lives there', () => {
    const folders = new Set(files.map(file => folderOf(file)).filter(folder => folder !== ''));
    const services = new Set(files.map(serviceOf).filter(service => service !== undefined));
    const missing = [...folders, ...[...services].map(service => `local/${service}`)].filter(
      folder => !readdirSync(join(SOURCE, folder)).includes('README.md'),
    );
    expect(missing).toEqual([]);
  });
});

describe('error codes', () => {
  const documented = new Set(
    [
      ...readFileSync(resolve(SOURCE, '../docs/errors.md'), 'utf8').matchAll(
        /^\| `?([A-Z][A-Z0-9_]+)`? \|/gm,
      ),
    ].map(([, code]) => code!),
  );
  const thrown = new Set(
    files.flatMap(file =>
      [...read(file).matchAll(/new TandemError\(\s*'([A-Z0-9_]+)'/g)].map(([, code]) => code!),
    ),
  );

  test('every code that is thrown is documented', () => {
    expect([...thrown].filter(code => !documented.has(code)).sort()).toEqual([]);
  });

  test('every documented code is still thrown', () => {
    const source = files.map(read).join('\n');
    expect([...documented].filter(code => !source.includes(`'${code}'`)).sort()).toEqual([]);
  });
});

function isAllowed(file: string, imported: string): boolean {
  const from = folderOf(file);
  const to = folderOf(imported);
  return from === to || (to !== '' && ALLOWED[from]!.includes(to));
}

function folderOf(path: string): string {
  const parts = path.split('/').slice(0, -1);
  for (let depth = parts.length; depth >= 0; depth -= 1) {
    const folder = parts.slice(0, depth).join('/');
    if (Object.hasOwn(ALLOWED, folder) && (folder !== '' || parts.length === 0)) return folder;
  }
  throw new Error(`src/${path} is in no folder of the import table`);
}

function serviceOf(path: string): string | undefined {
  const parts = path.split('/');
  return parts[0] === 'local' && parts.length > 2 ? parts[1] : undefined;
}

function importsOf(file: string): string[] {
  const specifiers = [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map(
    ([, path]) => path!,
  );
  return specifiers.map(path =>
    relative(SOURCE, resolve(SOURCE, dirname(file), path))
      .split(sep)
      .join('/'),
  );
}

function read(file: string): string {
  return readFileSync(join(SOURCE, file), 'utf8');
}
