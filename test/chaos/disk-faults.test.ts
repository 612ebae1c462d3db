import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { TestCloud } from '../end-to-end/test-cloud.ts';
import { ChaosCloud, untilNothingIsMissing } from './chaos-cloud.ts';
import { checkBlobs, checkDatabases, checkLeftovers } from './checkers/disk.ts';
import { unfinishedExecutions } from './checkers/executions.ts';
import { checkRepositories } from './checkers/pushes.ts';
import { unsettledServices } from './checkers/services.ts';
import { sendSignal } from '../../src/platform/process.ts';
import { victims } from './faults.ts';

/* What disks do to people: power that goes away in the middle of writing, and a disk that is full. */
describe('disk faults', { timeout: 180_000 }, () => {
  let tested: TestCloud;
  let cloud: ChaosCloud;
  let mounted: string | undefined;

  afterEach(async () => {
    await tested.tandem('destroy', '--yes');
    if (mounted !== undefined) execFileSync('umount', ['-l', mounted]);
    mounted = undefined;
    await tested.dispose();
  }, 60_000);

  test('power loss with half-written files everywhere: `tandem up` carries on with what was acknowledged', async () => {
    tested = await TestCloud.up({ deployment: { bakeTimeMinutes: 0 } });
    await deliver();
    const commit = await tested.commit('On its way when the light went out');
    expect((await cloud.push('us-east-1', commit, 'refs/heads/main')).exitCode).toBe(0);
    for (const { pid } of victims(cloud)) sendSignal(pid, 'SIGKILL');
    for (const region of cloud.regions) tear(cloud.folder(region));
    tearFile(join(tested.dataDir, 'supervisor.json'));

    expect((await cloud.up()).exitCode).toBe(0);
    await settled();
    const executions = await cloud.region('us-east-1').executions({ limit: 10 });
    expect(executions.map(execution => execution.commit.id)).toContain(commit);
    expect(await checkRepositories(cloud)).toEqual([]);
    expect((await tested.tandem('down')).exitCode).toBe(0);
    expect([...checkDatabases(cloud), ...checkBlobs(cloud), ...checkLeftovers(cloud)]).toEqual([]);
  });

  test.runIf(canMount())(
    'a full disk refuses pushes and stops no traffic, and all goes on once there is room',
    async () => {
      await upOnOwnDisk();
      await deliver();
      fillDisk();
      const commit = await tested.commit('Too much');
      const refused = await cloud.push('us-east-1', commit, 'refs/heads/main');
      expect(refused.exitCode).not.toBe(0);
      for (const { pid, kind } of victims(cloud)) if (kind === 'region') sendSignal(pid, 'SIGKILL');
      await expectProductionAnswers();

      rmSync(join(tested.dataDir, 'filler'));
      await settled();
      expect((await cloud.push('us-east-1', commit, 'refs/heads/main')).exitCode).toBe(0);
      await settled();
      expect(checkDatabases(cloud)).toEqual([]);
      expect(await checkRepositories(cloud)).toEqual([]);
    },
  );

  async function upOnOwnDisk(): Promise<void> {
    tested = await TestCloud.prepare({ deployment: { bakeTimeMinutes: 0 } });
    mkdirSync(tested.dataDir);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tandem-test', tested.dataDir]);
    mounted = tested.dataDir;
    const { exitCode, stderr } = await tested.tandem('up', '--detach', '--port-base', '0');
    expect(stderr + exitCode).toMatch(/0$/);
  }

  async function deliver(): Promise<void> {
    expect((await tested.tandem('push')).exitCode).toBe(4);
    expect((await tested.tandem('approve')).exitCode).toBe(0);
    cloud = await ChaosCloud.of(tested);
  }

  function fillDisk(): void {
    const path = join(tested.dataDir, 'filler');
    try {
      execFileSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=64k'], { stdio: 'ignore' });
    } catch {
      // "No space left on device": as wanted.
    }
  }

  async function settled(): Promise<void> {
    const missing = await untilNothingIsMissing(60_000, async () => {
      const unsettled = [...(await unsettledServices(cloud)), ...(await unfinishedExecutions(cloud))];
      return unsettled.length === 0 ? undefined : unsettled.join('; ');
    });
    expect(missing).toBeUndefined();
  }

  async function expectProductionAnswers(): Promise<void> {
    for (let count = 0; count < 50; count += 1) {
      for (const region of cloud.regions) expect((await fetch(cloud.productionUrl(region))).status).toBe(200);
    }
  }
});

/** As a disk without power may leave files that nobody had synced, and what writers leave that did not come to their end. */
function tear(folder: string): void {
  for (const name of ['region.json', 'balancer/process.json']) tearFile(join(folder, name));
  const log = join(folder, 'telemetry.db-wal');
  if (existsSync(log)) truncateSync(log, Math.floor(statSync(log).size * 0.7));
  writeFileSync(join(folder, 'region.json.999999.tmp'), '{"ident');
  writeFileSync(join(folder, 'balancer', 'config.json.999999.tmp'), '{"listen');
  writeFileSync(join(folder, 'registry/uploads/00000000-0000-4000-8000-000000000000'), 'half a blo');
  writeFileSync(join(folder, 'repository/repository.git/packed-refs.lock'), '');
  writeFileSync(join(folder, 'repository/repository.git/objects/pack/tmp_pack_x'), 'PACK');
  for (const task of readdirSync(join(folder, 'compute/tasks'))) {
    for (const name of ['processes', 'exit', 'output.position']) {
      const path = join(folder, 'compute/tasks', task, name);
      if (existsSync(path) || name === 'exit') writeFileSync(path, '');
    }
  }
}

function tearFile(path: string): void {
  if (existsSync(path)) truncateSync(path, Math.floor(statSync(path).size / 2));
}

/** Only the superuser of a Linux machine can give a test a small disk of its own. */
function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const folder = join('/tmp', `tandem-mount-${process.pid}`);
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tandem-test', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
