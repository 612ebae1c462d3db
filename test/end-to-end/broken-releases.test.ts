import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCloud, type Behaviour, type StatusJson } from './test-cloud.ts';

/*
 * Every way in which a release can be broken, against a production that works: each ends as it should, says why in
 * one line of `tandem status`, and production keeps serving the good release.
 */
describe('a broken release', { timeout: 120_000 }, () => {
  let cloud: TestCloud;
  let good: string;

  beforeAll(async () => {
    cloud = await TestCloud.up({
      regions: ['us-east-1'],
      build: { timeoutMinutes: 0.1 },
      // Seconds here: long enough to show what is wrong on a machine that has much else to do.
      deployment: { bakeTimeMinutes: 12 },
      service: { stopTimeoutSeconds: 2 },
    });
    good = await cloud.git('rev-parse', 'HEAD');
    expect((await cloud.tandem('push')).exitCode).toBe(4);
    expect((await cloud.tandem('approve')).exitCode).toBe(0);
  }, 120_000);
  afterAll(() => cloud.dispose(), 60_000);

  const cases: {
    behaviour: Behaviour;
    stage: string;
    status: string;
    exitCode: number;
    cause: RegExp;
    doctor?: RegExp;
  }[] = [
    {
      behaviour: 'fails-its-test',
      stage: 'Build',
      status: 'Failed',
      exitCode: 1,
      cause: /node --test/,
      doctor: /the newest build failed: .*node --test/,
    },
    { behaviour: 'hangs', stage: 'Build', status: 'Failed', exitCode: 1, cause: /longer than|timed out/i },
    {
      behaviour: 'exits-at-once',
      stage: 'Staging',
      status: 'RolledBack',
      exitCode: 3,
      cause: /exit(ed)?( with)? code 3.*the price list is missing/i,
    },
    {
      behaviour: 'never-healthy',
      stage: 'Staging',
      status: 'RolledBack',
      exitCode: 3,
      cause: /health check.*503/i,
    },
    {
      behaviour: 'sickens',
      stage: 'Staging',
      status: 'RolledBack',
      exitCode: 3,
      cause: /health check.*503/i,
    },
    {
      behaviour: 'leaks',
      stage: 'Staging',
      status: 'RolledBack',
      exitCode: 3,
      cause: /memory/i,
      doctor: /staging: tasks are killed for using more than 512 MB of memory/,
    },
  ];

  test.each(cases)(
    'that $behaviour ends $status in $stage',
    async ({ behaviour, stage, status, exitCode, cause, doctor }) => {
      const { push } = await cloud.deliver(`A release that ${behaviour}`, behaviour);
      expect(push).toMatchObject({ exitCode });
      const { services, execution } = only(await cloud.status());
      expect(execution).toMatchObject({ status, stage });
      expect(execution!.cause).toMatch(cause);
      expect(execution!.cause).not.toContain('\n');
      expect((await cloud.tandem('status')).stdout).toContain(execution!.cause);
      expect(services.staging).toMatchObject({ release: good, running: 2, desired: 2 });
      expect(services.production).toMatchObject({ release: good, running: 2, desired: 2 });
      expect((await fetch(services.production.url)).status).toBe(200);
      if (doctor)
        expect(await cloud.tandem('doctor')).toMatchObject({
          exitCode: 1,
          stdout: expect.stringMatching(doctor) as string,
        });
    },
  );

  test('that ignores SIGTERM is killed after the stop timeout, and replaced all the same', async () => {
    const { push } = await cloud.deliver('A stubborn release', 'ignores-sigterm');
    expect(push.exitCode).toBe(4);
    const { commit, push: next } = await cloud.deliver('A release that lets itself be stopped');
    expect(next.exitCode).toBe(4);
    expect(only(await cloud.status()).services.staging).toMatchObject({ release: commit, running: 2 });
    expect((await cloud.tandem('events', '--limit', '200')).stdout).toMatch(/SIGKILL|137/);
  });
});

function only(status: StatusJson): StatusJson['regions'][number] {
  expect(status.regions).toHaveLength(1);
  return status.regions[0]!;
}
