import { afterEach, expect, test } from 'vitest';
import { sendSignal } from '../../src/platform/process.ts';
import { run, TANDEM, TestCloud, testEnvironment } from '../end-to-end/test-cloud.ts';
import { ChaosCloud, untilNothingIsMissing } from './chaos-cloud.ts';
import { unsettledServices } from './checkers/services.ts';
import { victims } from './faults.ts';
import { TimeOfDay } from './time-of-day.ts';

let tested: TestCloud;
let timeOfDay: TimeOfDay;

afterEach(() => tested.dispose(), 60_000);

test.runIf(TimeOfDay.canBeSet)(
  'the time of day is set forward and back by hours: tasks are replaced, deployments end, approvals wait',
  async () => {
    tested = await TestCloud.prepare();
    timeOfDay = new TimeOfDay(tested.folder);
    await up();
    const cloud = await ChaosCloud.of(tested);
    expect((await tested.tandem('push')).exitCode).toBe(4);
    expect((await tested.tandem('approve')).exitCode).toBe(0);
    const waiting = await tested.commit('Waits for its approval');
    expect((await tested.tandem('push')).exitCode).toBe(4);

    for (const hours of [5, -4]) {
      await losesTask(cloud);
      timeOfDay.setHours(hours);
      await losesTask(cloud);
      killControl(cloud, 'us-east-1');
      await settled(cloud);
      await losesTask(cloud);
      await settled(cloud);
    }
    const [execution] = await cloud.region('us-east-1').executions({ limit: 1 });
    expect(execution).toMatchObject({ status: 'Waiting', commit: { id: waiting } });
    timeOfDay.setHours(3);
    expect((await tested.tandem('approve')).exitCode).toBe(0);
    timeOfDay.setHours(-3);
    expect((await tested.deliver('After it all')).push.exitCode).toBe(4);
    expect((await tested.tandem('approve')).exitCode).toBe(0);
  },
  180_000,
);

async function up(): Promise<void> {
  const { exitCode, stderr } = await run(
    process.execPath,
    [TANDEM, 'up', '--detach', '--port-base', '0'],
    tested.folder,
    { ...testEnvironment(), ...timeOfDay.environment },
  );
  expect(stderr + exitCode).toMatch(/0$/);
}

async function losesTask(cloud: ChaosCloud): Promise<void> {
  await settled(cloud);
  const tasks = victims(cloud).filter(({ kind }) => kind === 'task');
  expect(tasks.some(({ pid }) => sendSignal(pid, 'SIGKILL'))).toBe(true);
}

function killControl(cloud: ChaosCloud, region: string): void {
  for (const victim of victims(cloud)) {
    if (victim.kind === 'region' && victim.region === region) sendSignal(victim.pid, 'SIGKILL');
  }
}

async function settled(cloud: ChaosCloud): Promise<void> {
  const missing = await untilNothingIsMissing(30_000, async () => {
    const unsettled = await unsettledServices(cloud);
    return unsettled.length === 0 ? undefined : unsettled.join('; ');
  });
  expect(missing).toBeUndefined();
}
