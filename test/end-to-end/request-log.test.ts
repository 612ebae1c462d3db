import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCloud } from './test-cloud.ts';

/** Requests at the load balancer of a real cloud, as the command shows them; without a release, each gets 503. */
describe('the log of requests', { timeout: 120_000 }, () => {
  let cloud: TestCloud;
  let url: string;

  beforeAll(async () => {
    cloud = await TestCloud.up();
    url = (await cloud.status()).regions[0]!.services.production.url;
  }, 120_000);
  afterAll(() => cloud.dispose(), 60_000);

  test('is shown by the command that shows it on AWS', async () => {
    await fetch(`${url}/orders?id=1`);
    await fetch(`${url}/other`);
    const { stdout, exitCode } = await shown('/other', '--stream', 'production', '--grep', '503');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(
      /^\S+Z us-east-1 balancer\/production 127\.0\.\d\.1 "GET http:\/\/127\.0\.\d\.1:\d+\/orders\?id=1 HTTP\/1\.1" 503 by the load balancer \(forward\), \d+ bytes, "\S+", Root=1-\S+$/,
    );
    expect((await cloud.tandem('logs', 'balancer', '--stream', 'staging')).stdout).toBe('');
    expect((await cloud.tandem('logs')).stdout).toBe('');
    const { stdout: json } = await cloud.tandem('logs', 'balancer', '--limit', '1', '--json');
    expect(JSON.parse(json)).toMatchObject({ region: 'us-east-1', group: 'balancer', stream: 'production' });
  });

  test('ends with the switch in the configuration, by `tandem up`', async () => {
    const path = join(cloud.folder, 'tandem.config.ts');
    await writeFile(
      path,
      (await readFile(path, 'utf8')).replace(
        '"application"',
        '"logs": { "accessLogs": false }, "application"',
      ),
    );
    expect(await cloud.tandem('up', '--detach')).toMatchObject({ exitCode: 0 });
    expect(await cloud.tandem('logs', 'balancer')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('error[ACCESS_LOGS_OFF]: us-east-1: the load balancer in us-east-1'),
    });
  });

  /** What the command says once it shows this text: lines come within a quarter of a second. */
  async function shown(text: string, ...argv: string[]) {
    for (;;) {
      const output = await cloud.tandem('logs', 'balancer', ...argv);
      if (output.stdout.includes(text) || output.exitCode !== 0) return output;
    }
  }
});
