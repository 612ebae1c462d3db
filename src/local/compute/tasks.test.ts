import { afterEach, describe, expect, test } from 'vitest';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '../../model/task.ts';
import { processIdentity } from '../../platform/process.ts';
import { waitForExit } from '../../platform/process-table.ts';
import { BREAKS_ON_REQUEST, LEAKS, NOISY, STUBBORN, WELL } from './testing/applications.ts';
import { processesOf } from './testing/processes.ts';
import { TestRegion } from './testing/region.ts';

let region: TestRegion;
afterEach(() => region.destroy());

describe('a task that fails', () => {
  test('is replaced at once, and its exit code is told', async () => {
    region = await TestRegion.start();
    await region.deployed(await region.images.release(WELL));
    const [victim, survivor] = region.tasks();
    process.kill(processesOf(region, victim!).main, 'SIGKILL');
    await region.until(() => stopped(victim!)?.status === 'STOPPED');
    expect(stopped(victim!)).toMatchObject({
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      exitCode: 137,
    });
    await region.until(() => healthy() === 2);
    const after = region.tasks();
    expect(after.map(({ id }) => id)).toContain(survivor!.id);
    expect(after.map(({ zone }) => zone).sort()).toEqual(['us-east-1a', 'us-east-1b']);
  });

  test('is replaced when it becomes unhealthy, after its replacement is healthy', async () => {
    region = await TestRegion.start();
    await region.deployed(await region.images.release(BREAKS_ON_REQUEST));
    const [victim] = region.tasks();
    const statuses: number[] = [];
    region.compute.onChange(() => statuses.push(region.compute.service('staging').running));
    await fetch(`http://127.0.0.1:${victim!.endpoint!.port}/break`);
    await region.until(() => stopped(victim!)?.status === 'STOPPED');
    expect(stopped(victim!)).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: 'Task failed ELB health checks in (target-group storefront-staging)',
      exitCode: 0,
    });
    expect(Math.max(...statuses)).toBe(3);
    expect(healthy()).toBe(2);
  });

  test('for using more memory than it may is killed, and says so as ECS does', async () => {
    region = await TestRegion.start({ adjust: context => (context.config.service.memoryMb = 100) });
    await region.deployed(await region.images.release(LEAKS));
    const [victim] = region.tasks();
    await fetch(`http://127.0.0.1:${victim!.endpoint!.port}/leak`);
    await region.until(() => stopped(victim!)?.status === 'STOPPED');
    expect(stopped(victim!)).toMatchObject({
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'OutOfMemoryError: Container killed due to memory usage',
      exitCode: 137,
    });
    const told = (await region.events()).find(
      ({ type, data }) => type === 'TaskStopped' && data['taskId'] === victim!.id,
    );
    expect(told?.message).toContain('killed for using more than 100 MB');
    await region.until(() => healthy() === 2);
  });

  test('whose supervisor was killed goes on serving, and nobody claims to know its exit code', async () => {
    region = await TestRegion.start();
    await region.deployed(await region.images.release(WELL));
    const [task] = region.tasks();
    const { supervisor, main } = processesOf(region, task!);
    process.kill(supervisor, 'SIGKILL');
    await waitForExit(processIdentity(supervisor) ?? '0:', 5_000);
    expect((await fetch(`http://127.0.0.1:${task!.endpoint!.port}/`)).status).toBe(200);
    process.kill(main, 'SIGKILL');
    await region.until(() => stopped(task!)?.status === 'STOPPED');
    expect(stopped(task!)).toMatchObject({ stopCode: 'EssentialContainerExited' });
    expect(stopped(task!)?.exitCode).toBeUndefined();
  });
});

describe('stopping', () => {
  test('ends politely, and leaves no process and no file', async () => {
    region = await TestRegion.start();
    await region.deployed(await region.images.release(WELL));
    const tasks = region.tasks();
    const identities = tasks.map(task => processIdentity(processesOf(region, task).main));
    await region.compute.stopAllTasks();
    for (const identity of identities) expect(await waitForExit(identity!, 5_000)).toBe(true);
    expect(region.tasks()).toEqual([]);
    expect(stopped(tasks[0]!)).toMatchObject({ stopCode: 'UserInitiated', exitCode: 0 });
    expect(lines(tasks[0]!)).toContain('stopping');
    expect(await readdir(join(region.folder, 'compute', 'tasks'))).toEqual([]);
  });

  test('kills what ignores SIGTERM after the stop timeout, with what it started', async () => {
    region = await TestRegion.start({ adjust: context => (context.config.service.stopTimeoutSeconds = 0.3) });
    await region.deployed(await region.images.release(STUBBORN));
    const [task] = region.tasks();
    const child = Number(await (await fetch(`http://127.0.0.1:${task!.endpoint!.port}/`)).text());
    const identity = processIdentity(child)!;
    await region.compute.stopAllTasks();
    expect(stopped(task!)).toMatchObject({ exitCode: 137, stopCode: 'UserInitiated' });
    expect(lines(task!)).toContain('I stay');
    expect(await waitForExit(identity, 5_000)).toBe(true);
  });

  test('sends the signal that the image asks for', async () => {
    region = await TestRegion.start();
    const script = `${WELL} process.on('SIGINT', () => { console.log('interrupted'); process.exit(7); });`;
    await region.deployed(await region.images.release(script, { StopSignal: 'SIGINT' }));
    const [task] = region.tasks();
    await region.compute.stopAllTasks();
    expect(stopped(task!)?.exitCode).toBe(7);
  });
});

describe('the environment of a task', () => {
  test('is the image, the configuration and what Tandem tells; nothing of the region process', async () => {
    process.env['TANDEM_TEST_LEAK'] = 'leaked';
    region = await TestRegion.start({
      config: {
        service: { environment: { GREETING: 'hello' } },
        environments: { staging: { service: { environment: { GREETING: 'hello staging' } } } },
      },
    });
    const script = WELL.replace(
      'process.env.RELEASE',
      'JSON.stringify({ ...process.env, cwd: process.cwd(), exe: process.execPath })',
    );
    const release = await region.images.release(script, {
      Env: ['FROM_IMAGE=yes', 'PORT=1', 'PATH=/app/bin:/usr/bin'],
    });
    await region.deployed(release);
    const { body } = await region.request();
    const seen = JSON.parse(body.slice(0, body.lastIndexOf('}') + 1)) as Record<string, string>;
    const task = region.tasks().find(({ id }) => id === seen['TASK_ID']);
    expect(seen).toMatchObject({
      FROM_IMAGE: 'yes',
      GREETING: 'hello staging',
      PORT: String(task?.endpoint?.port),
      AWS_REGION: 'us-east-1',
      ENVIRONMENT: 'staging',
      APPLICATION: 'storefront',
      RELEASE: release.commit,
      RELEASE_DIGEST: release.digest,
      TASK_ZONE: task?.zone,
      exe: process.execPath,
    });
    expect(seen['cwd']).toMatch(/\/root\/app$/);
    expect(seen['TANDEM_TEST_LEAK']).toBeUndefined();
    delete process.env['TANDEM_TEST_LEAK'];
  });

  test('gives each task files of its own', async () => {
    region = await TestRegion.start();
    const script = `require('node:fs').appendFileSync('note', process.env.TASK_ID + '\\n'); ${WELL.replace(
      'process.env.RELEASE',
      "require('node:fs').readFileSync('note', 'utf8').trim()",
    )}`;
    await region.deployed(await region.images.release(script));
    for (const { id, endpoint } of region.tasks()) {
      expect(await (await fetch(`http://127.0.0.1:${endpoint!.port}/`)).text()).toBe(`${id} ${id}`);
    }
  });
});

describe('the HEALTHCHECK of an image', () => {
  test('keeps a task out of service until it succeeds, and replaces one that fails it', async () => {
    region = await TestRegion.start();
    const check = 'test -e healthy && wget -q -O- http://localhost:8080/health';
    const script = `setTimeout(() => require('node:fs').writeFileSync('healthy', ''), 500); ${WELL.replace(
      "request.url === '/slow'",
      "request.url === '/sick' && (require('node:fs').rmSync('healthy'), false)",
    )}`;
    const image = { Healthcheck: { Test: ['CMD-SHELL', check], Interval: 1e9, Retries: 1 } };
    await region.deployed(await region.images.release(script, image));
    expect(region.tasks().map(({ containerHealth }) => containerHealth)).toEqual(['HEALTHY', 'HEALTHY']);
    const [victim] = region.tasks();
    await fetch(`http://127.0.0.1:${victim!.endpoint!.port}/sick`);
    await region.until(() => stopped(victim!)?.status === 'STOPPED');
    expect(stopped(victim!)).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: 'Task failed container health checks',
    });
  });

  test('that can not be run here is told once and left aside', async () => {
    region = await TestRegion.start();
    const image = { Healthcheck: { Test: ['CMD-SHELL', 'no-such-tool http://localhost/ || exit 1'] } };
    const { status } = await region.deployed(await region.images.release(WELL, image));
    expect(status).toBe('SUCCESSFUL');
    expect(region.tasks().map(({ containerHealth }) => containerHealth)).toEqual(['UNKNOWN', 'UNKNOWN']);
    const told = (await region.events()).filter(({ type }) => type === 'ContainerHealthCheckSkipped');
    expect(told).toHaveLength(1);
    expect(told[0]?.message).toContain('no-such-tool');
  });
});

test('output comes line by line, whole, and does not fill the disk', async () => {
  region = await TestRegion.start({ config: { service: { desiredCount: 1, minimumCount: 1 } } });
  await region.deployed(await region.images.release(NOISY));
  const [task] = region.tasks();
  const last = async () => region.context.logs.tail('staging', task!.id, 1)[0]?.message;
  for await (const event of region.context.logs.read(
    { stream: task!.id, follow: true },
    AbortSignal.timeout(20_000),
  )) {
    if (event.message === 'the end') break;
  }
  expect(await last()).toBe('the end');
  const numbers = region.context.logs.tail('staging', task!.id, 100_000).map(({ message }) => message);
  const counted = numbers.filter(line => line.startsWith('line '));
  expect(counted).toHaveLength(20_000);
  expect(counted.at(-1)).toBe(`line 19999 ${'ä'.repeat(50)}`);
  expect(new Set(counted).size).toBe(20_000);
  const { size } = await stat(join(region.folder, 'compute', 'tasks', task!.id, 'output.log'));
  expect(size).toBeLessThan(1024 * 1024);
});

function stopped(task: Task): Task | undefined {
  return region.compute.tasks('staging').find(({ id }) => id === task.id);
}

function healthy(): number {
  return region.compute.service('staging').healthyTargets;
}

function lines(task: Task): string[] {
  return region.context.logs.tail('staging', task.id, 100).map(({ message }) => message);
}
