import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runCommand } from '../../platform/process.ts';
import { loadConfig } from '../load-config.ts';
import { linesOf, runCli } from '../testing/command-run.ts';

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-init-'));
  folder = join(root, 'My Shop 2.0');
  await mkdir(folder);
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('init in an empty folder', () => {
  test('copies the example under the folder’s name, and makes a repository', async () => {
    const { exitCode, stdout, stderr } = await init();
    expect(linesOf(stdout)).toEqual([
      'wrote  .gitignore',
      'wrote  package.json',
      'wrote  src/server.js',
      'wrote  tandem.config.ts',
      'made   a Git repository, branch main',
    ]);
    expect((await loadConfig(join(folder, 'tandem.config.ts'))).application).toBe('my-shop-2-0');
    expect(await read('package.json')).toBe('{ "name": "my-shop-2-0" }');
    expect(await read('src/server.js')).toBe('// the storefront');
    expect(stderr).toContain('tandem up --detach');
    expect(exitCode).toBe(0);
  });

  test('takes a new repository with a README for empty, and leaves its files as they are', async () => {
    await runCommand('git', ['init', '--quiet'], { cwd: folder });
    await writeFile(join(folder, '.gitignore'), 'mine\n');
    await writeFile(join(folder, 'README.md'), '# Mine\n');
    const { stdout } = await init();
    expect(stdout).toContain('wrote  src/server.js\n');
    expect(stdout).not.toContain('made');
    expect(await read('.gitignore')).toBe('mine\n');
  });

  test('makes the folder that is named', async () => {
    await init('other');
    expect(await readdir(join(folder, 'other'))).toContain('tandem.config.ts');
  });

  test('says how to go to a folder whose name a shell would take apart', async () => {
    expect((await init("it’s, it's")).stderr).toContain(`  cd 'it’s, it'\\''s'\n`);
  });

  test('refuses a folder that cannot be made', async () => {
    await writeFile(join(folder, 'file'), '');
    const { exitCode, stderr } = await init('file/below');
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^error\[FOLDER_UNUSABLE\]: .*file\/below cannot be made: ENOTDIR[^\n]*\n$/,
      ),
    });
  });
});

describe('init in an application’s folder', () => {
  test.each([
    ['Node.js', { 'package.json': '{"scripts":{"start":"node src/main.js"}}' }, 'CMD ["node","src/main.js"]'],
    ['Node.js', { 'package.json': '{"scripts":{"start":"next start"}}' }, 'CMD ["npm","start"]'],
    ['Python', { 'requirements.txt': 'flask\n', 'app.py': '' }, 'CMD ["python3", "app.py"]'],
    ['Go', { 'go.mod': 'module shop\n' }, 'CMD ["/application"]'],
    ['static files', { 'index.html': '<h1>Hello</h1>' }, 'CMD ["node", "server.mjs"]'],
  ])('of %s adds configuration, buildspec and Dockerfile', async (stack, files, command) => {
    await writeFiles(files);
    const { stdout, stderr } = await init();
    expect(linesOf(stdout).slice(0, 4)).toEqual([
      'wrote  tandem.config.ts',
      'wrote  buildspec.yml',
      'wrote  Dockerfile',
      'wrote  .dockerignore',
    ]);
    expect(stderr).toContain(`The Dockerfile is a beginning for ${stack}`);
    expect(await read('Dockerfile')).toContain(command);
    expect(await read('Dockerfile')).toContain('USER 1001:1001');
    expect((await loadConfig(join(folder, 'tandem.config.ts'))).application).toBe('my-shop-2-0');
    expect(parse(await read('buildspec.yml'))).toMatchObject({
      version: 0.2,
      artifacts: { files: ['imagedefinitions.json'] },
    });
  });

  test('overwrites nothing, and can be run again', async () => {
    await writeFiles({ 'package.json': '{}', Dockerfile: 'FROM mine', 'buildspec.yml': 'version: 0.2' });
    expect(linesOf((await init()).stdout).slice(0, 4)).toEqual([
      'wrote  tandem.config.ts',
      'wrote  .dockerignore',
      'kept   buildspec.yml',
      'kept   Dockerfile',
    ]);
    expect(await read('Dockerfile')).toBe('FROM mine');
    const again = await init('.', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({
      written: [],
      kept: ['tandem.config.ts', 'buildspec.yml', 'Dockerfile', '.dockerignore'],
      application: 'my-shop-2-0',
    });
  });

  test('says so when it cannot tell what the application is written in', async () => {
    await writeFiles({ 'main.cob': '' });
    const { stdout, stderr } = await init();
    expect(stdout).not.toContain('Dockerfile');
    expect(stderr).toContain('There is no Dockerfile');
    expect(linesOf(stderr).slice(-5)).toEqual([
      'Next:',
      '  # write a Dockerfile: what is pushed is built by it',
      '  git add -A && git commit -m "First version"',
      '  tandem up --detach',
      '  tandem push',
    ]);
  });

  test('needs no Dockerfile to be written where one is there, whatever the application is written in', async () => {
    await writeFiles({ 'main.cob': '', Dockerfile: 'FROM cobol' });
    const { stdout, stderr } = await init();
    expect(stdout).toContain('kept   Dockerfile\n');
    expect(stderr).not.toContain('Dockerfile');
  });

  test('makes no repository inside another one', async () => {
    await runCommand('git', ['init', '--quiet'], { cwd: root });
    await writeFiles({ 'go.mod': '' });
    expect((await init()).stdout).not.toContain('repository');
  });
});

test('the server for static files works as the Dockerfile makes it', async () => {
  await writeFiles({ 'index.html': '<h1>Hello</h1>' });
  await init();
  const dockerfile = await read('Dockerfile');
  const command = /^RUN ([\s\S]*?server\.mjs)$/m.exec(dockerfile)?.[1];
  await runCommand('sh', ['-c', command!.replaceAll('\\\n', ' ')], { cwd: folder });
  const { exitCode, stderr } = await runCommand(process.execPath, ['--check', 'server.mjs'], { cwd: folder });
  expect(exitCode, stderr).toBe(0);
});

/** Runs `tandem init` with a package whose example is three small files. */
async function init(...argv: string[]) {
  const packageFolder = join(root, 'package');
  const example = join(packageFolder, 'examples', 'storefront');
  await mkdir(join(example, 'src'), { recursive: true });
  await mkdir(join(example, 'node_modules', 'left-out'), { recursive: true });
  await writeFile(join(packageFolder, 'package.json'), '{ "version": "1.0.0" }');
  await writeFile(join(example, 'package.json'), '{ "name": "storefront" }');
  await writeFile(join(example, 'src', 'server.js'), '// the storefront');
  await writeFile(join(example, 'tandem.config.ts'), `export default { application: 'storefront' };`);
  return runCli(['init', ...argv], { workingFolder: folder, packageFolder });
}

async function writeFiles(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}

function read(name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8');
}
