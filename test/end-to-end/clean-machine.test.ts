import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { run, TANDEM, TestCloud, testEnvironment } from './test-cloud.ts';

describe('the machine is left clean', { timeout: 120_000 }, () => {
  const clouds: TestCloud[] = [];
  const kept = (cloud: TestCloud) => {
    clouds.push(cloud);
    return cloud;
  };
  afterEach(async () => {
    await Promise.all(clouds.splice(0).map(cloud => cloud.dispose()));
  });

  test('down leaves no process, up brings everything back, destroy leaves no file', async () => {
    const cloud = kept(await TestCloud.up());
    expect((await cloud.tandem('push')).exitCode).toBe(4);
    const before = await cloud.status();
    expect(cloud.processes().length).toBeGreaterThan(6);

    expect((await cloud.tandem('down')).exitCode).toBe(0);
    expect(cloud.processes()).toEqual([]);

    expect((await cloud.tandem('up', '--detach')).exitCode).toBe(0);
    const after = await cloud.status();
    expect(after.regions.map(({ services }) => services.staging.url)).toEqual(
      before.regions.map(({ services }) => services.staging.url),
    );
    expect(after.regions.map(({ execution }) => execution)).toMatchObject([
      { status: 'Waiting' },
      { status: 'Waiting' },
    ]);

    const unconfirmed = await cloud.tandem('destroy');
    expect(unconfirmed.exitCode).toBe(2);
    expect(unconfirmed.stderr).toContain('--yes');
    expect(existsSync(cloud.dataDir)).toBe(true);

    expect((await cloud.tandem('destroy', '--yes')).exitCode).toBe(0);
    expect(cloud.processes()).toEqual([]);
    expect(existsSync(cloud.dataDir)).toBe(false);
  });

  test('Ctrl-C in the foreground is a clean stop', async () => {
    const cloud = kept(await TestCloud.prepare());
    const child = spawn(process.execPath, [TANDEM, 'up', '--port-base', '0'], {
      cwd: cloud.folder,
      env: testEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exit = new Promise<number | null>(resolve => child.once('exit', resolve));
    await new Promise<void>(resolve => {
      let output = '';
      const look = (text: Buffer) => {
        output += text.toString();
        if (/production/.test(output)) resolve();
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
    });
    child.kill('SIGINT');
    expect(await exit).toBe(0);
    expect(cloud.processes()).toEqual([]);
  });

  test('a second up on one data folder is refused by name', async () => {
    const cloud = kept(await TestCloud.up());
    const second = await cloud.tandem('up', '--detach', '--port-base', '0');
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain('LOCAL_CLOUD_RUNNING');
    expect(second.stderr).toContain('tandem down');
    expect((await cloud.tandem('status')).exitCode).toBe(0);
  });

  test('a taken port is named, with the way out, and nothing is left running', async () => {
    const cloud = kept(await TestCloud.prepare());
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.1.1', resolve));
    const { port } = server.address() as AddressInfo;
    const up = await cloud.tandem('up', '--detach', '--port-base', String(port));
    server.close();
    expect(up.exitCode).toBe(1);
    expect(up.stderr).toContain('PORT_TAKEN');
    expect(up.stderr).toContain(`127.0.1.1:${port}`);
    expect(up.stderr).toContain('--port-base');
    expect(cloud.processes()).toEqual([]);
  });

  test('a machine without git is told so', async () => {
    const cloud = kept(await TestCloud.prepare());
    const bin = join(cloud.folder, 'bin');
    await mkdir(bin);
    await symlink(process.execPath, join(bin, 'node'));
    const up = await run(process.execPath, [TANDEM, 'up', '--detach', '--port-base', '0'], cloud.folder, {
      ...testEnvironment(),
      PATH: bin,
    });
    expect(up.exitCode).toBe(1);
    expect(up.stderr).toContain('GIT_MISSING');
    expect(cloud.processes()).toEqual([]);
  });

  test('an invalid configuration creates nothing, and every fault is told at once', async () => {
    const cloud = kept(await TestCloud.prepare());
    await writeFile(
      join(cloud.folder, 'tandem.config.ts'),
      `export default { application: 'shop', regionz: ['us-east-1'], service: { cpu: 300, helthCheck: {} } };\n`,
    );
    const up = await cloud.tandem('up', '--detach');
    expect(up.exitCode).toBe(2);
    for (const told of ['regionz', 'regions', 'service.cpu', '300', 'service.helthCheck', 'healthCheck']) {
      expect(up.stderr).toContain(told);
    }
    expect(existsSync(cloud.dataDir)).toBe(false);
  });
});
