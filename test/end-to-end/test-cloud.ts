import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ConfigInput } from '../../src/model/config/schema.ts';
import { sendSignal } from '../../src/platform/process.ts';
import { daemonsUnder } from '../../src/platform/process-table.ts';

export const TANDEM = resolve(import.meta.dirname, '../../bin/tandem.js');
const APPLICATION = resolve(import.meta.dirname, 'application');

/** What the application does wrong, from its first commit on or in a later one. */
export type Behaviour =
  | 'good'
  | 'fails-its-test'
  | 'hangs'
  | 'exits-at-once'
  | 'never-healthy'
  | 'sickens'
  | 'ignores-sigterm'
  | 'leaks';

export interface Output {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface StatusJson {
  regions: {
    region: string;
    endpoint: string;
    health: string;
    services: Record<
      'staging' | 'production',
      { url: string; release: string | null; running: number; desired: number }
    >;
    execution: { id: string; status: string; stage: string; cause?: string } | null;
  }[];
}

/** A real local cloud, made by the command line from a copy of the test application, in a folder of its own. */
export class TestCloud {
  readonly folder: string;
  readonly dataDir: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.dataDir = join(folder, '.tandem');
  }

  /** An application folder with one commit, and nothing running. */
  static async prepare(config: Partial<ConfigInput> = {}): Promise<TestCloud> {
    const cloud = new TestCloud(await mkdtemp(join(tmpdir(), 'tandem-test-')));
    await cp(APPLICATION, cloud.folder, { recursive: true });
    const settings: ConfigInput = {
      application: 'shop',
      deployment: { bakeTimeMinutes: 1 },
      service: { stopTimeoutSeconds: 20 },
      ...config,
    };
    await writeFile(
      join(cloud.folder, 'tandem.config.ts'),
      `import { defineConfig } from 'tandem';\n\nexport default defineConfig(${JSON.stringify(settings, null, 2)});\n`,
    );
    await writeFile(join(cloud.folder, '.gitignore'), '.tandem/\n');
    await cloud.git('init', '--quiet', '--initial-branch=main');
    await cloud.commit('First');
    return cloud;
  }

  static async up(config: Partial<ConfigInput> = {}, ...argv: string[]): Promise<TestCloud> {
    const cloud = await TestCloud.prepare(config);
    const output = await cloud.tandem('up', '--detach', '--port-base', '0', ...argv);
    if (output.exitCode !== 0) throw new Error(`tandem up failed: ${output.stdout}${output.stderr}`);
    return cloud;
  }

  /** Runs the real command in the application's folder, without a terminal. */
  tandem(...argv: string[]): Promise<Output> {
    return run(process.execPath, [TANDEM, ...argv], this.folder);
  }

  async status(): Promise<StatusJson> {
    const { stdout } = await this.tandem('status', '--json');
    return JSON.parse(stdout) as StatusJson;
  }

  async git(...argv: string[]): Promise<string> {
    const output = await run('git', argv, this.folder);
    if (output.exitCode !== 0) throw new Error(`git ${argv.join(' ')}: ${output.stderr}`);
    return output.stdout.trim();
  }

  /** Commits everything in the folder, with `behaviour` for the application, and gives the commit's id. */
  async commit(subject: string, behaviour: Behaviour = 'good'): Promise<string> {
    await writeFile(
      join(this.folder, 'behaviour.mjs'),
      `export const behaviour = '${behaviour}';\n// ${subject}\n`,
    );
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--message', subject);
    return this.git('rev-parse', 'HEAD');
  }

  /** Commits and pushes, and waits until every region's execution has ended or waits for a person. */
  async deliver(subject: string, behaviour: Behaviour = 'good'): Promise<{ commit: string; push: Output }> {
    const commit = await this.commit(subject, behaviour);
    return { commit, push: await this.tandem('push') };
  }

  /** Living processes of this cloud: supervisor, regions, balancers, tasks, builds. */
  processes(): { pid: number; title: string }[] {
    return daemonsUnder(this.dataDir);
  }

  async supervisorLog(): Promise<string> {
    return readFile(join(this.dataDir, 'supervisor.log'), 'utf8').catch(() => '');
  }

  /** Ends everything and removes the folder, whatever state the test left. */
  async dispose(): Promise<void> {
    await this.tandem('destroy', '--yes');
    for (const { pid } of this.processes()) sendSignal(pid, 'SIGKILL');
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export function run(
  program: string,
  argv: readonly string[],
  cwd: string,
  env = testEnvironment(),
): Promise<Output> {
  return new Promise((done, reject) => {
    const child = spawn(program, argv, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', code => done({ exitCode: code ?? -1, stdout, stderr }));
  });
}

/** Git needs somebody to be, whatever the machine's own settings are. */
export function testEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    GIT_AUTHOR_NAME: 'Ann',
    GIT_AUTHOR_EMAIL: 'ann@example.com',
    GIT_COMMITTER_NAME: 'Ann',
    GIT_COMMITTER_EMAIL: 'ann@example.com',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  };
}
