import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RefStore } from './ref-store.ts';
import { TestRegions, type TestRegion } from './testing/regions.ts';

let all: TestRegions;
let region: TestRegion;

beforeEach(async () => {
  all = await TestRegions.create({ names: ['us-east-1'] });
  region = all.regions[0]!;
});

afterEach(() => all.close());

test('locks of a git that was killed while the region lived on block no later push', async () => {
  await region.start();
  const clone = await all.clone();
  await clone.commit('first');
  await clone.git('push', region.gitUrl, 'main', 'main:refs/heads/other');
  const second = await clone.commit('second');
  for (const lock of ['refs/heads/main.lock', 'packed-refs.lock']) {
    writeFileSync(join(region.context.folder, 'repository.git', lock), '');
  }
  await clone.git('push', region.gitUrl, 'main', ':refs/heads/other');
  expect(await region.repository.resolve('main')).toBe(second);
  expect(await region.repository.resolve('other')).toBeUndefined();
});

describe('after a restart', () => {
  test('a change that no listener took is told again, in order, before later ones', async () => {
    await region.start(() => {
      throw new Error('the pipeline is not ready');
    });
    const clone = await all.clone();
    const first = await clone.commit('first');
    const { exitCode, stderr } = await clone.attempt('push', region.gitUrl, 'main');
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/remote: stored, but not acted on yet.*the pipeline is not ready/);
    const second = await clone.commit('second');
    await clone.git('push', region.gitUrl, 'main');
    await region.stop();
    region.changes.length = 0;
    await region.start();
    expect(region.changes.map(({ before, after }) => [before, after])).toEqual([
      [undefined, first],
      [first, second],
    ]);
    await region.stop();
    region.changes.length = 0;
    await region.start();
    expect(region.changes).toEqual([]);
  });

  test('a listener that fails for a moment is tried again', async () => {
    let failures = 2;
    await region.start(() => {
      if (failures-- > 0) throw new Error('busy');
      return [];
    });
    const clone = await all.clone();
    await clone.commit('first');
    await clone.git('push', region.gitUrl, 'main');
    await until(() => region.changes.length === 3);
    expect(new Set(region.changes.map(({ sequence }) => sequence))).toEqual(new Set([1]));
    expect(await region.events('RefChangeNotHandled')).toHaveLength(1);
  });

  test('what checkouts left that ended with their process is gone', async () => {
    await region.start();
    await region.stop();
    const indexes = join(region.context.folder, 'indexes');
    mkdirSync(join(indexes, 'of-a-checkout'), { recursive: true });
    writeFileSync(join(indexes, 'of-a-checkout', 'index.lock'), '');
    await region.start();
    expect(existsSync(indexes)).toBe(false);
  });

  test('a ref that git moved but nobody recorded becomes a change', async () => {
    await region.start();
    const clone = await all.clone();
    const first = await clone.commit('first');
    await clone.git('push', region.gitUrl, 'main', 'main:refs/heads/gone');
    const folder = join(region.context.folder, 'repository.git');
    await region.stop();
    region.changes.length = 0;
    await clone.git('--git-dir', folder, 'update-ref', 'refs/heads/other', first);
    await clone.git('--git-dir', folder, 'update-ref', '-d', 'refs/heads/gone');
    await region.start();
    expect(region.changes).toEqual([
      { sequence: 3, ref: 'refs/heads/gone', before: first, by: 'somebody with disk access' },
      { sequence: 4, ref: 'refs/heads/other', after: first, by: 'Ada <ada@example.com>' },
    ]);
  });

  test('a crash between git and the record keeps who made the change; one before git forgets it', async () => {
    await region.start();
    const clone = await all.clone();
    const first = await clone.commit('first');
    await clone.git('push', region.gitUrl, 'main');
    const folder = join(region.context.folder, 'repository.git');
    await region.repository.stop();
    const intent = { before: undefined, after: first, by: 'us-west-2' };
    const replicated = { from: 'us-west-2', version: { 'us-west-2.1': 7 } };
    new RefStore(region.context.database, region.context.clock).intend('us-east-1.1', [
      { ...intent, ref: 'refs/heads/made', replicated },
      { ...intent, ref: 'refs/heads/not-made', replicated },
    ]);
    await region.stop();
    await clone.git('--git-dir', folder, 'update-ref', 'refs/heads/made', first);
    region.changes.length = 0;
    await region.start();
    expect(region.changes).toEqual([
      { sequence: 2, ref: 'refs/heads/made', after: first, by: 'us-west-2', replicatedFrom: 'us-west-2' },
    ]);
    const store = new RefStore(region.context.database, region.context.clock);
    expect(store.refs.get('refs/heads/made')?.version).toEqual({ 'us-west-2.1': 7 });
  });

  test('locks and half-received packs of a killed git are removed', async () => {
    await region.start();
    const folder = join(region.context.folder, 'repository.git');
    await region.stop();
    writeFileSync(join(folder, 'packed-refs.lock'), '');
    writeFileSync(join(folder, 'refs/heads/main.lock'), '');
    writeFileSync(join(folder, 'objects/pack/tmp_pack_abc'), 'half');
    await region.start();
    const clone = await all.clone();
    await clone.commit('first');
    await clone.git('push', region.gitUrl, 'main');
    expect(readdirSync(join(folder, 'objects/pack')).filter(name => name.startsWith('tmp_'))).toEqual([]);
  });

  test('a lost folder is no deletion of everything', async () => {
    await region.start();
    const clone = await all.clone();
    await clone.commit('first');
    await clone.git('push', region.gitUrl, 'main');
    const folder = join(region.context.folder, 'repository.git');
    await region.stop();
    rmSync(folder, { recursive: true });
    region.changes.length = 0;
    await region.start();
    expect(region.changes).toEqual([]);
    await clone.git('push', region.gitUrl, 'main');
    expect(region.changes).toHaveLength(1);
  });
});

describe('kill -9 of the region process', { timeout: 120_000 }, () => {
  test('while it tells of a push: the push is there or not, and the next start knows which', async () => {
    const first = await startProcess('0', { hold: true });
    const clone = await all.clone();
    const id = await clone.commit('first');
    const pushing = clone.attempt('push', urlOf(first), 'main');
    await first.line(/^told refs\/heads\/main/);
    await kill(first.process);
    expect((await pushing).exitCode).not.toBe(0);

    const second = await startProcess(first.port);
    await second.line(/^told refs\/heads\/main/);
    expect(await clone.git('ls-remote', urlOf(second))).toContain(`${id}\trefs/heads/main`);
    await clone.git('push', urlOf(second), 'main');
    await clone.commit('second');
    await clone.git('push', urlOf(second), 'main');
    await kill(second.process);
  });

  test('at any moment of many pushes: what was acknowledged is there, and the repository is sound', async () => {
    const clone = await all.clone();
    await clone.commit('first');
    const acknowledged = new Map<string, string>();
    let port = '0';
    for (let life = 0; life < 4; life += 1) {
      const region = await startProcess(port);
      port = region.port;
      const pushing = Array.from({ length: 4 }, async (_, index) => {
        const branch = `life-${life}-${index}`;
        const { exitCode } = await clone.attempt('push', urlOf(region), `main:refs/heads/${branch}`);
        if (exitCode === 0) acknowledged.set(branch, await clone.git('rev-parse', 'main'));
      });
      await Promise.race(pushing);
      await kill(region.process);
      await Promise.all(pushing);
      await clone.commit(`after life ${life}`);
    }
    const last = await startProcess(port);
    const listed = await clone.git('ls-remote', '--heads', urlOf(last));
    for (const [branch, id] of acknowledged) expect(listed).toContain(`${id}\trefs/heads/${branch}`);
    await clone.git('push', urlOf(last), 'main');
    const folder = join(all.folder, 'us-east-1/service/repository.git');
    await clone.git('--git-dir', folder, 'fsck', '--strict');
    await kill(last.process);
  });
});

interface RegionProcess {
  process: ChildProcess;
  port: string;
  /** Resolves with the first line, past or future, that fits. */
  line(pattern: RegExp): Promise<string>;
}

async function startProcess(
  port: string,
  flags: { hold: boolean } = { hold: false },
): Promise<RegionProcess> {
  const script = join(import.meta.dirname, 'testing/region-process.ts');
  const env = {
    ...process.env,
    TEST_FOLDER: all.folder,
    TEST_PORT: port,
    ...(flags.hold ? { TEST_HOLD: 'yes' } : {}),
  };
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'inherit', 'pipe'] });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stderr });
  reader.on('line', line => lines.push(line));
  const line = async (pattern: RegExp) => {
    while (!lines.some(line => pattern.test(line))) await once(reader, 'line');
    return lines.find(line => pattern.test(line))!;
  };
  const listening = await line(/^listening /);
  return { process: child, port: listening.split(' ')[1]!, line };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function urlOf({ port }: RegionProcess): string {
  return `http://127.0.0.1:${port}/git/storefront.git`;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5));
}
