import { afterEach, beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { FaultyLink } from './testing/faulty-link.ts';
import { TestRegions, type Clone, type TestRegion } from './testing/regions.ts';

const ROUNDS = 8;

let all: TestRegions;
let link: FaultyLink;

beforeEach(async () => {
  link = new FaultyLink(seededRandom(20));
  all = await TestRegions.create({ reachedAt: endpoint => link.to(endpoint) });
});

afterEach(async () => {
  link.close();
  await all.close();
});

test('over a link that is slow, cut and repeats itself nothing is lost, overwritten or taken for a split', async () => {
  const [east, west] = all.regions as [TestRegion, TestRegion];
  await east.start();
  await west.start();
  const clone = await all.clone();
  const wanted = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const id = await clone.commit(`round ${round}`);
    // Each branch has its writers in one region, so none may ever split; some go away.
    await Promise.all([
      push(clone, east, `${id}:refs/heads/main`),
      push(clone, west, `${id}:refs/heads/west-${round}`),
    ]);
    wanted.set('refs/heads/main', id);
    wanted.set(`refs/heads/west-${round}`, id);
    if (round > 0 && round % 3 === 0) {
      await push(clone, west, `:refs/heads/west-${round - 1}`);
      wanted.delete(`refs/heads/west-${round - 1}`);
    }
    if (round === ROUNDS / 2) {
      await west.stop();
      await west.start();
    }
  }
  expect(link.cuts).toBeGreaterThan(0);
  expect(link.repeats).toBeGreaterThan(0);
  link.mend();
  const expected = [...wanted].map(([ref, id]) => `${id}\t${ref}`).sort();
  for (const region of [east, west]) {
    await expect.poll(() => refsOf(clone, region), { timeout: 20_000 }).toEqual(expected);
    await expect.poll(() => region.repository.replication()[0]!.state, { timeout: 20_000 }).toBe('in-sync');
    expect(await region.events('HistorySplit')).toEqual([]);
  }
}, 60_000);

async function push(clone: Clone, region: TestRegion, refspec: string): Promise<void> {
  await clone.git('push', '--quiet', region.gitUrl, refspec);
}

async function refsOf(clone: Clone, region: TestRegion): Promise<string[]> {
  const listed = await clone.git('ls-remote', '--heads', region.gitUrl);
  return listed.split('\n').sort();
}
