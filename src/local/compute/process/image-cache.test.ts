import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ImageFolder } from '../testing/images.ts';
import { ImageCache } from './image-cache.ts';

let folder: string;
let images: ImageFolder;
let cache: ImageCache;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-cache-'));
  images = new ImageFolder(join(folder, 'registry'));
  cache = anotherProcess();
});

function anotherProcess(): ImageCache {
  return new ImageCache(join(folder, 'cache'), 'storefront', images);
}
afterEach(async () => {
  cache.close();
  await rm(folder, { recursive: true, maxRetries: 5 });
});

test('an image that many ask for at once is unpacked once', async () => {
  const { digest } = await images.release('hello', { WorkingDir: '/app' });
  const found = await Promise.all(Array.from({ length: 5 }, () => cache.unpacked(digest)));
  expect(new Set(found.map(({ root }) => root)).size).toBe(1);
  expect(found[0]?.config.WorkingDir).toBe('/app');
  expect(await readFile(join(found[0]!.root, 'app', 'server.cjs'), 'utf8')).toBe('hello');
  expect(await readdir(join(folder, 'cache'))).toEqual([digest.replace(':', '-')]);
});

test('an image that is damaged is refused, and leaves nothing behind', async () => {
  const { digest } = await images.release('hello');
  const manifest = JSON.parse(await readFile((await images.blobPath(digest))!, 'utf8')) as {
    layers: { digest: string }[];
  };
  await writeFile((await images.blobPath(manifest.layers[0]!.digest))!, 'no archive');
  await expect(cache.unpacked(digest)).rejects.toMatchObject({ code: 'TASK_IMAGE_UNAVAILABLE' });
  expect(await readdir(join(folder, 'cache'))).toEqual([]);
});

test('an image that another process unpacked is taken as it is only where it would survive power loss', async () => {
  const { digest } = await images.release('hello');
  const { root } = await cache.unpacked(digest);
  const mark = join(root, '..', 'synced');
  const server = join(root, 'app', 'server.cjs');
  await expect.poll(() => existsSync(mark), { timeout: 20_000 }).toBe(true);

  await writeFile(server, 'as it was left');
  await anotherProcess().unpacked(digest);
  expect(await readFile(server, 'utf8')).toBe('as it was left');

  await rm(mark);
  for (const path of [server, join(root, '..', 'config.json')]) await writeFile(path, '');
  await anotherProcess().unpacked(digest);
  expect(await readFile(server, 'utf8')).toBe('hello');
});

test('an image that is not there is refused', async () => {
  await expect(cache.unpacked(`sha256:${'0'.repeat(64)}`)).rejects.toMatchObject({
    code: 'TASK_IMAGE_UNAVAILABLE',
  });
});

test('pruning keeps what is needed, and takes what a crash left half made', async () => {
  const [kept, doomed] = [await images.release('kept'), await images.release('doomed')];
  await cache.unpacked(kept.digest);
  await cache.unpacked(doomed.digest);
  await writeFile(join(folder, 'cache', '.partial-of-a-crash'), '');
  await cache.prune(digest => digest === kept.digest);
  expect(await readdir(join(folder, 'cache'))).toEqual([kept.digest.replace(':', '-')]);
  expect((await cache.unpacked(doomed.digest)).root).toContain(doomed.digest.slice(7));
});
