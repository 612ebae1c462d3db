import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../load-config.ts';
import { environmentConfig } from '../../model/config/environment.ts';
import { linesOf, runCli, type RunOptions } from '../testing/command-run.ts';
import type { Remark } from './remark.ts';
import { COPILOT_SHOP, writeWorkspace } from './testing/copilot-shop.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-copilot-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('init --from copilot', () => {
  test('writes a configuration that means what the manifests mean in production', async () => {
    await writeWorkspace(folder, COPILOT_SHOP);
    expect((await init()).exitCode).toBe(0);
    const config = await writtenConfig();
    expect(config).toMatchObject({
      application: 'shop',
      regions: ['eu-west-1'],
      pipeline: { branch: 'release', approval: { required: true } },
      service: {
        port: 3000,
        cpu: 1024,
        memoryMb: 2048,
        minimumCount: 2,
        maximumCount: 12,
        deregistrationDelaySeconds: 20,
        environment: { LOG_LEVEL: 'info', STAGE: 'prod' },
        healthCheck: {
          path: '/healthz',
          matcher: '200,301',
          healthyThreshold: 3,
          intervalSeconds: 15,
          timeoutSeconds: 10,
          gracePeriodSeconds: 90,
        },
      },
      scaling: { cpuPercent: 60, scaleInCooldownSeconds: 120, scaleOutCooldownSeconds: 30 },
      logs: { retentionDays: 14 },
      secrets: { DB_PASSWORD: {} },
      network: { firstBlock: 20 },
      domain: { name: 'shop.example.com', zoneId: 'Z0873220N255IR3MTNR4' },
      aws: { architecture: 'ARM64', spotPercent: 81 },
    });
  });

  test('writes overrides that make staging what Copilot’s test environment is', async () => {
    await writeWorkspace(folder, COPILOT_SHOP);
    await init();
    expect(environmentConfig(await writtenConfig(), 'staging').service).toMatchObject({
      cpu: 512,
      memoryMb: 1024,
      minimumCount: 1,
      maximumCount: 1,
      environment: { LOG_LEVEL: 'debug', STAGE: 'test', PREVIEW: 'yes' },
    });
    expect(environmentConfig(await writtenConfig(), 'production').service.environment).toEqual({
      LOG_LEVEL: 'info',
      STAGE: 'prod',
    });
  });

  test('writes a buildspec that builds the image as Copilot did', async () => {
    await writeWorkspace(folder, COPILOT_SHOP);
    await init();
    const { phases } = parse(await read('buildspec.yml')) as { phases: { build: { commands: string[] } } };
    expect(phases.build.commands[0]).toBe(
      'docker build --tag "$REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION" --file web/Dockerfile --target runtime --build-arg CHANNEL=stable .',
    );
  });

  test('shows every key with its place, and what to do about those that changed or are left', async () => {
    await writeWorkspace(folder, COPILOT_SHOP);
    const { stdout, stderr } = await init();
    const lines = linesOf(stdout);
    expect(lines[0]).toBe('web becomes the application shop, test becomes staging, prod becomes production');
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}copilot\/web\/manifest\.yml:26 +cpu +-> service\.cpu$/),
    );
    expect(stdout).toContain(
      '  copilot/web/manifest.yml:63  environments.prod.count.range.spot_from -> aws.spotPercent\n' +
        '      Spot from task 4 on became 81 in a hundred of all tasks but the first\n',
    );
    expect(stdout).toContain('  copilot/web/manifest.yml:46  sidecars\n      a task runs one container');
    expect(stdout).toContain('  copilot/mailer/manifest.yml:2\n      a Worker Service; ');
    expect(stdout).toContain(
      '  copilot/web/addons/orders.yml:4  Orders\n      AWS::DynamoDB::Table holds data',
    );
    expect(lines.slice(-3)).toEqual([
      'wrote  tandem.config.ts',
      'wrote  buildspec.yml',
      'made   a Git repository, branch main',
    ]);
    expect(stderr).toContain('The manifests tell of eu-west-1; another entry in `regions`');
    expect(stderr).toContain('  tandem up --detach\n  tandem push\n');
  });

  test('passes over no key of any manifest in silence', async () => {
    await writeWorkspace(folder, COPILOT_SHOP);
    const { remarks } = JSON.parse((await init('--json')).stdout) as { remarks: Remark[] };
    const about = remarks.filter(({ file }) => file === 'copilot/web/manifest.yml').map(({ key }) => key);
    const keys = leafKeys(parse(COPILOT_SHOP['copilot/web/manifest.yml']!));
    expect(keys.filter(key => !about.some(other => key === other || key.startsWith(`${other}.`)))).toEqual(
      [],
    );
  });
});

describe('a workspace with several services', () => {
  const two = {
    ...COPILOT_SHOP,
    'copilot/admin/manifest.yml':
      'name: admin\ntype: Request-Driven Web Service\nimage:\n  build: admin/Dockerfile\n  port: 80\ncpu: 1024\nmemory: 2048\n',
    'admin/Dockerfile': 'FROM scratch\n',
  };

  test('is asked which is meant', async () => {
    await writeWorkspace(folder, two);
    const { exitCode, stderr } = await init();
    expect(stderr).toMatch(
      /^error\[COPILOT_SERVICE_AMBIGUOUS\]: .*there are 2: admin, web; say which with --service\n/,
    );
    expect(exitCode).toBe(2);
  });

  test('becomes as many applications, side by side', async () => {
    await writeWorkspace(folder, two);
    expect((await init('--service', 'web')).exitCode).toBe(0);
    const { exitCode, stderr } = await init(
      '--service',
      'admin',
      '--config',
      join(folder, 'tandem.admin.config.ts'),
    );
    expect(exitCode).toBe(0);
    expect(stderr).toContain('  tandem up --config tandem.admin.config.ts --detach\n');
    expect((await writtenConfig()).application).toBe('shop-web');
    const admin = await loadConfig(join(folder, 'tandem.admin.config.ts'));
    expect(admin).toMatchObject({ application: 'shop-admin', build: { buildspec: 'buildspec.admin.yml' } });
    expect(await read('buildspec.admin.yml')).toContain(' admin\n');
  });

  test('refuses one that nobody outside can reach, and says which can', async () => {
    await writeWorkspace(folder, two);
    expect((await init('--service', 'mailer')).stderr).toBe(
      'error[COPILOT_SERVICE_MISSING]: mailer is no service that answers requests from the internet; these are: admin, web\n',
    );
  });
});

describe('files that are there', () => {
  test('are not replaced where nobody can be asked', async () => {
    await writeWorkspace(folder, COPILOT_SHOP);
    await writeFile(join(folder, 'tandem.config.ts'), 'mine');
    const { exitCode, stderr } = await init();
    expect(stderr).toMatch(/^error\[CONFIRMATION_MISSING\]: tandem\.config\.ts would be replaced/);
    expect(exitCode).toBe(2);
    expect(await read('tandem.config.ts')).toBe('mine');
    await expect(read('buildspec.yml')).rejects.toThrow('ENOENT');
  });

  test('are replaced by a yes, and by --yes, and not by a no', async () => {
    await writeWorkspace(folder, COPILOT_SHOP);
    await writeFile(join(folder, 'tandem.config.ts'), 'mine');
    expect((await runIn(['init', '--from', 'copilot'], { isTerminal: true, answers: ['n'] })).exitCode).toBe(
      1,
    );
    expect(await read('tandem.config.ts')).toBe('mine');
    expect((await runIn(['init', '--from', 'copilot'], { isTerminal: true, answers: ['y'] })).exitCode).toBe(
      0,
    );
    expect((await writtenConfig()).application).toBe('shop');
    await writeFile(join(folder, 'tandem.config.ts'), 'mine');
    expect((await init('--yes')).exitCode).toBe(0);
    expect((await writtenConfig()).application).toBe('shop');
  });

  test('stay when they say the same already', async () => {
    await writeWorkspace(folder, COPILOT_SHOP);
    await init();
    const { exitCode, stdout } = await init();
    expect(linesOf(stdout).slice(-2)).toEqual(['kept   tandem.config.ts', 'kept   buildspec.yml']);
    expect(exitCode).toBe(0);
  });

  test('such as a buildspec of one’s own stay, and another name is used', async () => {
    await writeWorkspace(folder, { ...COPILOT_SHOP, 'buildspec.yml': 'version: 0.2\n' });
    await init();
    expect(await read('buildspec.yml')).toBe('version: 0.2\n');
    expect((await writtenConfig()).build.buildspec).toBe('buildspec.web.yml');
    expect(await read('buildspec.web.yml')).toContain('docker build');
  });
});

describe('a workspace that cannot be read', () => {
  test('is told with every file, line and mend, and nothing is written', async () => {
    await writeWorkspace(folder, {
      ...COPILOT_SHOP,
      'copilot/report/manifest.yml': 'name: report\ntype: Scheduled Job\non:\n  schedule: @daily\n',
      'copilot/mailer/manifest.yml': 'name: mailer\ntype: Worker Service\nname: again\n',
    });
    const { exitCode, stderr } = await init();
    expect(stderr).toMatch(/^error\[COPILOT_MANIFEST_INVALID\]: 2 faults, so nothing was done\n/);
    expect(stderr).toMatch(/\n {2}copilot\/mailer\/manifest\.yml:3: .*; write the key once\n/);
    expect(stderr).toMatch(/\n {2}copilot\/report\/manifest\.yml:4: .*; put the value in quotes\n/);
    expect(exitCode).toBe(2);
    await expect(read('tandem.config.ts')).rejects.toThrow('ENOENT');
  });

  test.each([
    ['a list', '- name: web\n', 1],
    ['a tab', 'name: web\nhttp:\n\tpath: /\n', 3],
    ['two documents', 'name: web\n---\nname: again\n', 2],
    ['too many aliases', `a: &a [x, x]\n${manyAliases()}`, 1],
  ])('as %s', async (_, text, line) => {
    await writeWorkspace(folder, { ...COPILOT_SHOP, 'copilot/web/manifest.yml': text });
    expect((await init()).stderr).toContain(`\n  copilot/web/manifest.yml:${line}: `);
  });

  test('or is not there', async () => {
    expect((await init()).stderr).toBe(
      `error[COPILOT_WORKSPACE_MISSING]: ${join(folder, 'copilot')} is no folder: run this in the folder that holds \`copilot/\`, or name that folder\n`,
    );
  });
});

test('an image that Copilot ran as it was becomes a Dockerfile', async () => {
  await writeWorkspace(folder, {
    'copilot/web/manifest.yml':
      'name: web\ntype: Load Balanced Web Service\nimage:\n  location: public.ecr.aws/nginx/nginx:1\n  port: 80\nhttp:\n  path: /\n',
  });
  const { stdout } = await init();
  expect(stdout).toContain('wrote  Dockerfile\n');
  expect(await read('Dockerfile')).toBe('FROM public.ecr.aws/nginx/nginx:1\n');
  expect((await writtenConfig()).service.healthCheck.path).toBe('/');
});

test('--service without --from is a slip', async () => {
  expect((await runIn(['init', '--service', 'web'])).exitCode).toBe(2);
});

function init(...argv: string[]) {
  return runIn(['init', '--from', 'copilot', ...argv]);
}

function runIn(argv: string[], options: RunOptions = {}) {
  return runCli(argv, { workingFolder: folder, ...options });
}

function writtenConfig() {
  return loadConfig(join(folder, 'tandem.config.ts'));
}

function read(name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8');
}

/** Scalars by their paths, and empty containers. */
function leafKeys(value: unknown, path: string[] = []): string[] {
  if (typeof value !== 'object' || value === null) return [path.join('.')];
  return Object.entries(value).flatMap(([key, entry]) => leafKeys(entry, [...path, key]));
}

/** YAML that grows to millions of values when it is read without a limit. */
function manyAliases(): string {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  return names
    .slice(1)
    .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${names[index]}`).join(', ')}]\n`)
    .join('');
}
