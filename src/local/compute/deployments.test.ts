import { afterEach, describe, expect, test } from 'vitest';
import { RegistryServer } from '../registry/testing/server.ts';
import {
  BREAKS_ON_REQUEST,
  CRASHES,
  FADES,
  NEVER_HEALTHY,
  WELL,
  WELL_LATER,
} from './testing/applications.ts';
import { TestRegion } from './testing/region.ts';
import { sendTraffic } from './testing/traffic.ts';

let region: TestRegion;
afterEach(() => region.destroy());

describe('a first deployment', () => {
  test('brings the release into service on every task, in both zones', async () => {
    region = await TestRegion.start();
    expect((await region.request()).status).toBe(503);
    const release = await region.images.release(WELL);
    const deployment = await region.deployed(release);
    expect(deployment).toMatchObject({ status: 'SUCCESSFUL', failedTasks: 0 });
    const tasks = region.tasks();
    expect(tasks.map(({ zone }) => zone).sort()).toEqual(['us-east-1a', 'us-east-1b']);
    expect(tasks.map(({ status }) => status)).toEqual(['RUNNING', 'RUNNING']);
    expect((await region.request()).body).toContain(release.commit);
    expect(region.compute.service('staging')).toMatchObject({
      desired: 2,
      running: 2,
      pending: 0,
      healthyTargets: 2,
      release,
    });
    const types = (await region.events()).map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining(['DeploymentStarted', 'TaskStarted', 'DeploymentSteady', 'DeploymentSucceeded']),
    );
    const messages = region.compute.service('staging').events.map(({ message }) => message);
    expect(messages).toContain('(service staging) has reached a steady state.');
    expect(messages.join('\n')).toMatch(/registered \d targets in \(target-group storefront-staging\)/);
  });

  test("runs what was pushed to the region's registry", async () => {
    const server = await RegistryServer.start();
    region = await TestRegion.start({ registry: server.registry });
    const release = await region.images.release(WELL);
    const { config, layers, manifest } = await region.images.contents(release.digest);
    await server.push('storefront', { config, layers, manifest });
    expect((await region.deployed(release)).status).toBe('SUCCESSFUL');
    expect((await region.request()).body).toContain(release.commit);
    await server.remove();
  });

  test('leaves the other environment alone', async () => {
    region = await TestRegion.start();
    await region.deployed(await region.images.release(WELL), 'production');
    expect(region.tasks('staging')).toEqual([]);
    expect((await region.request('/', 'staging')).status).toBe(503);
    expect((await region.request('/', 'production')).status).toBe(200);
    expect(region.compute.service('staging')).toMatchObject({ desired: 0, running: 0 });
  });

  test('that crashes ends with the reason, and leaves nothing running', async () => {
    // One task at a time: of several that crash together, as many as one pass finds are counted at once.
    region = await TestRegion.start({ config: { service: { desiredCount: 1, minimumCount: 1 } } });
    const deployment = await region.deployed(await region.images.release(CRASHES));
    expect(deployment).toMatchObject({
      status: 'ROLLBACK_FAILED',
      failedTasks: 3,
      cause:
        "3 tasks in a row exited with code 1: Error: Cannot find module 'a-module-that-is-not-there'; there is no earlier release to go back to, so its tasks were stopped",
    });
    await region.until(() => region.tasks().length === 0);
    expect(region.stopped()[0]).toMatchObject({
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      exitCode: 1,
    });
  });

  test('whose image is nowhere tells so in the words of ECS', async () => {
    region = await TestRegion.start();
    const release = await region.images.release(WELL);
    const { status, cause } = await region.deployed({ ...release, digest: `sha256:${'0'.repeat(64)}` });
    expect(status).toBe('ROLLBACK_FAILED');
    expect(cause).toContain("is not in this region's registry");
    await region.until(() => region.tasks().length === 0);
    expect(region.stopped()[0]).toMatchObject({ stopCode: 'TaskFailedToStart' });
    expect(region.stopped()[0]?.stoppedReason).toMatch(/^CannotPullContainerError: /);
  });

  test('whose command does not exist tells which', async () => {
    region = await TestRegion.start();
    const release = await region.images.release(WELL, { Cmd: ['no-such-program'] });
    const { cause } = await region.deployed(release);
    expect(cause).toContain('exec: "no-such-program": executable file not found');
    await region.until(() => region.tasks().length === 0);
    expect(region.stopped()[0]?.stoppedReason).toMatch(/^CannotStartContainerError: /);
  });

  test('is started once per token', async () => {
    region = await TestRegion.start();
    const release = await region.images.release(WELL);
    const request = { token: 'same', service: 'staging' as const, release, executionId: 'e1' };
    const first = region.compute.startDeployment(request);
    expect(region.compute.startDeployment(request).id).toBe(first.id);
    await region.ended(first);
    expect(region.compute.startDeployment(request)).toMatchObject({ id: first.id, status: 'SUCCESSFUL' });
  });
});

describe('a rolling deployment', () => {
  test('loses no request, and keeps at least the minimum healthy and at most the maximum running', async () => {
    region = await TestRegion.start();
    const [first, second] = [await region.images.release(WELL), await region.images.release(WELL_LATER)];
    await region.deployed(first);
    const seen: { live: number; healthy: number }[] = [];
    region.compute.onChange(() => {
      const { running, pending, healthyTargets } = region.compute.service('staging');
      seen.push({ live: running + pending, healthy: healthyTargets });
    });
    const traffic = sendTraffic(region.url('staging'));
    const deployment = await region.deployed(second);
    const answers = await traffic.end();
    expect(deployment).toMatchObject({ status: 'SUCCESSFUL', previous: first });
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(answers.some(({ body }) => body.includes(first.commit))).toBe(true);
    expect(answers.at(-1)?.body).toContain(second.commit);
    expect(Math.max(...seen.map(({ live }) => live))).toBeLessThanOrEqual(4);
    expect(Math.min(...seen.map(({ healthy }) => healthy))).toBeGreaterThanOrEqual(2);
  });

  test('that crashes goes back by itself: the old tasks never stop', async () => {
    region = await TestRegion.start();
    const good = await region.images.release(WELL);
    await region.deployed(good);
    const before = region.tasks().map(({ id }) => id);
    const traffic = sendTraffic(region.url('staging'));
    const deployment = await region.deployed(await region.images.release(CRASHES));
    expect(deployment).toMatchObject({
      status: 'ROLLBACK_SUCCESSFUL',
      cause: "3 tasks in a row exited with code 1: Error: Cannot find module 'a-module-that-is-not-there'",
    });
    expect((await traffic.end()).filter(({ status }) => status !== 200)).toEqual([]);
    await region.until(() => region.tasks().length === 2);
    expect(region.tasks().map(({ id }) => id)).toEqual(before);
    expect(region.compute.service('staging').release).toEqual(good);
    expect((await region.events()).map(({ type }) => type)).toContain('DeploymentRolledBack');
  });

  test('that is never healthy goes back, saying what the health checks found', async () => {
    region = await TestRegion.start();
    await region.deployed(await region.images.release(WELL));
    region.context.config.deployment.circuitBreaker.threshold = { type: 'COUNT', value: 2 };
    const { status, cause } = await region.deployed(await region.images.release(NEVER_HEALTHY));
    expect(status).toBe('ROLLBACK_SUCCESSFUL');
    expect(cause).toBe('2 tasks in a row answered health checks on /health with 503');
    await region.until(() => region.tasks().length === 2);
    expect(region.stopped().map(({ stoppedReason }) => stoppedReason)).toContain(
      'Task failed ELB health checks in (target-group storefront-staging)',
    );
  });

  test('whose tasks die while it bakes goes back', async () => {
    region = await TestRegion.start({ config: { deployment: { bakeTimeMinutes: 60 } } });
    const good = await region.images.release(WELL);
    region.context.config.deployment.bakeTimeMinutes = 0;
    await region.deployed(good);
    region.context.config.deployment.bakeTimeMinutes = 60;
    const { status, cause, steadyAt } = await region.deployed(await region.images.release(FADES));
    expect({ status, steadyAt }).toEqual({ status: 'ROLLBACK_SUCCESSFUL', steadyAt: undefined });
    expect(cause).toContain('exited with code 3: Error: out of luck');
    expect((await region.request()).body).toContain(good.commit);
    expect((await region.events()).map(({ type }) => type)).toContain('DeploymentSteady');
  });

  test('whose tasks become unhealthy while it bakes goes back', async () => {
    region = await TestRegion.start();
    await region.deployed(await region.images.release(WELL));
    region.context.config.deployment.bakeTimeMinutes = 60;
    const deployment = region.deploy(await region.images.release(BREAKS_ON_REQUEST));
    await region.until(() => region.compute.deployment(deployment.id)?.steadyAt !== undefined);
    expect(region.compute.deployment(deployment.id)?.waiting?.for).toBe('the bake to end');
    const broken = new Set<string>();
    const breakRunning = () => {
      for (const task of region.tasks()) {
        if (task.status !== 'RUNNING' || task.deploymentId !== deployment.id || broken.has(task.id)) continue;
        // One that does not listen yet is tried again when it is healthy.
        fetch(`http://127.0.0.1:${task.endpoint!.port}/break`).then(
          () => broken.add(task.id),
          () => undefined,
        );
      }
    };
    region.compute.onChange(breakRunning);
    breakRunning();
    const { status, cause } = await region.ended(deployment);
    expect(status).toBe('ROLLBACK_SUCCESSFUL');
    expect(cause).toContain('answered health checks on /health with 500');
  });

  test('over tasks that nobody has found healthy, and that answer all the same, loses no request', async () => {
    region = await TestRegion.start();
    const [first, second] = [
      await region.images.release(NEVER_HEALTHY),
      await region.images.release(WELL_LATER),
    ];
    region.deploy(first);
    await region.until(() => region.tasks().filter(({ status }) => status === 'RUNNING').length === 2);
    while ((await region.request()).status !== 200);
    const traffic = sendTraffic(region.url('staging'));
    expect((await region.deployed(second)).status).toBe('SUCCESSFUL');
    const answers = await traffic.end();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(answers.at(-1)?.body).toContain(second.commit);
  });

  test('gives way to a newer one', async () => {
    region = await TestRegion.start();
    const [first, second] = [await region.images.release(NEVER_HEALTHY), await region.images.release(WELL)];
    const older = region.deploy(first);
    const newer = region.deploy(second);
    expect(region.compute.deployment(older.id)).toMatchObject({ status: 'STOPPED' });
    expect(region.compute.deployment(older.id)?.cause).toContain('newer deployment');
    expect((await region.ended(newer)).status).toBe('SUCCESSFUL');
    expect((await region.request()).body).toContain(second.commit);
  });

  test('stopped with ROLLBACK goes back; stopped with ABORT leaves things as they are', async () => {
    region = await TestRegion.start();
    const good = await region.images.release(WELL);
    await region.deployed(good);
    const bad = await region.images.release(NEVER_HEALTHY);
    const rolledBack = region.deploy(bad);
    region.compute.stopDeployment(rolledBack.id, 'ROLLBACK');
    expect(await region.ended(rolledBack)).toMatchObject({
      status: 'ROLLBACK_SUCCESSFUL',
      cause: 'a rollback was requested',
    });
    const aborted = region.deploy(bad);
    region.compute.stopDeployment(aborted.id, 'ABORT');
    expect((await region.ended(aborted)).status).toBe('STOPPED');
    expect(region.compute.service('staging')).toMatchObject({ release: good, healthyTargets: 2 });
  });
});

test('an application that takes its time to start is waited for', async () => {
  region = await TestRegion.start();
  const slow = await region.images.release(`setTimeout(() => { ${WELL} }, 2_000);`);
  expect(await region.deployed(slow)).toMatchObject({ status: 'SUCCESSFUL', failedTasks: 0 });
});

describe('a restart', () => {
  test('replaces every task with a new one of the same release', async () => {
    region = await TestRegion.start();
    const release = await region.images.release(WELL);
    await region.deployed(release);
    const before = region.tasks().map(({ id }) => id);
    const traffic = sendTraffic(region.url('staging'));
    region.compute.restart('staging');
    const restarting = region.compute.service('staging').deployment!;
    expect(() => region.compute.restart('staging')).toThrow(/is being deployed/);
    expect((await region.ended(restarting)).status).toBe('SUCCESSFUL');
    expect((await traffic.end()).filter(({ status }) => status !== 200)).toEqual([]);
    await region.until(() => region.tasks().length === 2);
    const after = region.tasks();
    expect(after.filter(({ id }) => before.includes(id))).toEqual([]);
    expect(after.map(({ release: { digest } }) => digest)).toEqual([release.digest, release.digest]);
  });

  test('of a service without a release says so', async () => {
    region = await TestRegion.start();
    expect(() => region.compute.restart('production')).toThrow(/production has no release/);
  });
});
