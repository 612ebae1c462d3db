/*
 * The example by hand with a container engine: `podman build`, `podman push` to Debian's docker-registry, `podman run`.
 * No image can be assumed to be had, so the base image is made of this machine's own Node.js, npm and shell.
 */
import { cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { existsSync, realpathSync } from 'node:fs';
import { freePort } from '../src/platform/network.ts';
import { findProgram, runCommand } from '../src/platform/process.ts';
import { installAndTest, type ByHand, type Row } from './by-hand.ts';
import { answers, startDockerRegistry, type DockerRegistry } from './docker-registry.ts';
import { timed, type ExampleCloud } from './example-cloud.ts';

const BASE_IMAGE = 'public.ecr.aws/docker/library/node:24-alpine';

const SETTINGS = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`;

export class PodmanByHand implements ByHand {
  readonly name = 'podman';
  readonly #cloud: ExampleCloud;
  readonly #folder: string;
  readonly #registry: DockerRegistry;

  private constructor(cloud: ExampleCloud, folder: string, registry: DockerRegistry) {
    this.#cloud = cloud;
    this.#folder = folder;
    this.#registry = registry;
  }

  /** `undefined` where podman, runc or docker-registry is not installed. */
  static async prepare(cloud: ExampleCloud, folder: string): Promise<PodmanByHand | undefined> {
    if (['podman', 'runc', 'docker-registry'].some(name => findProgram(name) === undefined)) return undefined;
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'containers.conf'), SETTINGS);
    const podman = new PodmanByHand(cloud, folder, await startDockerRegistry(folder));
    await podman.#importBaseImage();
    return podman;
  }

  async build(): Promise<Row[]> {
    const commit = (await run('git', ['rev-parse', 'HEAD'], this.#cloud.folder)).trim();
    const image = this.#image(commit);
    const npm = ['.npmrc', '.npm'].filter(name => existsSync(join(homedir(), name)));
    const mounts = npm.map(name => `--volume=${join(homedir(), name)}:/root/${name}`);
    const tags = ['--build-arg', `RELEASE=${commit}`, '--tag', image, '--tag', this.#image('latest')];
    const rows: Row[] = [
      ...(await installAndTest(this.#cloud)),
      [
        'podman build',
        await timed(() =>
          this.#podman('build', '--quiet', '--format=docker', '--network=host', ...mounts, ...tags, '.'),
        ),
      ],
      ['podman push, two tags', await timed(() => this.#push(image, this.#image('latest')))],
    ];
    await rm(join(this.#cloud.folder, 'node_modules'), { recursive: true, force: true });
    return rows;
  }

  async start(): Promise<Row> {
    const ms = await timed(() => Promise.all([1, 2, 3, 4].map(() => this.#startServer())));
    await this.#podman('rm', '--all', '--force', '--time=0');
    return ['4 of podman run at once, until all answer', ms];
  }

  async dispose(): Promise<void> {
    this.#registry.stop();
    // `podman system reset` would take the user's own networks with it.
    await this.#podman('rm', '--all', '--force', '--time=0');
    await run('umount', [join(this.#folder, 'store', 'overlay')], '/').catch(() => undefined);
  }

  #image(tag: string): string {
    return `${this.#registry.host}/storefront:${tag}`;
  }

  async #push(...images: string[]): Promise<void> {
    for (const image of images) await this.#podman('push', '--quiet', '--tls-verify=false', image);
  }

  async #startServer(): Promise<void> {
    const port = await freePort('127.0.0.1');
    await this.#podman('run', '--detach', '--network=host', `--env=PORT=${port}`, this.#image('latest'));
    await answers(`http://127.0.0.1:${port}/health`);
  }

  #podman(...argv: string[]): Promise<string> {
    const folders = ['store', 'run', 'tmp'].map(name => join(this.#folder, name));
    const own = [`--root=${folders[0]}`, `--runroot=${folders[1]}`, `--tmpdir=${folders[2]}`];
    return run('podman', [...own, ...argv], this.#cloud.folder, {
      CONTAINERS_CONF: join(this.#folder, 'containers.conf'),
    });
  }

  async #importBaseImage(): Promise<void> {
    const root = join(this.#folder, 'base');
    const npm = dirname(dirname(realpathSync(findProgram('npm')!)));
    await place(root, process.execPath, 'usr/local/bin/node');
    await place(root, '/bin/sh', 'bin/sh');
    await place(root, '/usr/bin/env', 'usr/bin/env');
    await place(root, npm, 'usr/local/lib/node_modules/npm');
    await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
    for (const library of await sharedLibraries(process.execPath, '/bin/sh', '/usr/bin/env'))
      await place(root, library, library);
    await mkdir(join(root, 'tmp'));
    await mkdir(join(root, 'etc'));
    await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
    const archive = join(this.#folder, 'base.tar');
    await run('tar', ['-C', root, '-cf', archive, ...(await readdir(root))], this.#folder);
    await this.#podman(
      'import',
      '--quiet',
      '--change=ENV PATH=/usr/local/bin:/usr/bin:/bin',
      archive,
      BASE_IMAGE,
    );
    await rm(root, { recursive: true });
    await rm(archive);
  }
}

async function place(root: string, from: string, to: string): Promise<void> {
  const path = join(root, to);
  await mkdir(dirname(path), { recursive: true });
  await cp(from, path, { recursive: true, dereference: true });
}

/** What the dynamic loader would load, and what it needs to look names up. */
async function sharedLibraries(...programs: string[]): Promise<Set<string>> {
  const listed = (await run('ldd', programs, '/')).match(/\/\S+\.so\S*/g) ?? [];
  const folder = dirname(listed.find(path => basename(path).startsWith('libc.so'))!);
  const lookups = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'].map(name => join(folder, name));
  return new Set([...listed, ...lookups.filter(path => existsSync(path))]);
}

async function run(
  program: string,
  argv: readonly string[],
  cwd: string,
  variables: Record<string, string> = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(program, argv, {
    cwd,
    env: { ...process.env, ...variables },
  });
  if (exitCode !== 0) throw new Error(`${program} ${argv.join(' ')}: ${stderr}`);
  return stdout;
}
