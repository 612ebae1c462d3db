import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TandemError } from '../../core/error.ts';
import { runCommand } from '../../platform/process.ts';
import { systemGit, type Git } from '../git.ts';
import type { LocalLifecycle, RunningCloud, UpRequest } from '../../model/local-lifecycle.ts';
import { cloudDouble, type CloudDouble } from '../testing/cloud-double.ts';
import { linesOf, runCli, type RunOptions } from '../testing/command-run.ts';
import { executionOf } from '../testing/fixtures.ts';

let folder: string;
let cloud: CloudDouble;
let requests: UpRequest[];
let stops: boolean[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-up-'));
  await writeFile(join(folder, 'tandem.config.ts'), `export default { application: 'storefront' };`);
  cloud = cloudDouble();
  [requests, stops] = [[], []];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('up --detach', () => {
  test('shows the regions coming up, then where everything is', async () => {
    const { exitCode, stdout, stderr } = await up(['--detach']);
    expect(linesOf(stdout)).toEqual([
      'us-east-1  production  http://127.0.1.1:8001',
      '           staging     http://127.0.1.1:8002',
      '           git         http://127.0.1.1:8000/git/storefront.git',
      'us-west-2  production  http://127.0.1.1:8001',
      '           staging     http://127.0.1.1:8002',
      '           git         http://127.0.1.1:8000/git/storefront.git',
    ]);
    expect(stderr).toContain('us-east-1  starting\nus-east-1  ready\n');
    expect(requests).toMatchObject([
      {
        timing: 'fast',
        mode: 'detached',
        dataDir: join(folder, '.tandem'),
        config: { service: { port: 8080 } },
      },
    ]);
    expect(exitCode).toBe(0);
  });

  test('keeps the data folder out of the application’s commits', async () => {
    await up(['--detach']);
    expect(await readFile(join(folder, '.tandem', '.gitignore'), 'utf8')).toBe('*\n');
  });

  test('says what it does otherwise than AWS will', async () => {
    await writeFile(
      join(folder, 'tandem.config.ts'),
      `export default {
        application: 'storefront',
        deployment: { strategy: 'canary', gate: { required: true } },
        environments: { staging: { deployment: { strategy: 'rolling' } } },
        migration: { command: ['node', 'migrate.js'] },
        pipeline: { source: { provider: 'github', repository: 'acme/storefront' } },
      };`,
    );
    const { stderr } = await up(['--detach']);
    expect(linesOf(stderr).filter(line => line.startsWith('note: '))).toEqual([
      'note: production is deployed to as rolling here, and as canary on AWS',
      'note: the question in the middle of a deployment to production is asked on AWS only',
      'note: the migration is run on AWS only',
      'note: commits come by git push here, and from github on AWS',
    ]);
  });

  test('hands its options on', async () => {
    await up(['--detach', '--port-base', '0', '--timing', 'aws', '--data-dir', 'elsewhere']);
    expect(requests).toMatchObject([{ portBase: 0, timing: 'aws', dataDir: join(folder, 'elsewhere') }]);
  });

  test('a region that did not come up is told, and fails the command, while the others run', async () => {
    const error = new TandemError('REGION_START_FAILED', 'its disk is full');
    const { exitCode, stdout, stderr } = await up(['--detach'], {
      failures: [{ region: 'us-west-2', error }],
    });
    expect(stdout).toContain('us-east-1');
    expect(stderr).toContain('error[REGION_START_FAILED]: us-west-2: its disk is full\n');
    expect(exitCode).toBe(1);
  });

  test('an invalid file creates nothing', async () => {
    await writeFile(
      join(folder, 'tandem.config.ts'),
      `export default { application: 'storefront', cpu: 1 };`,
    );
    const { exitCode, stderr } = await up(['--detach']);
    expect(stderr).toContain('did you mean service.cpu?');
    expect(exitCode).toBe(2);
    expect(requests).toEqual([]);
    expect(await readdir(folder)).toEqual(['tandem.config.ts']);
  });

  test('coming up in vain leaves no folder behind', async () => {
    const { exitCode } = await up(['--detach'], {}, async () => {
      throw new TandemError('PORT_TAKEN', 'port 8000 is taken');
    });
    expect(exitCode).toBe(1);
    expect(await readdir(folder)).toEqual(['tandem.config.ts']);
  });
});

describe('the Git remote', () => {
  const gitUrl = 'http://127.0.1.1:8000/git/storefront.git';

  test('is set up, and follows when the address changes', async () => {
    await git('init', '--quiet');
    expect((await up(['--detach'])).stderr).toContain(`now is ${gitUrl}`);
    expect(await git('remote', 'get-url', 'tandem')).toBe(gitUrl);
    await git('remote', 'set-url', 'tandem', 'http://127.0.1.1:9999/git/storefront.git');
    expect((await up(['--detach'])).stderr).toContain(`now points to ${gitUrl}`);
    expect(await git('remote', 'get-url', 'tandem')).toBe(gitUrl);
  });

  test('of somebody else is left alone', async () => {
    await git('init', '--quiet');
    await git('remote', 'add', 'tandem', 'git@example.com:tandem.git');
    const { stderr } = await up(['--detach']);
    expect(stderr).toContain(`push with: git push ${gitUrl} main`);
    expect(await git('remote', 'get-url', 'tandem')).toBe('git@example.com:tandem.git');
  });

  test('is never put into a repository that the application only lies in', async () => {
    await git('init', '--quiet');
    const inner = join(folder, 'inner');
    await mkdir(inner);
    await writeFile(join(inner, 'tandem.config.ts'), `export default { application: 'storefront' };`);
    const { stderr } = await up(['--detach', '--config', 'inner/tandem.config.ts']);
    expect(stderr).toContain('is not a Git repository of its own yet');
    expect(await git('remote')).toBe('');
  });
});

describe('up --example', () => {
  test('makes the example, brings it up, pushes it, and says what to do once it waits for approval', async () => {
    const { exitCode, stdout, stderr } = await upExample();
    const example = join(folder, 'tandem-example');
    expect(requests).toMatchObject([
      { configPath: join(example, 'tandem.config.ts'), dataDir: join(example, '.tandem') },
    ]);
    expect(stdout).toMatch(/us-east-1 {2}waiting {6}#1 \w{7} Open the storefront/);
    expect(stderr).toContain('  cd tandem-example\n  npx tandem approve ');
    expect(exitCode).toBe(0);
    const { stdout: uncommitted } = await runCommand('git', ['status', '--porcelain'], { cwd: example });
    expect(uncommitted).toBe('');
    expect(await readdir(folder)).not.toContain('tandem-example.partial');
  });

  test('says the data folder in every command that it tells, where it is not the usual one', async () => {
    const { stderr } = await upExample('--data-dir', join(folder, 'elsewhere'));
    expect(stderr).toContain(
      `  npx tandem approve --data-dir ${folder}/elsewhere    lets it into production`,
    );
    expect(stderr).toContain(`  npx tandem events --data-dir ${folder}/elsewhere -f  what happens\n`);
  });

  async function upExample(...argv: string[]) {
    const bare = join(folder, 'east.git');
    await git('init', '--quiet', '--bare', bare);
    cloud.east.statusOverrides = { gitUrl: bare };
    const gitThatTells: Git = async (gitArgv, options) => {
      const result = await systemGit(gitArgv, options);
      if (gitArgv.includes('push')) await startEverywhere(bare);
      return result;
    };
    return up(['--example', '--detach', ...argv], {}, undefined, { cloud, git: gitThatTells });
  }

  async function startEverywhere(bare: string): Promise<void> {
    const { stdout } = await runCommand('git', ['rev-parse', 'main'], { cwd: bare });
    for (const region of [cloud.east, cloud.west]) {
      const execution = executionOf({ region: region.name });
      const commit = { ...execution.commit, id: stdout.trim(), subject: 'Open the storefront' };
      region.held = [{ ...execution, commit }];
    }
  }
});

describe('up in the foreground', () => {
  test('shows what happens until Ctrl-C, which stops it cleanly', async () => {
    const { exitCode, stdout, stderr } = await upUntil(/task 1 is healthy/, 1, () =>
      cloud.west.tell('task 1 is healthy'),
    );
    expect(stdout).toContain('us-west-2 pipeline task 1 is healthy\n');
    expect(stderr).toContain('stopping; Ctrl-C again to force it\n');
    expect(stops).toEqual([false]);
    expect(exitCode).toBe(0);
  });

  test('a second Ctrl-C forces it', async () => {
    const { exitCode } = await upUntil(/Ctrl-C stops it/, 2);
    expect(stops).toEqual([false, true]);
    expect(exitCode).toBe(1);
  });

  test('ends by itself when it is stopped from elsewhere', async () => {
    const inventory = async () => ({ application: 'storefront', processes: [], bytes: 1 });
    const { exitCode, stderr } = await up([], { closed: Promise.resolve('ended' as const) }, undefined, {
      local: { inventory },
    });
    expect(stderr).toContain('stopped; `tandem up` carries on from here\n');
    expect(exitCode).toBe(0);
  });

  test('a supervisor that dies while the regions go on is no clean end', async () => {
    const processes = [{ pid: 1, title: 'region' }];
    const inventory = async () => ({ application: 'storefront', processes, bytes: 1 });
    const { exitCode, stderr } = await up([], { closed: Promise.resolve('ended' as const) }, undefined, {
      local: { inventory },
    });
    expect(stderr).toContain('error[SUPERVISOR_GONE]');
    expect(exitCode).toBe(1);
  });

  test('Ctrl-C before it is up gives up', async () => {
    const { exitCode, stderr } = await up(
      [],
      {},
      request =>
        new Promise((_resolve, reject) => {
          request.signal.addEventListener('abort', () => reject(request.signal.reason as Error));
        }),
      {
        onInterrupt: listener => {
          queueMicrotask(listener);
          return () => undefined;
        },
      },
    );
    expect(stderr).toContain('error[UP_INTERRUPTED]');
    expect(exitCode).toBe(1);
  });
});

/** Runs `tandem up` against a lifecycle double that succeeds at once unless told otherwise. */
function up(
  options: string[],
  overrides: Partial<RunningCloud> = {},
  start?: LocalLifecycle['up'],
  more: RunOptions = {},
) {
  return runCli(['up', ...options], {
    workingFolder: folder,
    ...more,
    local: {
      async up(request) {
        requests.push(request);
        if (start) return start(request);
        for (const region of cloud.regions()) {
          request.onProgress({ region, message: 'starting' });
          request.onProgress({ region, message: 'ready' });
        }
        return {
          cloud,
          failures: [],
          closed: new Promise(() => undefined),
          stop: async () => undefined,
          ...overrides,
        };
      },
      ...more.local,
    },
  });
}

/** Runs `tandem up` in the foreground, and presses Ctrl-C so many times once the output matches. */
function upUntil(output: RegExp, presses: number, onUp: () => void = () => undefined) {
  const closed = Promise.withResolvers<'ended'>();
  const stop = async ({ force }: { force: boolean }) => {
    stops.push(force);
    if (stops.length === presses) closed.resolve('ended');
    await closed.promise;
  };
  const listeners: (() => void)[] = [];
  let isPressed = false;
  return up([], { closed: closed.promise, stop }, undefined, {
    onInterrupt: listener => {
      listeners.push(listener);
      return () => listeners.splice(listeners.indexOf(listener), 1);
    },
    onWrite(text, all) {
      if (text.includes('Ctrl-C stops it')) queueMicrotask(onUp);
      if (isPressed || !output.test(all)) return;
      isPressed = true;
      // After the write has returned, as a signal would come.
      setTimeout(() => {
        for (let press = 0; press < presses; press++) listeners.at(-1)?.();
      }, 0);
    },
  });
}

async function git(...argv: string[]): Promise<string> {
  const { stdout } = await runCommand('git', argv, { cwd: folder });
  return stdout.trim();
}
