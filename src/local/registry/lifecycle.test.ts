import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../core/duration.ts';
import { contentOf, indexOf, makeImage, manifestOf, referrerOf, type TestImage } from './testing/image.ts';
import { movableClock, RegistryServer } from './testing/server.ts';

let clock: ReturnType<typeof movableClock>;
let server: RegistryServer;

beforeEach(async () => {
  clock = movableClock();
  server = await RegistryServer.start({ clock, config: { registry: { keepImages: 3 } } });
});

afterEach(async () => {
  await server.remove();
});

describe('the lifecycle', () => {
  it('keeps the newest images, those in use, and frees the rest from the disk', async () => {
    const images = await pushImages(6);
    clock.advance(2 * HOUR_MS);
    const inUse = new Set([images[0]!.manifest.digest]);
    const { expired, freedBytes } = await server.registry.applyLifecycle(inUse);

    expect(new Set(expired)).toEqual(new Set([images[1]!.manifest.digest, images[2]!.manifest.digest]));
    expect(freedBytes).toBe(sizeOf(images[1]!) + sizeOf(images[2]!));
    expect(server.registry.images('app').map(image => image.tags)).toEqual([['v5'], ['v4'], ['v3'], ['v0']]);
    for (const [index, image] of images.entries()) {
      const isKept = index !== 1 && index !== 2;
      expect((await server.send('GET', `/v2/app/manifests/v${index}`)).status).toBe(isKept ? 200 : 404);
      const layer = image.layers[0]!.digest;
      expect((await server.send('GET', `/v2/app/blobs/${layer}`)).status).toBe(isKept ? 200 : 404);
      expect(await server.registry.blobPath(layer)).toEqual(isKept ? expect.any(String) : undefined);
    }
    expect(await server.registry.applyLifecycle(inUse)).toEqual({ expired: [], freedBytes: 0 });
  });

  it('frees blobs of expired images only after the grace that a push may need', async () => {
    const images = await pushImages(4);
    expect(await server.registry.applyLifecycle(new Set())).toEqual({
      expired: [images[0]!.manifest.digest],
      freedBytes: 0,
    });
    expect(await server.registry.blobPath(images[0]!.layers[0]!.digest)).toBeDefined();
    clock.advance(2 * HOUR_MS);
    expect(await server.registry.applyLifecycle(new Set())).toEqual({
      expired: [],
      freedBytes: sizeOf(images[0]!),
    });
  });

  it('keeps a layer that a kept image shares with an expired one, or another repository has', async () => {
    const shared = contentOf('shared', 'application/vnd.oci.image.layer.v1.tar');
    const images = await Promise.all(
      [0, 1, 2, 3].map(async index => {
        const own = await makeImage(`image ${index}`);
        return { ...own, layers: [shared], manifest: manifestOf(own.config, [shared]) };
      }),
    );
    for (const [index, image] of images.entries()) await server.push('app', image, `v${index}`);
    await server.push('other', images[0]!, 'v0');
    clock.advance(2 * HOUR_MS);
    expect((await server.registry.applyLifecycle(new Set())).expired).toEqual([images[0]!.manifest.digest]);
    expect((await server.send('GET', `/v2/app/blobs/${shared.digest}`)).status).toBe(200);
    expect((await server.send('GET', `/v2/app/blobs/${images[0]!.config.digest}`)).status).toBe(404);
    expect((await server.send('GET', `/v2/other/blobs/${images[0]!.config.digest}`)).status).toBe(200);
  });

  it('never breaks a push under way: blobs sent, or found here already, wait for their manifest', async () => {
    const [old] = await pushImages(4);
    clock.advance(DAY_MS);
    const next = await makeImage('next');
    // The client finds the old image's layer here and leaves it out; it sends its own config.
    const layer = old!.layers[0]!;
    expect((await server.send('HEAD', `/v2/app/blobs/${layer.digest}`)).status).toBe(200);
    await server.pushBlob('app', next.config);
    expect((await server.registry.applyLifecycle(new Set())).expired).toEqual([old!.manifest.digest]);
    const manifest = manifestOf(next.config, [layer]);
    expect((await server.putManifest('app', 'next', manifest)).status).toBe(201);
  });

  it('counts an index once, keeps it for the sake of a child in use, and takes it whole', async () => {
    const index = await pushIndex('multi');
    await pushImages(3);
    clock.advance(2 * HOUR_MS);
    const inUse = new Set([index.children[0]!.manifest.digest]);
    expect((await server.registry.applyLifecycle(inUse)).expired).toEqual([]);
    expect((await server.registry.applyLifecycle(new Set())).expired.sort()).toEqual(
      [index.digest, ...index.children.map(child => child.manifest.digest)].sort(),
    );
  });

  it('leaves the children of an index alone that is not here yet', async () => {
    await pushImages(3);
    const children = await Promise.all(['a', 'b', 'c', 'd'].map(name => makeImage(name)));
    for (const child of children) await server.push('app', child);
    expect((await server.registry.applyLifecycle(new Set())).expired).toEqual([]);
    const index = indexOf(children.map(child => child.manifest));
    expect((await server.putManifest('app', 'multi', index)).status).toBe(201);
  });

  it('takes signatures with their image, and keeps them with it', async () => {
    const images = await pushImages(4);
    const signatures = images.map(image =>
      referrerOf(image.manifest, 'application/x-signature', image.manifest.digest),
    );
    for (const signature of signatures) await server.push('app', signature);
    clock.advance(2 * HOUR_MS);
    expect((await server.registry.applyLifecycle(new Set())).expired.sort()).toEqual(
      [images[0]!.manifest.digest, signatures[0]!.manifest.digest].sort(),
    );
    const kept = await server.send('GET', `/v2/app/manifests/${signatures[3]!.manifest.digest}`);
    expect(kept.status).toBe(200);
  });
});

async function pushImages(count: number): Promise<TestImage[]> {
  const images: TestImage[] = [];
  for (let index = 0; index < count; index += 1) {
    const image = await makeImage(`image ${index}`);
    await server.push('app', image, `v${index}`);
    images.push(image);
    clock.advance(1);
  }
  return images;
}

async function pushIndex(tag: string): Promise<{ digest: string; children: TestImage[] }> {
  const children = [await makeImage('amd'), await makeImage('arm')];
  for (const child of children) await server.push('app', child);
  const index = indexOf(children.map(child => child.manifest));
  await server.putManifest('app', tag, index);
  clock.advance(1);
  return { digest: index.digest, children };
}

function sizeOf(image: TestImage): number {
  return [image.config, ...image.layers].reduce((sum, blob) => sum + blob.bytes.length, 0);
}
