import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProgram, runCommand } from '../../platform/process.ts';
import { DOCKER_MANIFEST } from '../../wire/oci/media-types.ts';
import { makeImage, writeLayout, type TestImage } from './testing/image.ts';
import { RegistryServer } from './testing/server.ts';

const hasSkopeo = findProgram('skopeo') !== undefined;

/** Ordinary clients against the registry; skipped where skopeo is not installed. */
describe.skipIf(!hasSkopeo)('skopeo', () => {
  let base: string;
  let image: TestImage;
  let one: RegistryServer;
  let two: RegistryServer;

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'tandem-skopeo-'));
    image = await makeImage('app', { layerBytes: randomBytes(3_000_000) });
    await writeLayout(join(base, 'layout'), image, 'v1');
    one = await RegistryServer.start();
    two = await RegistryServer.start();
  });

  afterEach(async () => {
    await one.remove();
    await two.remove();
    await rm(base, { recursive: true, force: true });
  });

  it('pushes an OCI layout, and pulls the same bytes', async () => {
    await skopeo('copy', '--dest-tls-verify=false', `oci:${base}/layout:v1`, `docker://${one.host}/app:v1`);
    expect((await one.registry.manifest('app', 'v1'))?.digest).toBe(image.manifest.digest);
    await skopeo('copy', '--src-tls-verify=false', `docker://${one.host}/app:v1`, `dir:${base}/out`);
    expect((await readFile(join(base, 'out', 'manifest.json'))).equals(image.manifest.bytes)).toBe(true);
    const layer = image.layers[0]!;
    expect((await readFile(join(base, 'out', layer.digest.slice(7)))).equals(layer.bytes)).toBe(true);
  });

  it('copies between two registries, and mounts between repositories of one', async () => {
    await skopeo('copy', '--dest-tls-verify=false', `oci:${base}/layout:v1`, `docker://${one.host}/app:v1`);
    const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    await skopeo('copy', ...insecure, `docker://${one.host}/app:v1`, `docker://${two.host}/team/app:v1`);
    await skopeo(
      'copy',
      ...insecure,
      `docker://${two.host}/team/app:v1`,
      `docker://${two.host}/mirror:latest`,
    );
    for (const repository of ['team/app', 'mirror']) {
      expect(two.registry.images(repository)).toMatchObject([{ digest: image.manifest.digest }]);
    }
  });

  it('pushes as Docker schema 2, inspects, lists and deletes', async () => {
    const target = `docker://${one.host}/app:v2`;
    await skopeo('copy', '--format', 'v2s2', '--dest-tls-verify=false', `oci:${base}/layout:v1`, target);
    expect((await one.registry.manifest('app', 'v2'))?.mediaType).toBe(DOCKER_MANIFEST);
    const inspected = JSON.parse(await skopeo('inspect', '--tls-verify=false', target)) as {
      Labels: unknown;
    };
    expect(inspected.Labels).toEqual({ name: 'app' });
    const listed = JSON.parse(
      await skopeo('list-tags', '--tls-verify=false', `docker://${one.host}/app`),
    ) as { Tags: string[] };
    expect(listed.Tags).toEqual(['v2']);
    await skopeo('delete', '--tls-verify=false', target);
    expect(one.registry.images('app')).toEqual([]);
  });

  it('logs in with any name, as `docker login` does', async () => {
    const file = join(base, 'auth.json');
    const login = ['--tls-verify=false', '--authfile', file, '--username', 'AWS', '--password', 'anything'];
    await skopeo('login', ...login, one.host);
    const target = `docker://${one.host}/app:v1`;
    await skopeo('copy', '--authfile', file, '--dest-tls-verify=false', `oci:${base}/layout:v1`, target);
  });

  it("is told in words why a commit's tag does not move", async () => {
    const commit = 'd'.repeat(40);
    const target = `docker://${one.host}/app:${commit}`;
    await skopeo('copy', '--dest-tls-verify=false', `oci:${base}/layout:v1`, target);
    await writeLayout(join(base, 'other'), await makeImage('other'), 'v1');
    await expect(skopeo('copy', '--dest-tls-verify=false', `oci:${base}/other:v1`, target)).rejects.toThrow(
      /a commit's tag is immutable/,
    );
  });
});

async function skopeo(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand('skopeo', ['--insecure-policy', ...argv]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}
