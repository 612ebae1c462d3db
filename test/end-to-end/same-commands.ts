import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Execution } from '../../src/model/execution.ts';
import type { Behaviour, Output } from './test-cloud.ts';

/*
 * The contract of both implementations of `Cloud`, held to by the very same command lines: real processes that steer a real
 * local cloud, and an AWS that moto and test/aws/delivery-double.ts play over HTTP.
 */

interface World {
  tandem(...argv: string[]): Promise<Output>;
  commit(subject: string, behaviour?: Behaviour): Promise<string>;
  dispose(): Promise<void>;
}

/** Tests of one cloud: those of the other are a file of their own, so that both run at once. */
export function testSameCommands(cloud: string, start: () => Promise<World>): void {
  describe(`the same commands on ${cloud}`, { timeout: 180_000 }, () => {
    let world: World;
    let first: string;
    let second: string;

    beforeAll(async () => {
      world = await start();
    }, 180_000);
    afterAll(() => world.dispose(), 60_000);

    const tandem = (...argv: string[]) => world.tandem(...argv);
    const asJson = async (...argv: string[]): Promise<unknown> =>
      JSON.parse((await tandem(...argv, '--json')).stdout);
    const regions = async () => ((await asJson('status')) as { regions: StatusOfRegion[] }).regions;
    const newest = async () =>
      ((await asJson('executions')) as { regions: { executions: Execution[] }[] }).regions.map(
        ({ executions }) => executions[0]!,
      );
    const inProduction = async () => (await regions()).map(({ services }) => services.production.release);
    const deliver = async (subject: string, behaviour?: Behaviour) => {
      const commit = await world.commit(subject, behaviour);
      return { commit, push: await tandem('push') };
    };

    test('before the first push nothing runs, and no id names anything', async () => {
      for (const { health, problems, services, execution } of await regions()) {
        expect({ health, problems }).toEqual({ health: 'healthy', problems: [] });
        expect(services.production.release).toBeNull();
        expect(execution).toBeNull();
      }
      expect(await tandem('executions', 'abcd1234')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('error[EXECUTION_UNKNOWN]'),
      });
      expect(await tandem('executions', 'ab')).toMatchObject({ exitCode: 1 });
      expect(await tandem('status', '--region', 'eu-west-9')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('error[REGION_UNKNOWN]'),
      });
    });

    test('a push is followed in every region, to where it waits for a person', async () => {
      const { commit, push } = await deliver('One');
      first = commit;
      expect(push.exitCode).toBe(4);
      expect(push.stdout).toMatch(/us-east-1 +waiting .*\nus-west-2 +waiting /);
      for (const { services, execution } of await regions()) {
        expect(services.staging.release).toBe(first);
        expect(services.production.release).toBeNull();
        expect(execution).toMatchObject({
          commit: first,
          subject: 'One',
          status: 'Waiting',
          stage: 'Approval',
        });
      }
      for (const { stages, waiting, trigger } of await newest()) {
        expect(stages.map(({ status }) => status)).toEqual([
          'Succeeded',
          'Succeeded',
          'Succeeded',
          'Waiting',
          'NotStarted',
        ]);
        expect(waiting!.for).toMatch(/^a person to approve \(tandem approve [0-9a-f]{8}\) or reject it$/);
        expect(waiting!.until).toBeGreaterThan(Date.now());
        expect(trigger.ref).toBe('refs/heads/main');
      }
    });

    test('an execution is shown by the beginning of its id', async () => {
      const [{ id }] = (await newest()) as [Execution];
      const { exitCode, stdout } = await tandem('executions', id.slice(0, 8));
      expect(exitCode).toBe(0);
      expect(stdout).toContain(id);
      expect(stdout).toContain(`${first} One`);
      expect(stdout).toContain('Ann <ann@example.com>');
    });

    test('approved, it is followed to production, and cannot be approved again', async () => {
      const approve = await tandem('approve', '--comment', 'looks good');
      expect(approve).toMatchObject({ exitCode: 0 });
      expect(await inProduction()).toEqual([first, first]);
      for (const { status, approval } of await newest()) {
        expect(status).toBe('Succeeded');
        expect(approval).toMatchObject({
          decision: 'Approved',
          comment: expect.stringContaining('looks good'),
        });
      }
      expect(await tandem('approve')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('error[EXECUTION_NOT_FOUND]'),
      });
      const [{ id }] = (await newest()) as [Execution];
      expect(await tandem('approve', id)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('error[APPROVAL_NOT_WAITING]'),
      });
      expect(await tandem('stop', id)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('error[EXECUTION_ENDED]'),
      });
      expect(await tandem('retry', id)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('error[RETRY_IMPOSSIBLE]'),
      });
    });

    test('releases tell what runs where, by digest', async () => {
      const { regions: found } = (await asJson('releases')) as {
        regions: {
          releases: { commit: string; digest: string; runningIn: string[]; imageAvailable: boolean }[];
        }[];
      };
      for (const { releases } of found) {
        expect(releases[0]).toMatchObject({
          commit: first,
          digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
          runningIn: ['staging', 'production'],
          imageAvailable: true,
        });
      }
    });

    test('rejected, nothing changes in production', async () => {
      expect((await deliver('Two')).push.exitCode).toBe(4);
      expect((await tandem('reject', '--comment', 'not on a Friday')).exitCode).toBe(0);
      expect(await inProduction()).toEqual([first, first]);
      for (const { status, stage, approval } of await newest()) {
        expect({ status, stage }).toEqual({ status: 'Failed', stage: 'Approval' });
        expect(approval).toMatchObject({ decision: 'Rejected', comment: expect.stringContaining('Friday') });
      }
    });

    test('a failed build fails the execution, and nothing after it runs', async () => {
      const { push } = await deliver('Red', 'fails-its-test');
      expect(push.exitCode).toBe(1);
      for (const { status, stage, stages } of await newest()) {
        expect({ status, stage }).toEqual({ status: 'Failed', stage: 'Build' });
        expect(stages.at(-1)!.status).toBe('NotStarted');
      }
    });

    test('a release that went back is rolled back: neither failed nor succeeded, also when it is tried again', async () => {
      const { push } = await deliver('Broken', 'exits-at-once');
      expect(push.exitCode).toBe(3);
      expect(push.stdout).toMatch(/us-east-1 +rolled back .*\nus-west-2 +rolled back /);
      for (const { services, execution } of await regions()) {
        expect(execution).toMatchObject({ status: 'RolledBack', stage: 'Staging' });
        expect(execution!.cause).not.toBeNull();
        expect(services.production.release).toBe(first);
      }
      const retry = await tandem('retry');
      expect(retry.exitCode).toBe(3);
      for (const { stages } of await newest()) {
        expect(stages.find(({ name }) => name === 'Staging')).toMatchObject({
          attempt: 2,
          status: 'RolledBack',
        });
      }
    });

    test('what waits can be stopped', async () => {
      expect((await deliver('Three')).push.exitCode).toBe(4);
      expect((await tandem('stop')).exitCode).toBe(0);
      for (const { status } of await newest()) expect(status).toBe('Stopped');
      const [{ cause }] = (await newest()) as [Execution];
      expect(cause).toContain('stopped by');
    });

    test('a rollback brings the release before back, and one that is unknown is refused before the question', async () => {
      ({ commit: second } = await deliver('Four'));
      expect((await tandem('approve')).exitCode).toBe(0);
      expect(await inProduction()).toEqual([second, second]);
      expect(await tandem('rollback', 'feedface')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('error[RELEASE_UNKNOWN]'),
      });
      const back = await tandem('rollback', '--yes');
      expect(back).toMatchObject({ exitCode: 0 });
      expect(back.stderr).toContain(`production: ${second.slice(0, 7)} -> ${first.slice(0, 7)}`);
      expect(await inProduction()).toEqual([first, first]);
      for (const { trigger, status } of await newest()) {
        expect({ kind: trigger.kind, status }).toEqual({ kind: 'rollback', status: 'Succeeded' });
      }
      expect((await tandem('rollback', second.slice(0, 8), '--yes')).exitCode).toBe(0);
      expect(await inProduction()).toEqual([second, second]);
    });

    test('a restart keeps the release, and a scaling keeps to its bounds', async () => {
      expect(await tandem('restart', 'production')).toMatchObject({ exitCode: 0 });
      expect(await inProduction()).toEqual([second, second]);
      expect(await tandem('scale', 'production', '--count', '99')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('error[SCALE_OUT_OF_RANGE]'),
      });
      expect((await tandem('scale', 'production', '--count', '3', '--no-wait')).exitCode).toBe(0);
      for (const { services } of await regions()) expect(services.production.desired).toBe(3);
    });

    test('events are told in the order of time, numbered within each region', async () => {
      const { stdout } = await tandem('events', '--json', '--limit', '40');
      const events = stdout
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line) as { at: number; region: string; sequence: number; message: string });
      expect(events.length).toBeGreaterThan(20);
      expect(events.map(({ at }) => at)).toEqual(
        events.map(({ at }) => at).toSorted((one, other) => one - other),
      );
      for (const region of ['us-east-1', 'us-west-2']) {
        const own = events.filter(event => event.region === region).map(({ sequence }) => sequence);
        expect(own).toEqual([...new Set(own)].toSorted((one, other) => one - other));
      }
    });
  });
}

interface StatusOfRegion {
  region: string;
  health: string;
  problems: string[];
  services: Record<'staging' | 'production', { release: string | null; desired: number }>;
  execution: { commit: string; subject: string; status: string; stage: string; cause: string | null } | null;
}
