import { readFileSync } from 'node:fs';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sendSignal } from '../../src/platform/process.ts';
import { run, TestCloud } from '../end-to-end/test-cloud.ts';
import { startLoad, type Load } from '../end-to-end/load.ts';
import { ChaosCloud, untilNothingIsMissing } from './chaos-cloud.ts';
import { unsettledServices } from './checkers/services.ts';
import { victims } from './faults.ts';

/*
 * What serves users does not depend on what controls it: under load of every kind, control processes die, come back,
 * and are replaced by others, and no client notices.
 */
describe('static stability', { timeout: 120_000 }, () => {
  let tested: TestCloud;
  let cloud: ChaosCloud;
  let load: Load;

  beforeAll(async () => {
    tested = await TestCloud.up({ deployment: { bakeTimeMinutes: 0 } });
    expect((await tested.tandem('push')).exitCode).toBe(4);
    expect((await tested.tandem('approve')).exitCode).toBe(0);
    cloud = await ChaosCloud.of(tested);
    load = startLoad(cloud.productionUrl('us-east-1'));
  }, 120_000);
  afterAll(async () => {
    const { answered, lost } = await load.stop();
    await tested.dispose();
    expect(lost).toEqual([]);
    expect(Math.min(...Object.values(answered))).toBeGreaterThan(0);
  }, 60_000);

  test('a region process that is killed comes back and adopts what runs', async () => {
    const before = servingProcesses();
    const [old] = pidsOf('region');
    process.kill(old!, 'SIGKILL');
    await settled();
    expect(pidsOf('region')).not.toContain(old);
    expect(servingProcesses()).toEqual(before);
  });

  test('without its supervisor nothing changes; `tandem up` adopts the regions', async () => {
    const before = servingProcesses();
    const regions = pidsOf('region');
    process.kill(pidsOf('supervisor')[0]!, 'SIGKILL');
    const { exitCode, stderr } = await cloud.up();
    expect(stderr + exitCode).toMatch(/0$/);
    expect(pidsOf('region')).toEqual(regions);
    expect(servingProcesses()).toEqual(before);
  });

  test('supervisor and region processes killed at once: `tandem up` starts them around what runs', async () => {
    const before = servingProcesses();
    for (const pid of [...pidsOf('supervisor'), ...pidsOf('region')]) sendSignal(pid, 'SIGKILL');
    expect((await fetch(cloud.productionUrl('us-west-2'))).status).toBe(200);
    expect((await cloud.up()).exitCode).toBe(0);
    await settled();
    expect(servingProcesses()).toEqual(before);
  });

  test('`tandem up` over a running cloud with the same settings is refused, and changes nothing', async () => {
    const before = victims(cloud).map(({ pid }) => pid);
    const { exitCode, stderr } = await cloud.up();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('LOCAL_CLOUD_RUNNING');
    expect(victims(cloud).map(({ pid }) => pid)).toEqual(before);
  });

  test('a changed config is taken over: the regions go by it, tasks and load balancers are the same', async () => {
    const before = servingProcesses();
    const regions = pidsOf('region');
    const path = join(tested.folder, 'tandem.config.ts');
    const config = await readFile(path, 'utf8');
    await writeFile(path, config.replace('"service": {', '"service": {\n    "maximumCount": 7,'));
    const { exitCode, stderr } = await cloud.up();
    expect(stderr).toContain('taking over the running cloud with changed config (service.maximumCount)');
    expect(exitCode).toBe(0);
    expect(pidsOf('region').filter(pid => regions.includes(pid))).toEqual([]);
    await settled();
    expect(servingProcesses()).toEqual(before);
  });

  test('another version of Tandem takes over in the same way', async () => {
    const before = servingProcesses();
    const newer = await installNewerVersion(join(tested.folder, '.tandem', 'newer'));
    const output = await run(
      process.execPath,
      [join(newer, 'bin/tandem.js'), 'up', '--detach', '--port-base', '0'],
      tested.folder,
    );
    expect(output.stderr).toContain('taking over the running cloud with Tandem 99.0.0 in place of');
    expect(output.exitCode).toBe(0);
    await settled();
    expect(servingProcesses()).toEqual(before);
  });

  function pidsOf(kind: string): number[] {
    const pids = victims(cloud)
      .filter(victim => victim.kind === kind)
      .map(({ pid }) => pid);
    // What is about to become git or a task is, for a moment, a copy of the process that starts it.
    return pids.filter(pid => !pids.includes(parentOf(pid)));
  }

  /** Everything between a user and the application. */
  function servingProcesses(): number[] {
    return [...pidsOf('balancer'), ...pidsOf('wrapper'), ...pidsOf('task')];
  }

  async function settled(): Promise<void> {
    const missing = await untilNothingIsMissing(30_000, async () => {
      const unsettled = await unsettledServices(cloud);
      return unsettled.length === 0 ? undefined : unsettled.join('; ');
    });
    expect(missing).toBeUndefined();
  }
});

/** This checkout again, under a version number of the future. */
async function installNewerVersion(folder: string): Promise<string> {
  const checkout = resolve(import.meta.dirname, '../..');
  for (const name of ['bin', 'src']) await cp(join(checkout, name), join(folder, name), { recursive: true });
  await symlink(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  const manifest = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')) as object;
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...manifest, version: '99.0.0' }));
  return folder;
}

/** Field 4 of /proc/<pid>/stat; the process itself where it is gone already. */
function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return pid;
  }
}
