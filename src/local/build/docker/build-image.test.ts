import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TandemError } from '../../../core/error.ts';
import { LayerCache } from './layers/layer-cache.ts';
import { ImageStore } from './store/image-store.ts';
import { BuildFixture } from './testing/build-fixture.ts';

let fixture: BuildFixture;
beforeEach(() => {
  fixture = new BuildFixture({ 'package.json': '{}', 'src/a.js': 'a', 'src/b.js': 'b' });
});
afterEach(() => fixture.remove());

const TWO_STAGES = `FROM node:24 AS build
WORKDIR /app
COPY package.json .
COPY src src
FROM node:24
WORKDIR /app
COPY --from=build --chown=1001 /app .
USER 1001
CMD ["node", "src/a.js"]
`;

test('the same content gives the same image: built anew, from the cache, and on another folder', async () => {
  const first = await fixture.build(TWO_STAGES);
  const cached = await fixture.build(TWO_STAGES);
  const anew = await fixture.build(TWO_STAGES, { useCache: false });
  const other = new BuildFixture({ 'src/b.js': 'b', 'src/a.js': 'a', 'package.json': '{}' });
  const elsewhere = await other.build(TWO_STAGES);
  other.remove();
  expect(cached.output).toContain('CACHED');
  expect(anew.output).not.toContain('CACHED');
  for (const { image } of [cached, anew, elsewhere])
    expect(image.manifestDigest).toBe(first.image.manifestDigest);
});

test('another content, mode or name gives another layer', async () => {
  const digestOf = async () => (await fixture.build('FROM scratch\nCOPY src /')).image.manifestDigest;
  const digests = [await digestOf()];
  fixture.write('src/a.js', 'A');
  digests.push(await digestOf());
  fixture.write('src/c.js', '');
  digests.push(await digestOf());
  expect(new Set(digests).size).toBe(3);
});

test('a change is carried through to stages that copy from the changed one', async () => {
  await fixture.build(TWO_STAGES);
  fixture.write('src/a.js', 'changed');
  const { files } = await fixture.build(TWO_STAGES);
  expect(files.get('app/src/a.js')?.text).toBe('changed');
});

test('--target builds that stage and what it needs, nothing else', async () => {
  const { image, output } = await fixture.build(`${TWO_STAGES}FROM scratch AS late\nRUN exit 1`, {
    target: '1',
  });
  expect(image.config.config.User).toBe('1001');
  expect(output).not.toContain('[late');
  await expect(fixture.build(TWO_STAGES, { target: 'nowhere' })).rejects.toThrow(
    'target stage "nowhere" could not be found. The Dockerfile has: build, 1.',
  );
});

test('FROM takes an image that this build made', async () => {
  const base = await fixture.build('FROM scratch\nCOPY src /src\nENV A=1\nCMD ["x"]');
  new ImageStore(fixture.buildFolder).tag(base.image, 'mine:1');
  const { files, image } = await fixture.build('FROM mine:1\nCOPY package.json /src/');
  expect([...files.keys()]).toEqual(['src', 'src/a.js', 'src/b.js', 'src/package.json']);
  expect(image.config.config).toMatchObject({ Env: expect.arrayContaining(['A=1']), Cmd: ['x'] });
  expect(image.config.rootfs.diff_ids).toHaveLength(2);
});

test('many builds at once share a cache and come to the same image', async () => {
  const builds = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      fixture.build(TWO_STAGES, {
        folder: join(fixture.folder, `build-${index % 3}`),
        useCache: index % 2 === 0,
      }),
    ),
  );
  const { image } = await fixture.build(TWO_STAGES);
  for (const build of builds)
    expect(build).toMatchObject({ image: { manifestDigest: image.manifestDigest } });
});

test('a damaged or pruned cache costs time, never correctness', async () => {
  const { image } = await fixture.build(TWO_STAGES);
  const blobs = join(fixture.cacheFolder, 'blobs');
  const records = join(fixture.cacheFolder, 'records');
  const [first, second] = readdirSync(blobs);
  rmSync(join(blobs, first!));
  truncateSync(join(blobs, second!), 1);
  writeFileSync(join(records, readdirSync(records)[0]!), '{"layer":');
  rmSync(fixture.buildFolder, { recursive: true });
  const again = await fixture.build(TWO_STAGES);
  expect(again.image.manifestDigest).toBe(image.manifestDigest);
});

test('pruning takes the least recently used layers first, and what a build holds stays whole', async () => {
  let now = 1_000_000;
  const clockAt = () => ({
    now: () => now,
    monotonicMs: () => 0,
    after: () => ({ cancel() {} }),
    every: () => ({ cancel() {} }),
  });
  for (const name of ['old', 'new']) {
    now += 60_000;
    await fixture.build(`FROM scratch\nCOPY src /${name}`, { clock: clockAt() });
  }
  now += 60_000;
  await fixture.build('FROM scratch\nCOPY src /old', { clock: clockAt() });
  const store = new ImageStore(fixture.buildFolder);
  const blobs = join(fixture.cacheFolder, 'blobs');
  const total = readdirSync(blobs).reduce((sum, name) => sum + statSync(join(blobs, name)).size, 0);
  const cache = new LayerCache(fixture.cacheFolder, store, () => now);
  cache.prune(total);
  expect(readdirSync(blobs)).toHaveLength(4);
  cache.prune(total - 1);
  expect(readdirSync(blobs).length).toBeLessThan(4);
  const cached = async (name: string) =>
    (await fixture.build(`FROM scratch\nCOPY src /${name}`)).output.includes('CACHED');
  expect(await cached('old')).toBe(true);
  expect(await cached('new')).toBe(false);
});

test('what power loss left of the cache is a miss, not a broken image', async () => {
  const dockerfile = 'FROM scratch\nCOPY src /app';
  const whole = await fixture.build(dockerfile);
  const blobs = join(fixture.cacheFolder, 'blobs');
  for (const name of readdirSync(blobs)) {
    const bytes = readFileSync(join(blobs, name));
    // Another file of the same name: the build before has its own links to the first.
    rmSync(join(blobs, name));
    writeFileSync(join(blobs, name), '');
    expect((await fixture.build(dockerfile)).output).not.toContain('CACHED');
    rmSync(join(blobs, name));
    writeFileSync(join(blobs, name), bytes);
  }
  expect((await fixture.build(dockerfile)).output).toContain('CACHED');
  expect(whole.output).not.toContain('CACHED');
});

test('a file of the context that changes while it is copied is noticed', async () => {
  const { writeLayer } = await import('./layers/write-layer.ts');
  const store = new ImageStore(fixture.buildFolder);
  const content = { source: { path: join(fixture.contextFolder, 'package.json') }, size: 2, sha256: 'other' };
  const entry = { path: 'x', type: 'file' as const, mode: 0o644, uid: 0, gid: 0, content };
  await expect(writeLayer(store.blobFolder, [entry], 0)).rejects.toMatchObject({
    code: 'BUILD_CONTEXT_CHANGED',
  });
  const longer = { ...entry, content: { ...content, size: 1 } };
  await expect(writeLayer(store.blobFolder, [longer], 0)).rejects.toMatchObject({
    code: 'BUILD_CONTEXT_CHANGED',
  });
});

test.each([
  [{ contextFolder: '/nowhere' }, 'The build context "/nowhere" cannot be read'],
  [{ platform: 'windows/amd64' }, '--platform=windows/amd64'],
])('%j is refused: %s', async (options, problem) => {
  await expect(fixture.build('FROM scratch', options)).rejects.toThrow(problem);
});

test('no Dockerfile, however broken, ends in anything but an image or a TandemError', async () => {
  const line = fc.constantFrom(
    'COPY . /',
    'COPY src/* /x/',
    'COPY --from=0 / /y',
    'ADD src /z',
    'WORKDIR a/..',
    'WORKDIR $A',
    'ARG A=$A$A$A$A',
    'ENV A=$A$A$A$A',
    'ENV B="${A:-${A}}"',
    'LABEL $A=1',
    'EXPOSE $A',
    'USER $A',
    'VOLUME $A',
    'CMD [',
    'CMD ["a"]',
    'COPY <<E /e\n$A${\nE',
    'COPY ["src"] /',
    'HEALTHCHECK NONE',
    'FROM scratch',
    'FROM scratch AS a',
    'COPY --from=a src src',
    'COPY --chown=1:2 --chmod=7 src /src/a.js',
    'COPY package.json /src',
    'COPY src /src',
    'SHELL []',
    'STOPSIGNAL $A',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), async lines => {
      try {
        await fixture.build(`ARG A=1\nFROM scratch\n${lines.join('\n')}`);
      } catch (error) {
        if (!(error instanceof TandemError)) throw error;
      }
    }),
    { numRuns: 60 },
  );
});
