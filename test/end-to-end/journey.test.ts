import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCloud } from './test-cloud.ts';

/* The main job, as a person does it: one push travels through two regions to production. */
describe('one push', { timeout: 120_000 }, () => {
  let cloud: TestCloud;
  let first: string;

  beforeAll(async () => {
    cloud = await TestCloud.up();
    first = await cloud.git('rev-parse', 'HEAD');
  }, 60_000);
  afterAll(() => cloud.dispose(), 60_000);

  test('is in staging in both regions, and waits for a person', async () => {
    const push = await cloud.tandem('push');
    expect(push).toMatchObject({ exitCode: 4 });
    const { regions } = await cloud.status();
    expect(regions.map(({ region }) => region)).toEqual(['us-east-1', 'us-west-2']);
    for (const { services, execution, health } of regions) {
      expect(health).toBe('healthy');
      expect(services.staging).toMatchObject({ release: first, running: 2, desired: 2 });
      expect(services.production).toMatchObject({ release: null, running: 0 });
      expect(execution).toMatchObject({ status: 'Waiting', stage: 'Approval' });
      expect(await releaseServed(services.staging.url)).toBe(first);
    }
  });

  test('reaches production in both regions once approved, with the digest that staging proved', async () => {
    const approve = await cloud.tandem('approve', '--comment', 'looks good');
    expect(approve).toMatchObject({ exitCode: 0 });
    const { regions } = await cloud.status();
    for (const { services, execution } of regions) {
      expect(services.production).toMatchObject({ release: first, running: 2, desired: 2 });
      expect(execution).toMatchObject({ status: 'Succeeded', stage: 'Production' });
      expect(await releaseServed(services.production.url)).toBe(first);
    }
    const { stdout } = await cloud.tandem('releases', '--json');
    const digests = new Set(stdout.match(/sha256:[0-9a-f]{64}/g));
    expect(digests.size).toBe(1);
  });

  test('a second commit replaces the first, and rollback brings the first back', async () => {
    const { commit: second, push } = await cloud.deliver('Second');
    expect(push.exitCode).toBe(4);
    expect((await cloud.tandem('approve')).exitCode).toBe(0);
    expect(await productionReleases(cloud)).toEqual([second, second]);

    expect((await cloud.tandem('rollback', '--yes')).exitCode).toBe(0);
    expect(await productionReleases(cloud)).toEqual([first, first]);
  });

  test('a rejected execution changes nothing in production', async () => {
    const { push } = await cloud.deliver('Third');
    expect(push.exitCode).toBe(4);
    expect((await cloud.tandem('reject', '--comment', 'not on a Friday')).exitCode).toBe(0);
    expect(await productionReleases(cloud)).toEqual([first, first]);
    const { regions } = await cloud.status();
    for (const { execution } of regions)
      expect(execution).toMatchObject({ status: 'Failed', stage: 'Approval' });
  });

  test('a push to the secondary travels to the primary as well', async () => {
    const commit = await cloud.commit('From the west');
    const push = await cloud.tandem('push', '--region', 'us-west-2');
    expect(push.exitCode).toBe(4);
    const { regions } = await cloud.status();
    for (const { services } of regions) expect(services.staging.release).toBe(commit);
  });

  test('logs of build and tasks can be read', async () => {
    const build = await cloud.tandem('logs', 'build', '--limit', '500');
    expect(build.stdout).toContain('Running command');
    const staging = await cloud.tandem('logs', 'staging');
    expect(staging.stdout).toContain('listening on');
  });
});

async function releaseServed(url: string): Promise<string> {
  const answer = (await (await fetch(url)).json()) as { release: string };
  return answer.release;
}

async function productionReleases(cloud: TestCloud): Promise<(string | null)[]> {
  const { regions } = await cloud.status();
  return regions.map(({ services }) => services.production.release);
}
