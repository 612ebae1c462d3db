import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultyPeer } from './testing/faulty-peer.ts';
import { indexOf, makeImage, type TestImage } from './testing/image.ts';
import { RegistryServer } from './testing/server.ts';

const COMMIT = 'c'.repeat(40);

let source: RegistryServer;
let peer: FaultyPeer;
let target: RegistryServer;

beforeEach(async () => {
  source = await RegistryServer.start();
  peer = await FaultyPeer.start(source.endpoint);
  target = await RegistryServer.start({ limits: { idleMs: 200 } });
});

afterEach(async () => {
  await target.remove();
  await peer.stop();
  await source.remove();
});

describe('copying an image from another region', () => {
  it('brings it byte for byte, under its digest and tag', async () => {
    const image = await pushed('one');
    await pull(image, COMMIT);
    for (const reference of [COMMIT, image.manifest.digest]) {
      const answer = await target.send('GET', `/v2/app/manifests/${reference}`);
      expect(answer.body.equals(image.manifest.bytes)).toBe(true);
    }
    await expectBlobs(image);
    expect(target.registry.images('app')).toMatchObject([{ digest: image.manifest.digest, tags: [COMMIT] }]);
    expect(await readdir(join(target.context.folder, 'uploads'))).toEqual([]);
  });

  it('brings an index with every image that it names', async () => {
    const children = [await pushed('amd'), await pushed('arm')];
    const inner = indexOf([children[1]!.manifest]);
    await source.putManifest('app', inner.digest, inner);
    const index = indexOf([children[0]!.manifest, inner, children[1]!.manifest]);
    expect((await source.putManifest('app', 'multi', index)).status).toBe(201);
    await target.registry.pullFrom(peer.endpoint, 'app', index.digest, 'multi');
    expect((await target.registry.manifest('app', 'multi'))?.digest).toBe(index.digest);
    for (const child of children) {
      expect(await target.registry.manifest('app', child.manifest.digest)).toBeDefined();
      await expectBlobs(child);
    }
  });

  it('fetches nothing that is here', async () => {
    const image = await pushed('one');
    await target.pushBlob('other', image.layers[0]!);
    await pull(image);
    const layerPath = `/v2/app/blobs/${image.layers[0]!.digest}`;
    expect(peer.requests.map(request => request.path)).not.toContain(layerPath);
    await expectBlobs(image);

    peer.requests.length = 0;
    await pull(image, 'latest');
    expect(peer.requests).toEqual([]);
    expect((await target.registry.manifest('app', 'latest'))?.digest).toBe(image.manifest.digest);
  });

  it('does the work once, however many ask for it', async () => {
    const image = await pushed('one');
    await Promise.all([pull(image, 'a'), pull(image, 'b'), pull(image), pull(image, COMMIT)]);
    expect(peer.requests).toHaveLength(3);
    expect(target.registry.images('app')[0]?.tags).toEqual(['a', 'b', COMMIT]);
  });

  it("does not move a commit's tag, and fetches nothing then", async () => {
    const [mine, theirs] = [await makeImage('mine'), await pushed('theirs')];
    await target.push('app', mine, COMMIT);
    await expect(pull(theirs, COMMIT)).rejects.toMatchObject({ code: 'TAG_IMMUTABLE' });
    expect(peer.requests).toEqual([]);
    expect((await target.registry.manifest('app', COMMIT))?.digest).toBe(mine.manifest.digest);
  });
});

describe('a peer that fails now and then', () => {
  it('is asked for the rest when it breaks off, time and again', async () => {
    const image = await pushed('one', randomBytes(1_000_000));
    const layer = image.layers[0]!;
    peer.fault = path => (path.includes(layer.digest) ? { breakAfterBytes: 150_000 } : undefined);
    await pull(image);
    await expectBlobs(image);
    const ranges = peer.requests
      .filter(request => request.path.includes(layer.digest))
      .map(request => request.range);
    expect(ranges.length).toBeGreaterThan(5);
    expect(ranges[0]).toBeUndefined();
    for (const range of ranges.slice(1)) expect(range).toMatch(/^bytes=\d+-$/);
    expect(peer.bodyBytes).toBeLessThan(1.5 * layer.bytes.length);
  });

  it('is asked again after a damaged answer', async () => {
    const image = await pushed('one');
    peer.fault = (_path, count) => (count === 1 ? { isCorrupt: true } : undefined);
    await pull(image);
    await expectBlobs(image);
  });

  it('is asked again after an error of its own', async () => {
    const image = await pushed('one');
    peer.fault = (_path, count) => (count === 1 ? { status: 503 } : undefined);
    await pull(image);
    await expectBlobs(image);
  });

  it('is asked again where it falls silent', async () => {
    const image = await pushed('one');
    peer.fault = (_path, count) => (count === 1 ? { isSilent: true } : undefined);
    await pull(image);
    await expectBlobs(image);
  });

  it('is asked only for the rest by a region that was restarted meanwhile', async () => {
    const image = await pushed('one', randomBytes(1_000_000));
    const layer = image.layers[0]!;
    peer.fault = (path, count) =>
      path.includes(layer.digest)
        ? count === 1
          ? { breakAfterBytes: 600_000 }
          : { isSilent: true }
        : undefined;
    const pulling = pull(image);
    pulling.catch(() => undefined);
    await expect.poll(() => peer.requests.filter(request => request.range !== undefined).length).toBe(1);
    await target.stop();
    await expect(pulling).rejects.toMatchObject({ code: 'IMAGE_UNAVAILABLE' });

    peer.fault = () => undefined;
    peer.bodyBytes = 0;
    target = await RegistryServer.start({ folder: target.folder });
    await pull(image);
    await expectBlobs(image);
    expect(peer.bodyBytes).toBeLessThan(600_000);
  });
});

describe('an image that cannot be had', () => {
  it('because the peer is down', async () => {
    const image = await pushed('one');
    const { endpoint } = peer;
    await peer.stop();
    await expect(target.registry.pullFrom(endpoint, 'app', image.manifest.digest)).rejects.toMatchObject({
      code: 'IMAGE_UNAVAILABLE',
      kind: 'system',
      message: expect.stringMatching(
        /ECONNREFUSED.*Start that region again or build the commit here/,
      ) as string,
    });
    peer = await FaultyPeer.start(source.endpoint);
  });

  it('because the peer lacks it, which is asked once', async () => {
    const image = await makeImage('never pushed');
    await expect(pull(image)).rejects.toMatchObject({
      code: 'IMAGE_UNAVAILABLE',
      message: expect.stringContaining('it has no manifests/') as string,
    });
    expect(peer.requests).toHaveLength(1);
  });

  it.each([
    ['damaged', { isCorrupt: true }],
    ['longer than its size', { isLonger: true }],
    ['cut off at once', { breakAfterBytes: 0 }],
    ['refused', { status: 500 }],
    ['never sent', { isSilent: true }],
  ])('because a blob is always %s', async (_name, fault) => {
    const image = await pushed('one');
    peer.fault = path => (path.includes(image.layers[0]!.digest) ? fault : undefined);
    await expect(pull(image, COMMIT)).rejects.toMatchObject({ code: 'IMAGE_UNAVAILABLE' });
    expect(await target.registry.manifest('app', image.manifest.digest)).toBeUndefined();
    expect(await target.registry.manifest('app', COMMIT)).toBeUndefined();
    expect(await target.registry.blobPath(image.layers[0]!.digest)).toBeUndefined();
  });

  it('because its manifest is damaged', async () => {
    const image = await pushed('one');
    peer.fault = path => (path.includes('/manifests/') ? { isCorrupt: true } : undefined);
    await expect(pull(image)).rejects.toMatchObject({ code: 'IMAGE_UNAVAILABLE' });
  });
});

async function pushed(name: string, layerBytes?: Buffer): Promise<TestImage> {
  const image = await makeImage(name, layerBytes ? { layerBytes } : {});
  await source.push('app', image);
  return image;
}

function pull(image: TestImage, tag?: string): Promise<void> {
  return target.registry.pullFrom(peer.endpoint, 'app', image.manifest.digest, tag);
}

async function expectBlobs(image: TestImage): Promise<void> {
  for (const blob of [image.config, ...image.layers]) {
    const answer = await target.send('GET', `/v2/app/blobs/${blob.digest}`);
    expect(answer.body.equals(blob.bytes)).toBe(true);
  }
}
