import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run, TestCloud } from './test-cloud.ts';

const hasSkopeo = canRun('skopeo');

/* Programs that know nothing of Tandem, against a running local cloud. */
describe('real clients', { timeout: 120_000 }, () => {
  let cloud: TestCloud;
  let scratch: string;
  let endpoints: string[];
  let remotes: string[];

  beforeAll(async () => {
    cloud = await TestCloud.up();
    scratch = await mkdtemp(join(tmpdir(), 'tandem-clients-'));
    expect((await cloud.tandem('push')).exitCode).toBe(4);
    const { stdout } = await cloud.tandem('status', '--json');
    const { regions } = JSON.parse(stdout) as { regions: { endpoint: string; gitUrl: string }[] };
    endpoints = regions.map(region => region.endpoint);
    remotes = regions.map(region => region.gitUrl);
  }, 120_000);
  afterAll(async () => {
    await cloud.dispose();
    await rm(scratch, { recursive: true, force: true });
  }, 60_000);

  test('git push tells the pusher where to watch', async () => {
    await cloud.commit('Pushed by plain git');
    const push = await run('git', ['push', 'tandem', 'main'], cloud.folder);
    expect(push.exitCode).toBe(0);
    expect(push.stderr).toMatch(/remote: .*us-east-1/);
    expect(push.stderr).toMatch(/remote: .*tandem/);
  });

  test('both regions give the same clone, tags, notes of who wrote what included', async () => {
    await cloud.git('tag', '-a', 'v1', '-m', 'Version 1');
    await cloud.git('push', '--quiet', 'tandem', 'v1');
    const wanted = await cloud.git('log', '--format=%H %an %ae %ad %s', 'main');
    await untilTrue(async () => (await cloud.git('ls-remote', remotes[1]!, 'refs/tags/v1')) !== '');
    for (const [index, remote] of remotes.entries()) {
      const clone = join(scratch, `clone-${index}`);
      await must('git', ['clone', '--quiet', remote, clone]);
      expect(await must('git', ['log', '--format=%H %an %ae %ad %s', 'main'], clone)).toBe(wanted);
      expect(await must('git', ['describe', '--exact-match', 'v1'], clone)).toBe('v1');
    }
  });

  test('a shallow clone holds one commit', async () => {
    const clone = join(scratch, 'shallow');
    await must('git', ['clone', '--quiet', '--depth', '1', remotes[0]!, clone]);
    expect(await must('git', ['rev-list', '--count', 'HEAD'], clone)).toBe('1');
  });

  test('of two pushes at once to one branch, one lands whole and the other is told to fetch first', async () => {
    const clones = await Promise.all(
      ['left', 'right'].map(async side => {
        const clone = join(scratch, side);
        await must('git', ['clone', '--quiet', remotes[0]!, clone]);
        await writeFile(join(clone, side), side);
        await must('git', ['add', side], clone);
        await must('git', ['commit', '--quiet', '-m', side], clone);
        return clone;
      }),
    );
    const pushes = await Promise.all(clones.map(clone => run('git', ['push', 'origin', 'HEAD:race'], clone)));
    const landed = pushes.filter(push => push.exitCode === 0);
    const refused = pushes.filter(push => push.exitCode !== 0);
    expect([landed.length, refused.length]).toEqual([1, 1]);
    expect(refused[0]!.stderr).toMatch(/fetch first|non-fast-forward|pull, then push again/);
  });

  test.skipIf(!hasSkopeo)('skopeo copies images out, in, and from region to region', async () => {
    const hosts = endpoints.map(endpoint => new URL(endpoint).host);
    const head = await cloud.git('rev-parse', 'HEAD~1');
    const layout = join(scratch, 'layout');
    const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    await must('skopeo', [
      'copy',
      '--quiet',
      insecure[0]!,
      `docker://${hosts[0]}/shop:${head}`,
      `oci:${layout}:shop`,
    ]);
    await must('skopeo', [
      'copy',
      '--quiet',
      insecure[1]!,
      `oci:${layout}:shop`,
      `docker://${hosts[0]}/other/shop:latest`,
    ]);
    await must('skopeo', [
      'copy',
      '--quiet',
      ...insecure,
      `docker://${hosts[0]}/other/shop:latest`,
      `docker://${hosts[1]}/other/shop:copied`,
    ]);
    const digests = await Promise.all(
      [`${hosts[0]}/shop:${head}`, `${hosts[1]}/other/shop:copied`].map(name =>
        must('skopeo', ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${name}`]),
      ),
    );
    expect(digests[0]).toBe(digests[1]);
  });

  test.skipIf(!canRun('curl'))('curl reads a page, its head, and the API', async () => {
    const { regions } = await cloud.status();
    const { url } = regions[0]!.services.staging;
    expect(await must('curl', ['-sS', url])).toContain('release');
    expect(await must('curl', ['-sSI', url])).toMatch(/^HTTP\/1\.1 200/);
    expect(await must('curl', ['-sS', '--http1.0', url])).toContain('release');
    expect(await must('curl', ['-sS', `${endpoints[0]}/api/status`])).toContain('us-east-1');
  });

  async function must(program: string, argv: string[], cwd = scratch): Promise<string> {
    const output = await run(program, argv, cwd);
    if (output.exitCode !== 0) throw new Error(`${program} ${argv.join(' ')}: ${output.stderr}`);
    return output.stdout.trim();
  }
});

async function untilTrue(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 20));
}

function canRun(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
