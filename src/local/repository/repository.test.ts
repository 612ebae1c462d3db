import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { TestRegions, type Clone, type TestRegion } from './testing/regions.ts';

let all: TestRegions;
let region: TestRegion;

beforeEach(async () => {
  all = await TestRegions.create({ names: ['us-east-1'], clock: systemClock });
  region = all.regions[0]!;
});

afterEach(() => all.close());

describe('an ordinary git client', () => {
  test('pushes, and sees what the listeners say', async () => {
    await region.start(change => [`execution started for ${change.ref}`, 'see the console']);
    const { id, result } = await firstPush();
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toContain('remote: execution started for refs/heads/main');
    expect(result.stderr).toContain('remote: see the console');
    expect(region.changes).toEqual([
      { sequence: 1, ref: 'refs/heads/main', after: id, by: 'Ada <ada@example.com>' },
    ]);
    const [event] = await region.events('PushReceived');
    expect(event).toMatchObject({ source: 'repository', data: { ref: 'refs/heads/main', after: id } });
  });

  test('clones what was pushed, whole or shallow, and pushes from a shallow clone', async () => {
    await region.start();
    const { clone, id } = await firstPush();
    const second = await clone.commit('second');
    await clone.git('push', region.gitUrl, 'main');
    const whole = await all.clone(region.gitUrl);
    expect(await whole.git('log', '--format=%H')).toBe(`${second}\n${id}`);
    expect(await whole.git('branch', '--show-current')).toBe('main');
    const shallow = await all.clone(region.gitUrl, ['--depth=1']);
    expect(await shallow.git('rev-list', '--count', 'HEAD')).toBe('1');
    const third = await shallow.commit('third');
    await shallow.git('push', 'origin', 'main');
    await whole.git('pull', '--quiet');
    expect(await whole.git('rev-list', 'HEAD')).toBe([third, second, id].join('\n'));
  });

  test.each(['0', '1', '2'])('speaks protocol version %s', async version => {
    await region.start();
    const { clone, id } = await firstPush();
    const protocol = ['-c', `protocol.version=${version}`];
    await clone.git(...protocol, 'push', region.gitUrl, 'main:other');
    expect(await clone.git(...protocol, 'ls-remote', region.gitUrl)).toContain(`${id}\trefs/heads/other`);
    await clone.git(...protocol, 'fetch', region.gitUrl, 'other');
  });

  test('pushes tags, forced updates and deletions, of the default branch too', async () => {
    await region.start();
    const { clone, id } = await firstPush();
    await clone.git('tag', '--annotate', '--message=one', 'v1');
    await clone.git('push', region.gitUrl, 'v1');
    await clone.git('commit', '--amend', '--allow-empty', '--message=other');
    const other = await clone.git('rev-parse', 'HEAD');
    expect((await clone.attempt('push', region.gitUrl, 'main')).exitCode).not.toBe(0);
    await clone.git('push', '--force', region.gitUrl, 'main');
    await clone.git('push', region.gitUrl, ':main', ':v1');
    const tag = await clone.git('rev-parse', 'v1');
    expect(region.changes.slice(1)).toEqual([
      { sequence: 2, ref: 'refs/tags/v1', after: tag, by: 'Ada <ada@example.com>' },
      { sequence: 3, ref: 'refs/heads/main', before: id, after: other, by: 'Ada <ada@example.com>' },
      { sequence: 4, ref: 'refs/heads/main', before: other, by: 'a client at 127.0.0.1' },
      { sequence: 5, ref: 'refs/tags/v1', before: tag, by: 'a client at 127.0.0.1' },
    ]);
    expect(await clone.git('ls-remote', region.gitUrl)).toBe('');
  });

  test('of two pushes at once to one branch, one is refused cleanly', async () => {
    await region.start();
    const { clone } = await firstPush();
    const others = await Promise.all([all.clone(region.gitUrl), all.clone(region.gitUrl)]);
    const ids = await Promise.all(others.map((other, index) => other.commit(`from ${index}`)));
    const results = await Promise.all(others.map(other => other.attempt('push', 'origin', 'main')));
    const winner = results.findIndex(({ exitCode }) => exitCode === 0);
    expect(results.filter(({ exitCode }) => exitCode === 0)).toHaveLength(1);
    expect(results[1 - winner]!.stderr).toMatch(/rejected/);
    await clone.git('fetch', region.gitUrl, 'main');
    expect(await clone.git('rev-parse', 'FETCH_HEAD')).toBe(ids[winner]);
    expect(region.changes.map(({ after }) => after).slice(1)).toEqual([ids[winner]]);
  });

  test('twenty push to branches of their own at once', async () => {
    await region.start();
    const { clone, id } = await firstPush();
    const names = Array.from({ length: 20 }, (_, index) => `feature-${index}`);
    const results = await Promise.all(
      names.map(name => clone.attempt('push', region.gitUrl, `main:refs/heads/${name}`)),
    );
    expect(results.map(({ exitCode }) => exitCode)).toEqual(names.map(() => 0));
    const created = region.changes.slice(1);
    expect(created.map(({ ref }) => ref).sort()).toEqual(names.map(name => `refs/heads/${name}`).sort());
    expect(created.map(({ sequence }) => sequence)).toEqual(
      created.map(({ sequence }) => sequence).sort((left, right) => left - right),
    );
    expect(new Set(created.map(({ after }) => after))).toEqual(new Set([id]));
  });

  test('an atomic push changes all of its refs or none', async () => {
    await region.start();
    const { clone } = await firstPush();
    const argv = ['push', '--atomic', region.gitUrl, 'main:refs/heads/one', 'main:refs/odd/two'];
    expect((await clone.attempt(...argv)).exitCode).not.toBe(0);
    expect(await clone.git('ls-remote', '--heads', region.gitUrl, 'one')).toBe('');
    await clone.git('push', '--atomic', region.gitUrl, 'main:refs/heads/one', 'main:refs/heads/two');
    expect(await clone.git('ls-remote', '--heads', region.gitUrl, 'one', 'two')).toMatch(/one\n.*two/);
  });

  test('a push that git refuses in part does the rest', async () => {
    await region.start();
    const { clone, id } = await firstPush();
    // A branch cannot lie inside another one.
    const result = await clone.attempt(
      'push',
      region.gitUrl,
      'main:refs/heads/main/sub',
      'main:refs/heads/fine',
    );
    expect(result.exitCode).not.toBe(0);
    expect(result.stderr).toContain("'refs/heads/main' exists");
    expect(await region.repository.resolve('fine')).toBe(id);
    expect(region.changes.map(({ ref }) => ref)).toEqual(['refs/heads/main', 'refs/heads/fine']);
  });

  test('a file of 20 MB that does not compress comes and goes whole', async () => {
    await region.start();
    const clone = await all.clone();
    const bytes = randomBytes(20 * 1024 * 1024);
    writeFileSync(join(clone.path, 'big.bin'), bytes);
    await clone.git('add', '.');
    await clone.commit('big');
    await clone.git('push', region.gitUrl, 'main');
    const copy = await all.clone(region.gitUrl);
    expect(readFileSync(join(copy.path, 'big.bin')).equals(bytes)).toBe(true);
  });

  test('a client that goes away in the middle leaves no git and no half-made push behind', async () => {
    await region.start();
    const clone = await all.clone();
    writeFileSync(join(clone.path, 'big.bin'), randomBytes(4 * 1024 * 1024));
    await clone.git('add', '.');
    const id = await clone.commit('big');
    await clone.git('repack', '-adq');
    const packs = join(clone.path, '.git/objects/pack');
    const pack = readFileSync(
      join(
        packs,
        readdirSync(packs).find(name => name.endsWith('.pack'))!,
      ),
    );
    const push = request(`${region.gitUrl}/git-receive-pack`, { method: 'POST', headers: RECEIVE_TYPE });
    push.on('error', () => undefined);
    push.write(createCommand('refs/heads/main', id));
    push.write(pack.subarray(0, pack.length / 2));
    const objects = join(region.context.folder, 'repository.git', 'objects');
    await until(() => readdirSync(objects).some(name => name.startsWith('tmp_objdir')));
    expect(gitChildren(region)).not.toEqual([]);
    push.destroy();
    await until(() => gitChildren(region).length === 0);
    expect(readdirSync(objects).filter(name => name.startsWith('tmp_'))).toEqual([]);
    expect(region.changes).toEqual([]);
  });

  test('many pushes do not leave as many packs', async () => {
    await region.start();
    const { clone } = await firstPush();
    const packs = () => readdirSync(join(region.context.folder, 'repository.git/objects/pack'));
    for (let push = 0; push < 26; push += 1) {
      await clone.commit(`commit ${push}`);
      await clone.git('push', region.gitUrl, 'main');
    }
    await until(() => packs().filter(name => name.endsWith('.pack')).length < 10);
    await clone.git('fetch', region.gitUrl, 'main');
  });
});

describe('what is refused', () => {
  test.each([
    '/git/other.git/info/refs?service=git-upload-pack',
    '/git/storefront/info/refs?service=git-upload-pack',
    '/git/storefront.git',
    '/git/storefront.git/HEAD',
    '/git/storefront.git/objects/../config',
    '/git/../../etc/passwd',
    '/git/storefront.git/%2e%2e/info/refs?service=git-upload-pack',
  ])('%s: not found, with the right URL', async path => {
    await region.start();
    const { status, text } = await ask('GET', path);
    expect(status).toBe(404);
    expect(text).toContain(region.gitUrl);
  });

  test.each([
    ['GET', '/git/storefront.git/info/refs', 403],
    ['GET', '/git/storefront.git/info/refs?service=git-shell', 403],
    ['POST', '/git/storefront.git/info/refs?service=git-upload-pack', 405],
    ['GET', '/git/storefront.git/git-receive-pack', 405],
    ['POST', '/git/storefront.git/git-receive-pack', 415],
    ['GET', '/internal/repository/refs', 403],
  ])('%s %s: %i', async (method, path, status) => {
    await region.start();
    expect((await ask(method, path)).status).toBe(status);
  });

  test('a region that is not known, or has no token', async () => {
    await region.start();
    const path = '/git/storefront.git/info/refs?service=git-receive-pack';
    const token = { authorization: 'Bearer test-token' };
    expect((await ask('GET', path, { 'tandem-region': 'eu-west-1', ...token })).status).toBe(403);
    expect((await ask('GET', path, { 'tandem-region': 'us-west-2' })).status).toBe(403);
  });

  test.each(['refs/replace/x', 'refs/tandem/x', 'refs/pull/1/head'])('a push to %s', async ref => {
    await region.start();
    const { clone } = await firstPush();
    const { exitCode, stderr } = await clone.attempt('push', region.gitUrl, `main:${ref}`);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('only branches');
    expect(region.changes).toHaveLength(1);
  });

  test.each(['refs/heads/../../config', 'refs/heads/a..b', 'refs/heads/x.lock', '../escape', 'HEAD'])(
    'a handmade push to %s',
    async ref => {
      await region.start();
      const { id } = await firstPush();
      const before = repositoryFiles(region);
      const body = Buffer.concat([createCommand(ref, id), EMPTY_PACK]);
      await ask('POST', '/git/storefront.git/git-receive-pack', RECEIVE_TYPE, body);
      expect(repositoryFiles(region)).toEqual(before);
      expect(region.changes).toHaveLength(1);
    },
  );

  test('a body that is no gzip', async () => {
    await region.start();
    const headers = { ...RECEIVE_TYPE, 'content-encoding': 'gzip' };
    const path = '/git/storefront.git/git-receive-pack';
    expect((await ask('POST', path, headers, Buffer.from('no gzip'))).status).toBe(400);
    expect((await ask('POST', path, headers, gzipSync('0000'))).status).toBe(200);
  });

  test('everything before it runs, and afterwards', async () => {
    await region.start();
    const id = (await firstPush()).id;
    await region.repository.stop();
    expect((await ask('GET', '/git/storefront.git/info/refs?service=git-upload-pack')).status).toBe(503);
    await expect(region.repository.commit(id)).rejects.toMatchObject({ code: 'REPOSITORY_STOPPED' });
  });
});

describe('commits', () => {
  test('are described', async () => {
    await region.start();
    const { id } = await firstPush('Ship the thing – “now”');
    expect(await region.repository.commit(id)).toEqual({
      id,
      subject: 'Ship the thing – “now”',
      author: { name: 'Ada', email: 'ada@example.com' },
      authoredAt: expect.any(Number) as number,
    });
  });

  test.each(['0'.repeat(40), 'main', '--help', ''])('unknown ones are told: %o', async id => {
    await region.start();
    await expect(region.repository.commit(id)).rejects.toMatchObject({ code: 'COMMIT_UNKNOWN' });
    await expect(region.repository.checkout(id, all.folder)).rejects.toMatchObject({
      code: 'COMMIT_UNKNOWN',
    });
  });

  test('are found by branch, tag and abbreviation, and by nothing hostile', async () => {
    await region.start();
    const { clone, id } = await firstPush();
    await clone.git('tag', '--annotate', '--message=one', 'v1');
    await clone.git('push', region.gitUrl, 'v1');
    const { repository } = region;
    for (const revision of ['main', 'v1', 'refs/heads/main', id, id.slice(0, 7)]) {
      expect(await repository.resolve(revision)).toBe(id);
    }
    for (const revision of ['nothing', '', '--all', 'main\nmain', ':/first', `${id.slice(0, 6)}zz`]) {
      expect(await repository.resolve(revision)).toBeUndefined();
    }
  });

  test('are checked out with links and executable bits, and without .git', async () => {
    await region.start();
    const clone = await all.clone();
    mkdirSync(join(clone.path, 'bin'));
    writeFileSync(join(clone.path, 'bin/run'), '#!/bin/sh\n');
    chmodSync(join(clone.path, 'bin/run'), 0o755);
    symlinkSync('bin/run', join(clone.path, 'link'));
    writeFileSync(join(clone.path, 'ignored.txt'), 'left out of archives, not of checkouts');
    writeFileSync(join(clone.path, '.gitattributes'), 'ignored.txt export-ignore\n');
    await clone.git('add', '.');
    const id = await clone.commit('files');
    await clone.git('push', region.gitUrl, 'main');
    const folders = ['one', 'two', 'three'].map(name => join(all.folder, name));
    await Promise.all(
      folders.map(async folder => {
        mkdirSync(folder);
        await region.repository.checkout(id, folder);
      }),
    );
    for (const folder of folders) {
      expect(readdirSync(folder).sort()).toEqual(['.gitattributes', 'bin', 'ignored.txt', 'link']);
      expect(statSync(join(folder, 'bin/run')).mode & 0o111).toBe(0o111);
      expect(readlinkSync(join(folder, 'link'))).toBe('bin/run');
    }
    expect(readdirSync(join(region.context.folder, 'indexes'))).toEqual([]);
  });

  test('whose checkout git could not make leave no index and no lock behind', async () => {
    await region.start();
    const clone = await all.clone();
    const id = await clone.commit('files');
    await clone.git('push', region.gitUrl, 'main');
    const file = join(all.folder, 'no-folder');
    writeFileSync(file, '');
    await expect(region.repository.checkout(id, file)).rejects.toThrow();
    expect(readdirSync(join(region.context.folder, 'indexes'))).toEqual([]);
  });
});

test('a machine without git is told what to install', async () => {
  const path = process.env['PATH'];
  process.env['PATH'] = all.folder;
  try {
    await expect(region.start()).rejects.toMatchObject({
      code: 'GIT_MISSING',
      message: expect.stringContaining('apt install git') as string,
    });
  } finally {
    process.env['PATH'] = path;
  }
});

test("the user's git configuration and hooks do not reach the region", async () => {
  const hooks = join(all.folder, 'users-hooks');
  mkdirSync(hooks);
  writeFileSync(join(hooks, 'reference-transaction'), `#!/bin/sh\ntouch ${join(all.folder, 'hook-ran')}\n`, {
    mode: 0o755,
  });
  writeFileSync(join(all.folder, '.gitconfig'), `[core]\n\thooksPath = ${hooks}\n`);
  const saved = { ...process.env };
  Object.assign(process.env, {
    HOME: all.folder,
    GIT_DIR: '/nowhere',
    GIT_CONFIG_PARAMETERS: "'core.bare=false'",
  });
  try {
    await region.start();
    const clone = await all.clone();
    await clone.git('-c', 'core.hooksPath=/dev/null', 'commit', '--allow-empty', '--message=first');
    await clone.git('-c', 'core.hooksPath=/dev/null', 'push', region.gitUrl, 'main');
  } finally {
    for (const name of ['HOME', 'GIT_DIR', 'GIT_CONFIG_PARAMETERS']) delete process.env[name];
    Object.assign(process.env, saved);
  }
  expect(region.changes).toHaveLength(1);
  expect(existsSync(join(all.folder, 'hook-ran'))).toBe(false);
});

const RECEIVE_TYPE = { 'content-type': 'application/x-git-receive-pack-request' };

/** `PACK`, version 2, no objects, and its SHA-1. */
const EMPTY_PACK = Buffer.from('5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e', 'hex');

function createCommand(ref: string, id: string): Buffer {
  const line = `${'0'.repeat(40)} ${id} ${ref}\0report-status`;
  return Buffer.from(`${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`);
}

async function firstPush(subject = 'first') {
  const clone: Clone = await all.clone();
  const id = await clone.commit(subject);
  const result = await clone.attempt('push', region.gitUrl, 'main');
  expect(result.stderr).not.toContain('rejected');
  return { clone, id, result };
}

/** Without the normalisation of paths that `fetch` does. */
function ask(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body: Buffer = Buffer.alloc(0),
) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const argv = ['--silent', '--path-as-is', '--request', method, '--write-out', '%{stderr}%{http_code}'];
    const given = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
    const data = body.length > 0 ? ['--data-binary', '@-'] : [];
    const child = spawn('curl', [...argv, ...given, ...data, region.endpoint + path]);
    let text = '';
    let status = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    child.stderr.on('data', (chunk: Buffer) => (status += chunk.toString()));
    child.on('error', reject);
    child.on('close', () => resolve({ status: Number(status), text }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(body);
  });
}

function repositoryFiles({ context }: TestRegion): string[] {
  return readdirSync(context.folder, { recursive: true, encoding: 'utf8' }).sort();
}

/** Running git processes that stand in the region's folder. */
function gitChildren({ context }: TestRegion): string[] {
  return readdirSync('/proc').filter(entry => {
    try {
      return /^\d+$/.test(entry) && readlinkSync(`/proc/${entry}/cwd`).startsWith(context.folder);
    } catch {
      return false;
    }
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5));
}
