import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Release } from '../../model/release.ts';
import type { Task } from '../../model/task.ts';
import { nodePath, processIdentity } from '../../platform/process.ts';
import { waitForExit } from '../../platform/process-table.ts';
import {
  CRASHES,
  EXITS_ON_REQUEST,
  FADES_SOON,
  STUBBORN,
  TALKS,
  WELL,
  WELL_LATER,
} from './testing/applications.ts';
import { ImageFolder } from './testing/images.ts';
import { processesOf } from './testing/processes.ts';
import { TestRegion } from './testing/region.ts';
import { sendTraffic } from './testing/traffic.ts';

let region: TestRegion;
afterEach(() => region.destroy());

describe('after the region process was killed', { timeout: 120_000 }, () => {
  test('its tasks serve on, and the next one takes them over as they are', async () => {
    const { folder, listeners } = await TestRegion.place();
    const release = await new ImageFolder(join(folder, 'images')).release(WELL);
    const { said, child } = runRegion({ folder, listeners, release });
    expect(await said).toBe('SUCCESSFUL');
    child.kill('SIGKILL');
    await once(child, 'exit');

    const answer = await fetch(`http://127.0.0.1:${listeners.staging.port}/`);
    expect(await answer.text()).toContain(release.commit);

    region = await TestRegion.open(folder, listeners, {});
    const tasks = region.tasks();
    const pids = tasks.map(task => processesOf(region, task).main);
    expect(tasks).toHaveLength(2);
    await region.until(() => region.compute.service('staging').healthyTargets === 2);
    expect(region.tasks().map(({ id }) => id)).toEqual(tasks.map(({ id }) => id));
    expect(region.tasks().map(task => processesOf(region, task).main)).toEqual(pids);
    process.kill(pids[0]!, 'SIGKILL');
    await region.until(() => stopped(tasks[0]!)?.exitCode === 137);
  });

  test('at whatever moment of a deployment, again and again, no request is lost and all ends well', async () => {
    const { folder, listeners } = await TestRegion.place();
    const images = new ImageFolder(join(folder, 'images'));
    const releases = [
      await images.release(WELL),
      await images.release(WELL_LATER),
      await images.release(CRASHES),
    ];
    const first = runRegion({ folder, listeners, release: releases[0]! });
    expect(await first.said).toBe('SUCCESSFUL');
    first.child.kill('SIGKILL');
    const traffic = sendTraffic(`http://127.0.0.1:${listeners.staging.port}`);
    for (let changes = 2; changes <= 14; changes += 4) {
      const release = releases[changes % releases.length]!;
      await once(runRegion({ folder, listeners, release, dieAfterChanges: changes }).child, 'exit');
    }
    region = await TestRegion.open(folder, listeners, {});
    expect((await region.deployed(releases[0]!)).status).toBe('SUCCESSFUL');
    const answers = await traffic.end();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(answers.at(-1)?.body).toContain(releases[0]!.commit);
    await region.until(() => region.tasks().length === 2);
    expect((await readdir(join(folder, 'compute', 'tasks'))).sort()).toEqual(
      region
        .tasks()
        .map(({ id }) => id)
        .sort(),
    );
  });
});

describe('after a restart', () => {
  test('a task that ended meanwhile is known with its true exit code and last words, and replaced', async () => {
    region = await TestRegion.start();
    await region.deployed(await region.images.release(EXITS_ON_REQUEST));
    const [victim, survivor] = region.tasks();
    const identity = processIdentity(processesOf(region, victim!).main)!;
    await region.restart(async () => {
      await fetch(`http://127.0.0.1:${victim!.endpoint!.port}/exit`).catch(() => undefined);
      expect(await waitForExit(identity, 10_000)).toBe(true);
    });
    await region.until(() => stopped(victim!)?.status === 'STOPPED');
    expect(stopped(victim!)).toMatchObject({ exitCode: 42, stopCode: 'EssentialContainerExited' });
    const told = (await region.events()).findLast(({ type }) => type === 'TaskStopped');
    expect(told?.message).toContain('exited with code 42: Error: asked to');
    await region.until(() => region.compute.service('staging').healthyTargets === 2);
    expect(region.tasks().map(({ id }) => id)).toContain(survivor!.id);
  });

  test('a deployment goes on where it was', async () => {
    region = await TestRegion.start();
    await region.deployed(await region.images.release(WELL));
    const deployment = region.deploy(await region.images.release(FADES_SOON));
    await region.until(() => (region.compute.deployment(deployment.id)?.failedTasks ?? 0) >= 1);
    await region.restart();
    expect((await region.ended(deployment)).status).toBe('ROLLBACK_SUCCESSFUL');
    expect(region.compute.deployment(deployment.id)?.failedTasks).toBeGreaterThanOrEqual(3);
  });

  test('what was stopped with all tasks comes back', async () => {
    region = await TestRegion.start();
    const release = await region.images.release(WELL);
    await region.deployed(release);
    const before = region.tasks().map(({ id }) => id);
    await region.compute.stopAllTasks();
    expect(region.tasks()).toEqual([]);
    await region.restart();
    await region.until(() => region.compute.service('staging').healthyTargets === 2);
    expect(region.tasks().filter(({ id }) => before.includes(id))).toEqual([]);
    expect((await region.request()).body).toContain(release.commit);
  });

  test('a task that was being stopped is stopped', async () => {
    region = await TestRegion.start({ adjust: context => (context.config.service.stopTimeoutSeconds = 0.5) });
    await region.deployed(await region.images.release(STUBBORN));
    const old = region.tasks();
    region.deploy(await region.images.release(WELL));
    await region.until(() => old.every(task => stopped(task)?.status === 'STOPPING'));
    await region.restart();
    await region.until(() => old.every(task => stopped(task)?.status === 'STOPPED'));
    expect(stopped(old[0]!)).toMatchObject({ exitCode: 137, stopCode: 'ServiceSchedulerInitiated' });
  });

  test('output goes on without a gap or a repetition', async () => {
    region = await TestRegion.start({ config: { service: { desiredCount: 1, minimumCount: 1 } } });
    await region.deployed(await region.images.release(TALKS));
    const [task] = region.tasks();
    const say = (word: string) => fetch(`http://127.0.0.1:${task!.endpoint!.port}/say/${word}`);
    await say('one');
    await region.restart(async () => {
      await say('two');
      await say('three');
    });
    await say('four');
    const heard: string[] = [];
    const query = { stream: task!.id, after: 0, follow: true };
    for await (const { message } of region.context.logs.read(query, AbortSignal.timeout(20_000))) {
      if (message.startsWith('/say/')) heard.push(message.slice('/say/'.length));
      if (message === '/say/four') break;
    }
    expect(heard).toEqual(['one', 'two', 'three', 'four']);
  });

  test('what no record knows is removed: processes, folders and images', async () => {
    region = await TestRegion.start();
    const [old, current] = [await region.images.release(WELL), await region.images.release(TALKS)];
    await region.deployed(old);
    const [task] = region.tasks();
    const identity = processIdentity(processesOf(region, task!).main)!;
    await region.restart(() => {
      region.context.database.exec(`DELETE FROM compute_tasks WHERE id = '${task!.id}'`);
    });
    expect(await waitForExit(identity, 10_000)).toBe(true);
    await region.deployed(current);
    await region.restart();
    await region.until(() => region.tasks().length === 2);
    await region.compute.stop();
    const computeFolder = join(region.folder, 'compute');
    expect(await readdir(join(computeFolder, 'images'))).toEqual([current.digest.replace(':', '-')]);
    const folders = await readdir(join(computeFolder, 'tasks'));
    expect(folders.sort()).toEqual(
      region
        .tasks()
        .map(({ id }) => id)
        .sort(),
    );
    await region.restart();
  });
});

interface RegionRun {
  folder: string;
  listeners: TestRegion['listeners'];
  release: Release;
  dieAfterChanges?: number;
}

/** A region process that deploys a release; `said` is how that ended, if it lives to see it. */
function runRegion({ folder, listeners, release, dieAfterChanges = 0 }: RegionRun) {
  const script = join(import.meta.dirname, 'testing', 'region-process.ts');
  const argv = [folder, JSON.stringify(listeners), JSON.stringify(release), String(dieAfterChanges)];
  const child = spawn(nodePath, [script, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = new Promise<string>(resolve => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
  return { child, said };
}

function stopped(task: Task): Task | undefined {
  return region.compute.tasks('staging').find(({ id }) => id === task.id);
}
