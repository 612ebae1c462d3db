import { afterEach, describe, expect, test } from 'vitest';
import { TestRegions, type TestRegion } from './testing/regions.ts';

let all: TestRegions;

afterEach(() => all.close());

describe('synchronous replication', () => {
  test('a push is in another region when it is acknowledged', async () => {
    const { regions, clone } = await start(['us-east-1', 'us-west-2']);
    const [east, west] = regions as [TestRegion, TestRegion];
    west.changes.length = 0;
    let wasThereFirst: boolean | undefined;
    await east.stop();
    await east.start(() => {
      wasThereFirst = west.changes.length === 1;
      return [];
    });
    const id = await clone.commit('first');
    await clone.git('push', east.gitUrl, 'main');
    expect(wasThereFirst).toBe(true);
    expect(west.changes).toMatchObject([{ after: id, replicatedFrom: 'us-east-1' }]);
    expect(east.changes).toHaveLength(1);
    await clone.git('push', west.gitUrl, ':main');
    expect(await east.repository.resolve('main')).toBeUndefined();
  });

  test('is refused, and changes nothing, while no other region answers; then it works again', async () => {
    const { regions, clone } = await start(['us-east-1', 'us-west-2']);
    const [east, west] = regions as [TestRegion, TestRegion];
    west.cutOff();
    await clone.commit('first');
    const refused = await clone.attempt('push', east.gitUrl, 'main');
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toMatch(/replication is synchronous, and no other region took it/);
    expect(refused.stderr).toContain('us-west-2');
    expect(await clone.git('ls-remote', east.gitUrl)).toBe('');
    expect(east.changes).toEqual([]);
    west.reconnect();
    await clone.git('push', east.gitUrl, 'main');
    expect(west.changes).toHaveLength(1);
  });

  test('any other region is enough', async () => {
    const { regions, clone } = await start(['us-east-1', 'us-west-2', 'eu-west-1']);
    const [east, west, europe] = regions as [TestRegion, TestRegion, TestRegion];
    west.cutOff();
    const id = await clone.commit('first');
    await clone.git('push', east.gitUrl, 'main');
    expect(await europe.repository.resolve('main')).toBe(id);
    west.reconnect();
    await until(async () => (await west.repository.resolve('main')) === id);
  });

  test('a push onto what another region has not handed over yet is refused', async () => {
    const { regions, clone } = await start(['us-east-1', 'us-west-2', 'eu-west-1']);
    const [east, west, europe] = regions as [TestRegion, TestRegion, TestRegion];
    await clone.commit('first');
    await clone.git('push', east.gitUrl, 'main');
    await until(() => regions.every(({ changes }) => changes.length === 1));
    // West and Europe go on without East.
    east.cutOff();
    const there = await clone.commit('second');
    await clone.git('push', west.gitUrl, 'main');
    await until(async () => (await europe.repository.resolve('main')) === there);
    await west.stop();
    await europe.stop();
    await clone.git('checkout', '--quiet', '-B', 'other', 'HEAD~');
    await clone.commit('other');
    east.reconnect();
    await west.start();
    west.cutOff();
    await europe.start();
    const refused = await clone.attempt('push', east.gitUrl, 'other:main');
    // Either Europe brought its value first, or it refuses ours; never is one lost.
    expect(refused.exitCode).not.toBe(0);
    expect(await europe.repository.resolve('main')).toBe(there);
    west.reconnect();
    await until(async () => (await east.repository.resolve('main')) === there);
  });

  test('pushes to both sides at once come to one history, and nobody waits for ever', async () => {
    const { regions, clone } = await start(['us-east-1', 'us-west-2']);
    const [east, west] = regions as [TestRegion, TestRegion];
    await clone.commit('first');
    await clone.git('push', east.gitUrl, 'main');
    const base = await clone.git('rev-parse', 'HEAD');
    const acknowledged: string[] = [];
    await Promise.all(
      [east, west].map(async region => {
        const own = await all.clone(region.gitUrl);
        const id = await own.commit(`from ${region.name}`);
        if ((await own.attempt('push', 'origin', 'main')).exitCode === 0) acknowledged.push(id);
      }),
    );
    expect(acknowledged.length).toBeLessThanOrEqual(1);
    await until(() => regions.every(region => region.repository.replication()[0]?.state === 'in-sync'));
    const values = await Promise.all(regions.map(region => region.repository.resolve('main')));
    expect(new Set(values).size).toBe(1);
    expect([base, ...acknowledged]).toContain(acknowledged.length === 1 ? values[0] : base);
  });

  test('an atomic push is refused as a whole', async () => {
    const { regions, clone } = await start(['us-east-1', 'us-west-2']);
    const [east, west] = regions as [TestRegion, TestRegion];
    await clone.commit('first');
    await clone.git('push', '--atomic', east.gitUrl, 'main', 'main:refs/heads/two');
    expect(west.changes).toHaveLength(2);
    west.cutOff();
    await clone.commit('second');
    const argv = ['push', '--atomic', east.gitUrl, 'main', 'main:refs/heads/two', 'main:refs/heads/three'];
    expect((await clone.attempt(...argv)).exitCode).not.toBe(0);
    expect(east.changes).toHaveLength(2);
  });

  test('a region without others refuses, saying why', async () => {
    const { regions, clone } = await start(['us-east-1']);
    await clone.commit('first');
    const { stderr } = await clone.attempt('push', regions[0]!.gitUrl, 'main');
    expect(stderr).toContain('there is no other region');
  });
});

async function start(names: readonly string[]) {
  all = await TestRegions.create({ names, config: { replication: 'synchronous' } });
  await Promise.all(all.regions.map(region => region.start()));
  return { regions: all.regions, clone: await all.clone() };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 5));
}
