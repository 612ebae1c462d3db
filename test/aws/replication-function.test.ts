import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CREDENTIAL_VARIABLES, git } from './git-server.ts';
import { startMoto, type Moto } from './moto.ts';
import { ReplicationWorld } from './replication-world.ts';
import { isOnPath } from './terraform.ts';

/* The function itself, with Git's own repositories, and tables, queues and topics of moto. */

const isMissing = !isOnPath('moto_server');
if (isMissing) console.log('The functions’ suite is skipped: there is no moto_server on PATH.');

const EAST = 'us-east-1';
const WEST = 'us-west-2';
const EUROPE = 'eu-west-1';

describe.skipIf(isMissing)('replication', () => {
  let moto: Moto;

  beforeAll(async () => {
    moto = await startMoto();
    Object.assign(process.env, CREDENTIAL_VARIABLES, { AWS_ENDPOINT_URL: moto.endpoint });
  });

  afterAll(() => moto[Symbol.asyncDispose]());

  test('makes the other region the same: ids, branches, annotated tags', async () => {
    await using world = await ReplicationWorld.create([EAST, WEST]);
    world.commit(EAST, 'main');
    const second = world.commit(EAST, 'main');
    world.commit(EAST, 'feature/a', { onto: second });
    git(world.server.folder(EAST), 'tag', '-a', 'v1', '-m', 'one', second);
    expect(await world.replicate(EAST, WEST)).toBe(0);
    expect(Object.keys(world.refs(WEST))).toEqual([
      'refs/heads/feature/a',
      'refs/heads/main',
      'refs/tags/v1',
    ]);
    expect(world.refs(WEST)).toEqual(world.refs(EAST));
    git(world.server.folder(WEST), 'fsck', '--strict', '--connectivity-only');
    expect(git(world.server.folder(WEST), 'log', '-1', '--format=%an %ae', 'main')).toBe(
      'Ada ada@example.com',
    );
  });

  test('follows updates, forced updates, deletions and branches at known commits', async () => {
    await using world = await ReplicationWorld.create([EAST, WEST]);
    const first = world.commit(EAST, 'main');
    world.commit(EAST, 'main');
    world.commit(EAST, 'gone');
    await world.replicate(EAST, WEST);
    const folder = world.server.folder(EAST);
    world.commit(EAST, 'main', { onto: first });
    git(folder, 'branch', '-D', 'gone');
    git(folder, 'branch', 'copy', first);
    expect(await world.replicate(EAST, WEST)).toBe(0);
    expect(world.refs(WEST)).toEqual(world.refs(EAST));
    expect(Object.keys(world.refs(WEST))).toEqual(['refs/heads/copy', 'refs/heads/main']);
    // Back to an old value, and nothing but a deletion.
    git(folder, 'update-ref', 'refs/heads/main', first);
    await world.replicate(EAST, WEST);
    git(folder, 'branch', '-D', 'copy');
    await world.replicate(EAST, WEST);
    expect(world.refs(WEST)).toEqual({ 'refs/heads/main': first });
  });

  test('goes both ways and never round in circles', async () => {
    await using world = await ReplicationWorld.create([EAST, WEST]);
    world.commit(EAST, 'main');
    await world.replicate(EAST, WEST);
    await world.replicate(WEST, EAST);
    expect(world.server.pushes).toEqual([WEST]);
    world.commit(WEST, 'main');
    await world.replicate(WEST, EAST);
    await world.replicate(EAST, WEST);
    expect(world.server.pushes).toEqual([WEST, EAST]);
    expect(world.refs(EAST)).toEqual(world.refs(WEST));
  });

  test('a region that is down gets everything when it is back, and the lag is told', async () => {
    await using world = await ReplicationWorld.create([EAST, WEST]);
    world.commit(EAST, 'main');
    await world.replicate(EAST, WEST);
    expect(world.metric('ReplicationLag', WEST)).toBeLessThan(60);
    world.aheadMs += 60_000;
    world.server.faults.set(WEST, 'refuse');
    const pushedAt = Date.now() + world.aheadMs;
    world.commit(EAST, 'main');
    expect(await world.replicate(EAST, WEST, pushedAt)).toBe(1);
    world.aheadMs += 120_000;
    world.commit(EAST, 'other');
    expect(await world.replicate(EAST, WEST)).toBeGreaterThan(0);
    expect(world.metric('ReplicationLag', WEST)).toBeGreaterThanOrEqual(120);
    world.server.faults.clear();
    expect(await world.replicate(EAST, WEST)).toBe(0);
    expect(world.metric('ReplicationLag', WEST)).toBeGreaterThanOrEqual(120);
    expect(world.refs(WEST)).toEqual(world.refs(EAST));
    await world.replicate(EAST, WEST);
    expect(world.metric('ReplicationLag', WEST)).toBe(0);
  });

  test('a failed message is tried again soon, not after the longest run', async () => {
    await using world = await ReplicationWorld.create([EAST, WEST]);
    world.isPatient = true;
    world.commit(EAST, 'main');
    world.server.faults.set(WEST, 'refuse');
    expect(await world.replicate(EAST, WEST)).toBeGreaterThan(0);
    world.server.faults.clear();
    await expect
      .poll(async () => (await world.runOnce(EAST), world.refs(WEST)), { timeout: 10_000, interval: 250 })
      .toEqual(world.refs(EAST));
  });

  test('a push that is cut off changes nothing, and lands the next time', async () => {
    await using world = await ReplicationWorld.create([EAST, WEST]);
    const path = join(world.server.folder(EAST), 'large');
    writeFileSync(path, randomBytes(8_000_000));
    const blob = git(world.server.folder(EAST), 'hash-object', '-w', path);
    world.commit(EAST, 'main');
    git(world.server.folder(EAST), 'update-ref', 'refs/tags/large', blob);
    world.server.faults.set(WEST, 'cut-request');
    expect(await world.replicate(EAST, WEST)).toBeGreaterThan(0);
    expect(world.refs(WEST)).toEqual({});
    world.server.faults.clear();
    expect(await world.replicate(EAST, WEST)).toBe(0);
    expect(world.refs(WEST)).toEqual(world.refs(EAST));
  });

  test('a push whose answer is lost is known for what it is, so a forced update after it is no split', async () => {
    await using world = await ReplicationWorld.create([EAST, WEST]);
    const first = world.commit(EAST, 'main');
    await world.replicate(EAST, WEST);
    world.commit(EAST, 'main');
    world.server.faults.set(WEST, 'lose-answer');
    expect(await world.replicate(EAST, WEST)).toBeGreaterThan(0);
    world.server.faults.clear();
    expect(world.refs(WEST)).toEqual(world.refs(EAST));
    world.commit(EAST, 'main', { onto: first });
    expect(await world.replicate(EAST, WEST)).toBe(0);
    expect(world.refs(WEST)).toEqual(world.refs(EAST));
    expect(world.metric('SplitReferences', WEST)).toBe(0);
  });

  test('a split history is told once, never overwritten, holds nothing else up, and is mended by a merge', async () => {
    await using world = await ReplicationWorld.create([EAST, WEST]);
    world.commit(EAST, 'main');
    await world.replicate(EAST, WEST);
    const east = world.commit(EAST, 'main');
    const west = world.commit(WEST, 'main');
    const other = world.commit(EAST, 'other');
    for (let round = 0; round < 2; round += 1) {
      expect(await world.replicate(EAST, WEST)).toBe(0);
      expect(await world.replicate(WEST, EAST)).toBe(0);
    }
    expect(world.refs(EAST)).toEqual({ 'refs/heads/main': east, 'refs/heads/other': other });
    expect(world.refs(WEST)).toEqual({ 'refs/heads/main': west, 'refs/heads/other': other });
    expect(world.metric('SplitReferences', WEST)).toBe(1);
    const notices = await world.notices(EAST);
    expect(notices).toHaveLength(1);
    expect(notices[0]!.Message).toContain(`${EAST}: ${east}`);
    expect(notices[0]!.Message).toContain(`${WEST}: ${west}`);

    git(world.server.folder(EAST), 'fetch', '--quiet', world.server.folder(WEST), 'main');
    const merge = world.commit(EAST, 'main', { merging: west });
    expect(await world.replicate(EAST, WEST)).toBe(0);
    expect(world.refs(WEST)['refs/heads/main']).toBe(merge);
    expect(world.metric('SplitReferences', WEST)).toBe(0);
  });

  test('a push that comes between looking and pushing is not overwritten', async () => {
    await using world = await ReplicationWorld.create([EAST, WEST]);
    world.commit(EAST, 'main');
    await world.replicate(EAST, WEST);
    const east = world.commit(EAST, 'main');
    let west = '';
    world.server.beforePush.set(WEST, () => {
      if (west === '') west = world.commit(WEST, 'main');
    });
    expect(await world.replicate(EAST, WEST)).toBe(0);
    expect(world.refs(EAST)['refs/heads/main']).toBe(east);
    expect(world.refs(WEST)['refs/heads/main']).toBe(west);
    expect(world.metric('SplitReferences', WEST)).toBe(1);
  });

  test('three regions agree, also when one hears from the others before the origin', async () => {
    await using world = await ReplicationWorld.create([EAST, WEST, EUROPE]);
    const first = world.commit(EAST, 'main');
    await world.replicate(EAST, WEST);
    await world.replicate(WEST, EUROPE);
    await world.replicate(EAST, EUROPE);
    world.commit(EAST, 'main', { onto: first });
    await world.replicate(EAST, EUROPE);
    await world.replicate(WEST, EUROPE);
    await world.replicate(EUROPE, WEST);
    await world.replicate(EAST, WEST);
    expect(world.refs(WEST)).toEqual(world.refs(EAST));
    expect(world.refs(EUROPE)).toEqual(world.refs(EAST));
    expect(world.log.filter(line => Number(line['SplitReferences']) > 0)).toEqual([]);
  });

  test('both functions at once neither lose nor split anything', async () => {
    await using world = await ReplicationWorld.create([EAST, WEST]);
    world.commit(EAST, 'main');
    await world.replicate(EAST, WEST);
    for (let index = 0; index < 6; index += 1) {
      world.commit(EAST, `east-${index}`);
      world.commit(WEST, `west-${index}`);
      world.commit(index % 2 === 0 ? EAST : WEST, 'main');
      await Promise.all([world.replicate(EAST, WEST), world.replicate(WEST, EAST)]);
    }
    await world.replicate(EAST, WEST);
    await world.replicate(WEST, EAST);
    expect(world.refs(WEST)).toEqual(world.refs(EAST));
    expect(Object.keys(world.refs(EAST))).toHaveLength(13);
  });
});
