import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { TestRegions, type Clone, type TestRegion } from './testing/regions.ts';

let all: TestRegions;

afterEach(() => all.close());

describe('two regions', () => {
  test('a push to one is in the other, with the same ids, and is told there once', async () => {
    const { east, west, clone } = await startTwo();
    const id = await clone.commit('first');
    await clone.git('tag', '--annotate', '--message=one', 'v1');
    await clone.git('push', east.gitUrl, 'main', 'v1', 'main:refs/heads/other');
    await inSync(east, west);
    expect(await refsOf(clone, west)).toBe(await refsOf(clone, east));
    expect(
      west.changes.map(({ ref, replicatedFrom, by }) => `${ref} ${replicatedFrom} ${by}`).sort(),
    ).toEqual(
      ['refs/heads/main', 'refs/heads/other', 'refs/tags/v1'].map(ref => `${ref} us-east-1 us-east-1`),
    );
    expect(await west.repository.commit(id)).toMatchObject({ id, author: { name: 'Ada' } });
    expect(east.changes).toHaveLength(3);
    const succeeded = await east.untilEvent('ReplicationSucceeded');
    expect(succeeded.data).toMatchObject({ peer: 'us-west-2', ms: expect.any(Number) as number });
    expect(await west.events('ReplicationSucceeded')).toEqual([]);
  });

  test('forced updates and deletions arrive, also when the ref goes back to what it was', async () => {
    const { east, west, clone } = await startTwo();
    const first = await clone.commit('first');
    await clone.commit('second');
    await clone.git('push', east.gitUrl, 'main', 'main:refs/heads/gone');
    await inSync(east, west);
    await clone.git('push', '--force', east.gitUrl, `${first}:refs/heads/main`, ':refs/heads/gone');
    await inSync(east, west);
    expect(await refsOf(clone, west)).toBe(`${first}\trefs/heads/main`);
    await clone.git('push', west.gitUrl, 'main');
    await inSync(west, east);
    expect(await refsOf(clone, east)).toBe(await refsOf(clone, west));
    await clone.git('push', west.gitUrl, ':main');
    await inSync(west, east);
    expect(await refsOf(clone, east)).toBe('');
  });

  test('pushes to either side by turns never look like a split', async () => {
    const { east, west, clone } = await startTwo();
    for (let round = 0; round < 6; round += 1) {
      const [here, there] = round % 2 === 0 ? [east, west] : [west, east];
      const id = await clone.commit(`round ${round}`);
      await clone.git('push', here.gitUrl, 'main');
      await inSync(here, there);
      expect(await there.repository.resolve('main')).toBe(id);
    }
    expect([...(await east.events('HistorySplit')), ...(await west.events('HistorySplit'))]).toEqual([]);
  });

  test('the same push to both sides is in sync at once, and stays usable', async () => {
    const { east, west, clone } = await startTwo();
    const first = await clone.commit('first');
    await Promise.all([clone.git('push', east.gitUrl, 'main'), clone.git('push', west.gitUrl, 'main')]);
    await inSync(east, west);
    await inSync(west, east);
    await clone.commit('second');
    await clone.git('push', east.gitUrl, 'main');
    await inSync(east, west);
    await clone.git('push', '--force', west.gitUrl, `${first}:refs/heads/main`);
    await inSync(west, east);
    expect(await east.repository.resolve('main')).toBe(first);
  });

  test('a peer that is down gets everything when it comes back, by itself', async () => {
    const { east, west, clone } = await startTwo();
    await clone.commit('first');
    await clone.git('push', east.gitUrl, 'main');
    await inSync(east, west);
    west.cutOff();
    await west.stop();
    await clone.commit('second');
    await clone.git('push', east.gitUrl, 'main', 'main:refs/heads/new');
    await until(() => statusOf(east).state === 'unreachable');
    expect(statusOf(east)).toMatchObject({ peer: 'us-west-2', pendingRefs: 2, splits: [] });
    expect(statusOf(east).message).toContain('us-west-2');
    await until(() => statusOf(east).lagMs > 0);
    west.reconnect();
    await west.start();
    await inSync(east, west);
    expect(await refsOf(clone, west)).toBe(await refsOf(clone, east));
    expect(statusOf(east)).toMatchObject({ state: 'in-sync', pendingRefs: 0, lagMs: 0 });
    expect(statusOf(east).message).toBeUndefined();
  });

  test('an outage that lasts is told once', async () => {
    const { east, west, clone } = await startTwo();
    west.cutOff();
    await clone.commit('first');
    await clone.git('push', east.gitUrl, 'main');
    await east.untilEvent('ReplicationFailed');
    west.reconnect();
    // A push to the other region makes it call on this one, which therefore need not wait for its next try.
    await clone.git('push', west.gitUrl, 'main:refs/heads/sign-of-life');
    await inSync(east, west);
    expect(await east.events('ReplicationFailed')).toHaveLength(1);
  });

  test('a region that comes back without its disk is filled again', async () => {
    const { east, west, clone } = await startTwo();
    await clone.commit('first');
    await clone.git('push', west.gitUrl, 'main');
    await inSync(west, east);
    await east.stop();
    rmSync(join(all.folder, 'us-east-1'), { recursive: true });
    east.changes.length = 0;
    await east.start();
    await until(() => east.changes.some(({ replicatedFrom }) => replicatedFrom === 'us-west-2'));
    expect(await refsOf(clone, east)).toBe(await refsOf(clone, west));
  });

  test('a region that restarts while a push is replicated loses nothing', async () => {
    const { east, west, clone } = await startTwo();
    for (let round = 0; round < 3; round += 1) {
      await clone.commit(`round ${round}`);
      await clone.git('push', east.gitUrl, 'main');
      await east.stop();
      await east.start();
    }
    await inSync(east, west);
    expect(await refsOf(clone, west)).toBe(await refsOf(clone, east));
  });
});

describe('a split history', () => {
  test('is reported by both, overwritten by neither, and does not hold up other refs', async () => {
    const { east, west, clone, ids } = await splitMain();
    for (const [here, there] of [
      [east, west],
      [west, east],
    ] as const) {
      const status = statusOf(here);
      expect(status).toMatchObject({ state: 'split', peer: there.name });
      expect(status.splits).toMatchObject([
        { ref: 'refs/heads/main', here: ids.get(here), there: ids.get(there) },
      ]);
      expect(mend(here, `what ${here.name} has`)).toBe(
        `git fetch ${here.gitUrl} refs/heads/main && git push --force ${there.gitUrl} FETCH_HEAD:refs/heads/main`,
      );
      expect(await here.repository.resolve('main')).toBe(ids.get(here));
      expect(await here.events('HistorySplit')).toHaveLength(1);
    }
    await clone.git('push', east.gitUrl, 'main:refs/heads/unrelated');
    await until(async () => (await west.repository.resolve('unrelated')) !== undefined);
  });

  test.each(['east', 'west'] as const)(
    'is mended by keeping the %s side, with the printed commands',
    async side => {
      const { east, west, clone, ids } = await splitMain();
      const kept = side === 'east' ? east : west;
      await run(clone, mend(east, `what ${kept.name} has`));
      await mended(east, west);
      expect(await east.repository.resolve('main')).toBe(ids.get(kept));
      expect(await west.repository.resolve('main')).toBe(ids.get(kept));
    },
  );

  test('is mended by a merge, with the printed commands', async () => {
    const { east, west, ids } = await splitMain();
    const clone = await all.clone(west.gitUrl);
    await run(clone, mend(west, 'both, merged'));
    await mended(east, west);
    expect(await east.repository.resolve('main')).toBe(await west.repository.resolve('main'));
    for (const id of ids.values())
      expect((await clone.attempt('merge-base', '--is-ancestor', id, 'HEAD')).exitCode).toBe(0);
  });

  test('of a deletion against a change is reported with the commands for either', async () => {
    const { east, west, clone } = await startTwo();
    await clone.commit('first');
    await clone.git('push', east.gitUrl, 'main');
    await inSync(east, west);
    partition(east, west);
    const second = await clone.commit('second');
    await clone.git('push', east.gitUrl, ':main');
    await clone.git('push', west.gitUrl, 'main');
    heal(east, west);
    await until(() => statusOf(east).state === 'split' && statusOf(west).state === 'split');
    expect(statusOf(east).splits).toMatchObject([
      { ref: 'refs/heads/main', here: '0'.repeat(40), there: second },
    ]);
    expect(statusOf(east).splits[0]!.mends).toHaveLength(2);
    await run(clone, mend(west, `what ${east.name} has`));
    await mended(east, west);
    expect(await refsOf(clone, west)).toBe('');
  });

  test('where one side contains the other is none', async () => {
    const { east, west, clone } = await startTwo();
    await clone.commit('first');
    await clone.git('push', east.gitUrl, 'main');
    await inSync(east, west);
    partition(east, west);
    await clone.commit('second');
    await clone.git('push', east.gitUrl, 'main');
    const third = await clone.commit('third');
    await clone.git('push', west.gitUrl, 'main');
    heal(east, west);
    await until(async () => (await east.repository.resolve('main')) === third);
    await inSync(east, west);
    await inSync(west, east);
    expect([...(await east.events('HistorySplit')), ...(await west.events('HistorySplit'))]).toEqual([]);
  });
});

describe('three regions', () => {
  test('what the first gave only to the second before it died reaches the third', async () => {
    all = await TestRegions.create({ names: ['us-east-1', 'us-west-2', 'eu-west-1'] });
    const [east, west, europe] = all.regions as [TestRegion, TestRegion, TestRegion];
    await Promise.all(all.regions.map(region => region.start()));
    europe.cutOff();
    const clone = await all.clone();
    const id = await clone.commit('first');
    await clone.git('push', east.gitUrl, 'main');
    await until(async () => (await west.repository.resolve('main')) === id);
    await east.stop();
    east.cutOff();
    europe.reconnect();
    await until(async () => (await europe.repository.resolve('main')) === id);
    expect(europe.changes).toMatchObject([{ after: id, replicatedFrom: 'us-west-2' }]);
    east.reconnect();
    await east.start();
    await until(() =>
      all.regions.every(region => region.repository.replication().every(({ state }) => state === 'in-sync')),
    );
    expect(east.changes).toHaveLength(1);
    expect(europe.changes).toHaveLength(1);
  });

  test('many pushes to all of them at once end the same everywhere, each told once', async () => {
    all = await TestRegions.create({ names: ['us-east-1', 'us-west-2', 'eu-west-1'] });
    await Promise.all(all.regions.map(region => region.start()));
    const clone = await all.clone();
    await clone.commit('first');
    await Promise.all(
      Array.from({ length: 9 }, (_, index) =>
        clone.git('push', all.regions[index % 3]!.gitUrl, `main:refs/heads/branch-${index}`),
      ),
    );
    await until(() => all.regions.every(({ changes }) => changes.length >= 9));
    await until(() =>
      all.regions.every(region => region.repository.replication().every(({ state }) => state === 'in-sync')),
    );
    const listed = await Promise.all(all.regions.map(region => refsOf(clone, region)));
    expect(new Set(listed).size).toBe(1);
    expect(all.regions.map(({ changes }) => changes.length)).toEqual([9, 9, 9]);
  });
});

async function startTwo() {
  all = await TestRegions.create();
  const [east, west] = all.regions as [TestRegion, TestRegion];
  await Promise.all([east.start(), west.start()]);
  return { east, west, clone: await all.clone() };
}

/** Both sides get a commit of their own while they cannot reach each other. */
async function splitMain() {
  const { east, west, clone } = await startTwo();
  await clone.commit('first');
  await clone.git('push', east.gitUrl, 'main');
  await inSync(east, west);
  partition(east, west);
  const ids = new Map<TestRegion, string>();
  for (const region of [east, west]) {
    await clone.git('checkout', '--quiet', '-B', region.name, 'main');
    ids.set(region, await clone.commit(`only in ${region.name}`));
    await clone.git('push', region.gitUrl, `${region.name}:main`);
  }
  heal(east, west);
  await until(() => statusOf(east).state === 'split' && statusOf(west).state === 'split');
  return { east, west, clone, ids };
}

function partition(...regions: TestRegion[]): void {
  for (const region of regions) region.isolate();
}

function heal(...regions: TestRegion[]): void {
  for (const region of regions) region.rejoin();
}

async function mended(east: TestRegion, west: TestRegion): Promise<void> {
  await inSync(east, west);
  await inSync(west, east);
  for (const region of [east, west]) expect(await region.events('HistoryMended')).toHaveLength(1);
}

/** `here` knows that `there` has all it has, and it is so. */
async function inSync(here: TestRegion, there: TestRegion): Promise<void> {
  const { name } = there;
  await until(() => here.repository.replication().find(({ peer }) => peer === name)?.state === 'in-sync');
}

function statusOf(region: TestRegion) {
  return region.repository.replication()[0]!;
}

/** The command line that `region` tells for keeping this of the one ref that has split. */
function mend(region: TestRegion, keeps: string): string {
  const [split] = statusOf(region).splits;
  return split!.mends.find(way => way.keeps === keeps)!.command;
}

function refsOf(clone: Clone, region: TestRegion): Promise<string> {
  return clone.git('ls-remote', '--refs', region.gitUrl);
}

async function run(clone: Clone, commands: string): Promise<void> {
  for (const command of commands.split(' && ')) await clone.git(...command.split(' ').slice(1));
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 5));
}
