import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkProcesses } from './processes.ts';
import { FakeCloud } from './testing/fake-cloud.ts';

let cloud: FakeCloud;
beforeEach(() => void (cloud = new FakeCloud()));
afterEach(() => cloud.remove());

test.runIf(process.platform === 'linux')('a process that outlived its cloud is told', async () => {
  expect(checkProcesses(cloud.dataDir)).toEqual([]);
  const survivor = spawn('sleep', ['60'], { cwd: cloud.folder('us-east-1'), detached: true });
  await once(survivor, 'spawn');
  expect(checkProcesses(cloud.dataDir)).toEqual([`process ${survivor.pid} outlived tandem down: sleep 60`]);
  survivor.kill('SIGKILL');
  await once(survivor, 'exit');
  expect(checkProcesses(cloud.dataDir)).toEqual([]);
});
