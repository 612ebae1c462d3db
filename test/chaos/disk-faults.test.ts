import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { TestCloud } from '../end-to-end/test-cloud.ts';
import { ChaosCloud, untilNothingIsMissing } from './chaos-cloud.ts';
import { checkBlobs, checkDatabases, checkLeftovers } from './checkers/disk.ts';
import { unfinishedExecutions } from './checkers/executions.ts';
import { checkRepositories } from './checkers/pushes.ts';
import { unsettledServices } from './checkers/services.ts';
import { sendSignal } from '../../src/platform/process.ts';
import { victims } from './faults.ts';

/*
 * What disks do to people: power that goes away in the middle of writing, a disk that is full, and one that fails and
 * that the system lets nobody write to any more.
 */
describe('disk faults', { timeout: 180_000 }, () => {
  let tested: TestCloud;
  let cloud: ChaosCloud;
  let mounted: string | undefined;

  afterEach(async () => {
    await tested.tandem('destroy', '--yes');
    if (mounted !== undefined) execFileSync('umount', ['-l', mounted]);
    mounted = undefined;
    rmSync(imageOf(tested), { force: true });
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

  test('a region whose start fails answers nobody: half of it would say that all is well', async () => {
    tested = await TestCloud.up({ deployment: { bakeTimeMinutes: 0 } });
    await deliver();
    const hooks = join(cloud.folder('us-east-1'), 'repository/hooks');
    rmSync(hooks, { recursive: true });
    writeFileSync(hooks, '');
    killControl();
    expect(await answersOf('us-east-1', 3_000)).toBe(0);
    expect((await cloud.push('us-east-1', 'HEAD', 'refs/heads/early')).exitCode).not.toBe(0);
    await expectProductionAnswers();

    rmSync(hooks);
    await settled();
    expect((await cloud.push('us-east-1', 'HEAD', 'refs/heads/late')).exitCode).toBe(0);
  });

  test.runIf(canMount())(
    'a full disk refuses pushes and stops no traffic, and all goes on once there is room',
    async () => {
      await upOnOwnDisk('small');
      await deliver();
      // What is tidied up after a deployment makes room.
      await settled();
      fillDisk();
      const commit = await tested.commit('Too much');
      const refused = await cloud.push('us-east-1', commit, 'refs/heads/main');
      expect(refused.exitCode).not.toBe(0);
      killControl();
      await expectProductionAnswers();

      rmSync(join(tested.dataDir, 'filler'));
      await settled();
      expect((await cloud.push('us-east-1', commit, 'refs/heads/main')).exitCode).toBe(0);
      await settled();
      expect(checkDatabases(cloud)).toEqual([]);
      expect(await checkRepositories(cloud)).toEqual([]);
    },
  );

  test.runIf(canMount() && canFail())(
    'a disk that fails and is read-only from then on stops no traffic; mended, it has all that was acknowledged',
    async () => {
      await upOnOwnDisk('failing');
      await deliver();
      const kept = await tested.commit('Just before');
      expect((await cloud.push('us-east-1', kept, 'refs/heads/kept')).exitCode).toBe(0);
      failDisk();
      const commit = await tested.commit('Too late');
      const refused = await cloud.push('us-east-1', commit, 'refs/heads/main');
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stderr).toContain('unable to create');
      await expectProductionAnswers();
      killControl();
      await expectProductionAnswers();

      expect((await tested.tandem('down')).exitCode).toBe(0);
      expect(tested.processes()).toEqual([]);
      mendDisk();
      expect((await cloud.up()).exitCode).toBe(0);
      await settled();
      expect(await checkRepositories(cloud)).toEqual([]);
      expect(await tested.git('ls-remote', await gitUrl('us-west-2'), 'refs/heads/kept')).toContain(kept);
      expect((await cloud.push('us-east-1', commit, 'refs/heads/main')).exitCode).toBe(0);
      await settled();
      expect((await tested.tandem('down')).exitCode).toBe(0);
      expect([...checkDatabases(cloud), ...checkBlobs(cloud), ...checkLeftovers(cloud)]).toEqual([]);
    },
  );

  async function upOnOwnDisk(kind: 'small' | 'failing'): Promise<void> {
    tested = await TestCloud.prepare({ deployment: { bakeTimeMinutes: 0 } });
    mkdirSync(tested.dataDir);
    if (kind === 'small') {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tandem-test', tested.dataDir]);
    } else {
      writeFileSync(imageOf(tested), '');
      truncateSync(imageOf(tested), 256 * 1_048_576);
      execFileSync('mkfs.ext4', ['-q', imageOf(tested)]);
      mountImage();
    }
    mounted = tested.dataDir;
    const { exitCode, stderr } = await tested.tandem('up', '--detach', '--port-base', '0');
    expect(stderr + exitCode).toMatch(/0$/);
  }

  async function deliver(): Promise<void> {
    const pushed = await tested.tandem('push');
    expect(pushed.stderr + pushed.exitCode).toMatch(/4$/);
    const approved = await tested.tandem('approve');
    expect(approved.stderr + approved.exitCode).toMatch(/0$/);
    cloud = await ChaosCloud.of(tested);
  }

  function mountImage(): void {
    execFileSync('mount', ['-o', 'loop,errors=remount-ro', imageOf(tested), tested.dataDir]);
    rmSync(join(tested.dataDir, 'lost+found'), { recursive: true, force: true });
  }

  /** As after an input/output error in the file system's own data: whatever was open for writing is read-only as well. */
  function failDisk(): void {
    const device = execFileSync('findmnt', ['-n', '-o', 'SOURCE', tested.dataDir], {
      encoding: 'utf8',
    }).trim();
    writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, '1');
  }

  function mendDisk(): void {
    execFileSync('umount', [tested.dataDir]);
    // 1: "File system errors corrected".
    expect([0, 1]).toContain(spawnSync('e2fsck', ['-p', imageOf(tested)]).status);
    mountImage();
  }

  function killControl(): void {
    for (const { pid, kind } of victims(cloud)) if (kind === 'region') sendSignal(pid, 'SIGKILL');
  }

  /** How often a region says how it is, asked all the time. */
  async function answersOf(region: string, durationMs: number): Promise<number> {
    let answers = 0;
    for (const end = performance.now() + durationMs; performance.now() < end; await delay(5)) {
      await cloud
        .region(region)
        .status()
        .then(
          () => (answers += 1),
          () => undefined,
        );
    }
    return answers;
  }

  async function gitUrl(region: string): Promise<string> {
    return (await cloud.region(region).status()).gitUrl;
  }

  function fillDisk(): void {
    const path = join(tested.dataDir, 'filler');
    try {
      execFileSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=4k'], { stdio: 'ignore' });
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

function imageOf(cloud: TestCloud): string {
  return `${cloud.folder}.ext4`;
}

/** Linux can be told that an ext4 has an error; a container may not have the devices that this needs. */
function canFail(): boolean {
  const image = join('/tmp', `tandem-image-${process.pid}`);
  try {
    writeFileSync(image, '');
    truncateSync(image, 16 * 1_048_576);
    execFileSync('mkfs.ext4', ['-q', image], { stdio: 'ignore' });
    mkdirSync(`${image}.mounted`);
    execFileSync('mount', ['-o', 'loop', image, `${image}.mounted`], { stdio: 'ignore' });
    const device = execFileSync('findmnt', ['-n', '-o', 'SOURCE', `${image}.mounted`], { encoding: 'utf8' });
    execFileSync('umount', [`${image}.mounted`]);
    return device.startsWith('/dev/loop');
  } catch {
    return false;
  } finally {
    rmSync(image, { force: true });
    rmSync(`${image}.mounted`, { recursive: true, force: true });
  }
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
