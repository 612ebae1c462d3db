/**
 * Clones and pushes of a moderately big repository: Tandem's repository service beside plain `git http-backend`
 * behind a minimal CGI server, in one run on one machine, taking turns. `npx node bench/git.ts [rounds]`.
 *
 * `alike` gives http-backend the same promises (objects checked, everything synced to disk); `default` is git as it
 * comes, which syncs less and checks nothing.
 */
import { execFile, fork, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createRepository } from '../src/local/repository/repository.ts';
import { testContext } from '../src/local/testing/context.ts';

const run = promisify(execFile);
const environment = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};
const SAME_PROMISES = { 'core.fsync': 'all', 'receive.fsckObjects': 'true', 'receive.unpackLimit': '1' };

interface Contest {
  source: string;
  work: string;
  url: string;
}

const STEPS: [string, (contest: Contest) => Promise<unknown>][] = [
  ['push of 50 MB', ({ source, url }) => git(source, 'push', '--quiet', url, 'main')],
  ['clone of 50 MB', ({ work, url }) => git(work, 'clone', '--quiet', '--no-checkout', url, 'clone')],
  [
    'push of one commit',
    async ({ work, url }) => {
      await git(join(work, 'clone'), 'commit', '--quiet', '--allow-empty', '--message=small');
      await git(join(work, 'clone'), 'push', '--quiet', url, 'HEAD:refs/heads/main');
    },
  ],
  [
    '20 pushes at once',
    ({ work, url }) =>
      Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          git(join(work, 'clone'), 'push', '--quiet', url, `HEAD:refs/heads/branch-${index}`),
        ),
      ),
  ],
  ['ls-remote', ({ work, url }) => git(work, 'ls-remote', url)],
];

/** By name, how each serves a fresh, empty repository in a folder; resolves to its URL. */
const CONTENDERS: Record<string, (folder: string) => Promise<string>> = {
  tandem: openTandem,
  'http-backend, alike': path => openHttpBackend(path, SAME_PROMISES),
  'http-backend, default': path => openHttpBackend(path, {}),
};

if (process.send) {
  const [name = '', path = ''] = process.argv.slice(2);
  process.send(await CONTENDERS[name]!(path));
} else await compare();

async function compare(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 7);
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-git-'));
  try {
    const source = await makeSource(folder);
    const times = new Map<string, Map<string, number[]>>();
    for (let round = 0; round < rounds; round += 1) await playRound(round, { folder, source, times });
    print(rounds, times);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function playRound(
  round: number,
  { folder, source, times }: { folder: string; source: string; times: Map<string, Map<string, number[]>> },
): Promise<void> {
  const names = Object.keys(CONTENDERS);
  const contests = await Promise.all(
    names.map(async (_, index) => {
      const name = names[(index + round) % names.length]!;
      const work = join(folder, `${name.replaceAll(/\W/g, '-')}-${round}`);
      mkdirSync(work);
      return { name, work, ...(await serve(name, work)) };
    }),
  );
  for (const [step, action] of STEPS) {
    for (const { name, work, url } of contests) {
      const start = performance.now();
      await action({ source, work, url });
      const byContender = times.get(step) ?? new Map<string, number[]>();
      byContender.set(name, [...(byContender.get(name) ?? []), performance.now() - start]);
      times.set(step, byContender);
    }
  }
  for (const { work, server } of contests) {
    server.kill();
    await once(server, 'exit');
    rmSync(work, { recursive: true, force: true });
  }
}

/** In a session of its own, as a daemon is: Linux shares the processor out by session. */
async function serve(name: string, work: string): Promise<{ url: string; server: ChildProcess }> {
  const server = fork(import.meta.filename, [name, work], { detached: true });
  const [url] = (await once(server, 'message')) as [string];
  return { url, server };
}

/** 160 files of 256 KiB that do not compress, 3,000 small ones, 60 commits. */
async function makeSource(folder: string): Promise<string> {
  const source = join(folder, 'source');
  mkdirSync(join(source, 'big'), { recursive: true });
  await git(source, 'init', '--quiet', '--initial-branch=main');
  for (let file = 0; file < 160; file += 1)
    writeFileSync(join(source, 'big', `${file}`), randomBytes(262_144));
  for (let file = 0; file < 3_000; file += 1) {
    mkdirSync(join(source, `small-${file % 50}`), { recursive: true });
    writeFileSync(join(source, `small-${file % 50}`, `${file}`), randomBytes(1_500).toString('hex'));
  }
  await git(source, 'add', '.');
  await git(source, 'commit', '--quiet', '--message=all');
  for (let commit = 0; commit < 60; commit += 1) {
    writeFileSync(join(source, `small-${commit % 50}`, 'changing'), randomBytes(500).toString('hex'));
    await git(source, 'add', '.');
    await git(source, 'commit', '--quiet', `--message=${commit}`);
  }
  await git(source, 'repack', '-adq');
  return source;
}

async function openTandem(path: string): Promise<string> {
  const server = createServer((request, response) => repository.handle(request, response));
  const endpoint = await listen(server);
  const context = testContext(path, { endpoint });
  const repository = createRepository(context);
  repository.onRefChange(change => [`execution started for ${change.ref}`]);
  await repository.start();
  process.on('SIGTERM', () => void repository.stop().then(() => process.exit()));
  return `${endpoint}/git/storefront.git`;
}

async function openHttpBackend(path: string, settings: Record<string, string>): Promise<string> {
  const bare = join(path, 'storefront.git');
  await git(path, 'init', '--quiet', '--bare', '--initial-branch=main', bare);
  for (const [key, value] of Object.entries({ 'http.receivepack': 'true', 'gc.auto': '0', ...settings })) {
    await git(bare, 'config', key, value);
  }
  const server = createServer((request, response) => serveCgi(path, request, response));
  return `${await listen(server)}/storefront.git`;
}

function serveCgi(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...environment,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'],
      CONTENT_LENGTH: request.headers['content-length'],
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      GIT_PROTOCOL: request.headers['git-protocol'] as string | undefined,
    },
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => request.resume());
  let head = Buffer.alloc(0);
  const onData = (bytes: Buffer) => {
    head = Buffer.concat([head, bytes]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return;
    child.stdout.off('data', onData);
    for (const line of head.toString('latin1', 0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(/: (.*)/);
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.write(head.subarray(end + 4));
    child.stdout.pipe(response);
  };
  child.stdout.on('data', onData);
}

async function git(cwd: string, ...argv: string[]): Promise<void> {
  await run('git', argv, { cwd, env: environment, maxBuffer: 1e8 });
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function print(rounds: number, times: Map<string, Map<string, number[]>>): void {
  console.log(
    `median of ${rounds} rounds; in brackets: Tandem's time as a share of the other's (below 1: Tandem is faster)\n`,
  );
  for (const [step, byContender] of times) {
    const own = median(byContender.get('tandem')!);
    const cells = [...byContender].map(([name, values]) => {
      const ms = median(values);
      const ratio = name === 'tandem' ? '' : ` (${(own / ms).toFixed(2)})`;
      return `${name} ${ms.toFixed(0)} ms${ratio}`;
    });
    console.log(`${step.padEnd(20)} ${cells.join('   ')}`);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)]!;
}
