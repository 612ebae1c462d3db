import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLoad } from './load.ts';
import { TestCloud } from './test-cloud.ts';

/* Under load of every kind, production changes in every way that it can, and the clients count. */
describe('no request is lost', { timeout: 240_000 }, () => {
  let cloud: TestCloud;

  beforeAll(async () => {
    cloud = await TestCloud.up();
    expect((await cloud.tandem('push')).exitCode).toBe(4);
    expect((await cloud.tandem('approve')).exitCode).toBe(0);
  }, 120_000);
  afterAll(() => cloud.dispose(), 60_000);

  test('in a deployment, a rollback, a restart and scaling out and in', async () => {
    const before = await cloud.status();
    const load = startLoad(before.regions[0]!.services.production.url);

    expect((await cloud.deliver('Second')).push.exitCode).toBe(4);
    expect((await cloud.tandem('approve')).exitCode).toBe(0);
    expect((await cloud.tandem('rollback', '--yes')).exitCode).toBe(0);
    expect((await cloud.tandem('restart', 'production', '--region', 'us-east-1')).exitCode).toBe(0);
    expect(
      (await cloud.tandem('scale', 'production', '--count', '4', '--region', 'us-east-1')).exitCode,
    ).toBe(0);
    expect(
      (await cloud.tandem('scale', 'production', '--count', '2', '--region', 'us-east-1')).exitCode,
    ).toBe(0);

    const { answered, lost } = await load.stop();
    expect(lost).toEqual([]);
    for (const kind of ['quick', 'slow', 'uploads', 'echoes'] as const)
      expect(answered[kind]).toBeGreaterThan(3);
    const after = await cloud.status();
    expect(after.regions[0]!.services.production).toMatchObject({
      release: before.regions[0]!.services.production.release,
      running: 2,
      desired: 2,
    });
  });
});
