import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpackLayer, type LayerLimits } from './archive.ts';

const TAR = 'application/vnd.oci.image.layer.v1.tar';

let base: string;
let folder: string;
let outside: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'tandem-archive-'));
  folder = join(base, 'image');
  outside = join(base, 'outside');
  await mkdir(folder);
  await mkdir(outside);
});

afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

describe('unpacking a layer', () => {
  it('writes files, folders and links with their mode and time', async () => {
    const mtime = new Date('2024-02-03T04:05:06Z');
    await unpack([
      { name: 'usr/', type: 'directory', mode: 0o755 },
      { name: 'usr/bin/', type: 'directory', mode: 0o500 },
      { name: 'usr/bin/run', mode: 0o751, mtime, body: 'hello' },
      { name: 'bin', type: 'symlink', linkname: 'usr/bin' },
      { name: 'usr/bin/again', type: 'link', linkname: 'usr/bin/run' },
    ]);
    const run = await stat(join(folder, 'usr/bin/run'));
    expect(run.mode & 0o7777).toBe(0o751);
    expect(run.mtime).toEqual(mtime);
    expect(await read('usr/bin/run')).toBe('hello');
    expect(await readlink(join(folder, 'bin'))).toBe('usr/bin');
    expect((await stat(join(folder, 'usr/bin/again'))).ino).toBe(run.ino);
    // Its owner may still enter, write and remove it.
    expect((await stat(join(folder, 'usr/bin'))).mode & 0o777).toBe(0o700);
  });

  it.each([
    ['Docker gzip', 'application/vnd.docker.image.rootfs.diff.tar.gzip', gzipSync],
    ['OCI gzip', `${TAR}+gzip`, gzipSync],
    ['OCI zstd', `${TAR}+zstd`, zstdCompressSync],
    ['Docker tar', 'application/vnd.docker.image.rootfs.diff.tar', (archive: Buffer) => archive],
  ])('takes %s', async (_name, mediaType, compress) => {
    await unpackBytes(compress(await tar([{ name: 'a', body: 'x'.repeat(300_000) }])), mediaType);
    expect(await read('a')).toHaveLength(300_000);
  });

  it('drops set-user-id bits, which would act for whoever unpacks', async () => {
    await unpack([{ name: 'sudo', mode: 0o6755, body: '' }]);
    expect((await stat(join(folder, 'sudo'))).mode & 0o7777).toBe(0o755);
  });

  it('makes folders that only their content names', async () => {
    await unpack([{ name: './a/b/c', body: '1' }]);
    expect(await read('a/b/c')).toBe('1');
  });

  it('reads long names and big times from pax headers', async () => {
    const name = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(200)}`;
    await unpack([{ name, body: 'long' }]);
    expect(await read(name)).toBe('long');
  });

  it('leaves devices and pipes out', async () => {
    await unpack([
      { name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3 },
      { name: 'pipe', type: 'fifo' },
      { name: 'kept', body: '' },
    ]);
    expect(await readdir(folder)).toEqual(['kept']);
  });
});

describe('laying a layer onto others', () => {
  it('replaces files, folders by files, and links, and merges folders', async () => {
    await unpack([
      { name: 'file', body: 'old' },
      { name: 'tree/a', body: 'a' },
      { name: 'becomes-file/x', body: 'x' },
      { name: 'becomes-folder', body: 'x' },
      { name: 'link', type: 'symlink', linkname: 'file' },
    ]);
    await unpack([
      { name: 'file', body: 'new' },
      { name: 'tree/', type: 'directory' },
      { name: 'tree/b', body: 'b' },
      { name: 'becomes-file', body: 'y' },
      { name: 'becomes-folder/', type: 'directory' },
      { name: 'link', body: 'no longer a link' },
    ]);
    expect(await read('file')).toBe('new');
    expect((await readdir(join(folder, 'tree'))).sort()).toEqual(['a', 'b']);
    expect(await read('becomes-file')).toBe('y');
    expect((await stat(join(folder, 'becomes-folder'))).isDirectory()).toBe(true);
    expect(await read('link')).toBe('no longer a link');
  });

  it('does not change the other names of a hard-linked file', async () => {
    await unpack([
      { name: 'a', body: 'shared' },
      { name: 'b', type: 'link', linkname: 'a' },
    ]);
    await unpack([{ name: 'b', body: 'own' }]);
    expect(await read('a')).toBe('shared');
    expect(await read('b')).toBe('own');
  });

  it('takes away what a whiteout names', async () => {
    await unpack([
      { name: 'tree/a', body: '' },
      { name: 'tree/deep/b', body: '' },
      { name: 'keep', body: '' },
    ]);
    await unpack([
      { name: 'tree/.wh.a', body: '' },
      { name: 'tree/.wh.deep', body: '' },
      { name: '.wh.never-was', body: '' },
    ]);
    expect(await readdir(join(folder, 'tree'))).toEqual([]);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['keep', 'tree']));
  });

  it.each([
    [
      'before',
      [
        { name: 'tree/.wh..wh..opq', body: '' },
        { name: 'tree/new', body: '' },
      ],
    ],
    [
      'after',
      [
        { name: 'tree/new', body: '' },
        { name: 'tree/.wh..wh..opq', body: '' },
      ],
    ],
  ])('empties an opaque folder of lower layers alone, the mark standing %s', async (_where, upper) => {
    await unpack([
      { name: 'tree/old', body: '' },
      { name: 'tree/deep/old', body: '' },
    ]);
    await unpack(upper);
    expect(await readdir(join(folder, 'tree'))).toEqual(['new']);
  });

  it('a whiteout and a new thing of the same name: the new thing stays, whatever comes first', async () => {
    await unpack([{ name: 'a/old', body: '' }]);
    await unpack([
      { name: 'a/new', body: '' },
      { name: '.wh.a', body: '' },
    ]);
    expect(await readdir(join(folder, 'a'))).toEqual(['new']);
  });

  it('follows links within the image, relative and absolute, as if the folder were the root', async () => {
    await unpack([
      { name: 'usr/lib/', type: 'directory' },
      { name: 'lib', type: 'symlink', linkname: 'usr/lib' },
      { name: 'absolute', type: 'symlink', linkname: '/usr/lib' },
    ]);
    await unpack([
      { name: 'lib/one', body: '1' },
      { name: 'absolute/two', body: '2' },
    ]);
    expect((await readdir(join(folder, 'usr/lib'))).sort()).toEqual(['one', 'two']);
  });
});

describe('a hostile layer', () => {
  it.each<[string, Entry[]]>([
    ['a path that climbs', [{ name: '../outside/evil', body: 'x' }]],
    ['a path that climbs in its middle', [{ name: 'a/../../outside/evil', body: 'x' }]],
    ['an absolute path', [{ name: '/etc/evil', body: 'x' }]],
    [
      'a file through a link that climbs',
      [
        { name: 'escape', type: 'symlink', linkname: '../outside' },
        { name: 'escape/evil', body: 'x' },
      ],
    ],
    [
      'a folder through a link that climbs',
      [
        { name: 'a/escape', type: 'symlink', linkname: '../../outside' },
        { name: 'a/escape/evil/', type: 'directory' },
      ],
    ],
    [
      'a chain of links that climbs',
      [
        { name: 'one', type: 'symlink', linkname: '..' },
        { name: 'two', type: 'symlink', linkname: 'one/outside' },
        { name: 'two/evil', body: 'x' },
      ],
    ],
    ['a hard link to a climbing path', [{ name: 'evil', type: 'link', linkname: '../outside/secret' }]],
    ['a hard link to an absolute path', [{ name: 'evil', type: 'link', linkname: '/etc/passwd' }]],
    [
      'a hard link through a link that climbs',
      [
        { name: 'escape', type: 'symlink', linkname: '../outside' },
        { name: 'evil', type: 'link', linkname: 'escape/secret' },
      ],
    ],
    ['a hard link to nothing', [{ name: 'evil', type: 'link', linkname: 'missing' }]],
    ['a whiteout that climbs', [{ name: '../outside/.wh.secret', body: '' }]],
    ['a whiteout of the parent', [{ name: 'a/.wh...', body: '' }]],
    [
      'a whiteout through a link that climbs',
      [
        { name: 'escape', type: 'symlink', linkname: '../outside' },
        { name: 'escape/.wh.secret', body: '' },
      ],
    ],
    [
      'an opaque mark through a link that climbs',
      [
        { name: 'escape', type: 'symlink', linkname: '../outside' },
        { name: 'escape/.wh..wh..opq', body: '' },
      ],
    ],
    [
      'links without end',
      [
        { name: 'a', type: 'symlink', linkname: 'b' },
        { name: 'b', type: 'symlink', linkname: 'a' },
        { name: 'a/evil', body: 'x' },
      ],
    ],
    [
      'a path through a file',
      [
        { name: 'a', body: '' },
        { name: 'a/b', body: '' },
      ],
    ],
    ['a file in place of the root', [{ name: './', body: 'x' }]],
    ['an endless name', [{ name: 'n'.repeat(300), body: '' }]],
  ])('is refused: %s', async (_name, entries) => {
    await writeFile(join(outside, 'secret'), 'untouched');
    await expect(unpack(entries)).rejects.toMatchObject({ code: 'LAYER_REFUSED' });
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('untouched');
  });

  it('cannot write through a link that a lower layer left at the path itself', async () => {
    await writeFile(join(outside, 'secret'), 'untouched');
    await symlink(join(outside, 'secret'), join(folder, 'a'));
    await symlink(outside, join(folder, 'b'));
    await unpack([
      { name: 'a', body: 'evil' },
      { name: 'b/', type: 'directory', mode: 0o777 },
      { name: 'b/evil', body: 'x' },
    ]);
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('untouched');
    expect(await readdir(outside)).toEqual(['secret']);
    expect((await lstat(join(folder, 'b'))).isDirectory()).toBe(true);
  });

  it('an absolute link leads within the image, not to the machine', async () => {
    await unpack([
      { name: 'machine', type: 'symlink', linkname: outside },
      { name: 'machine/evil', body: 'x' },
    ]);
    expect(await readdir(outside)).toEqual([]);
    expect(await read(join(outside, 'evil'))).toBe('x');
  });

  it('is refused for unpacking to more bytes than allowed, having written no more', async () => {
    const bomb = gzipSync(await tar([{ name: 'zeros', body: Buffer.alloc(5_000_000) }]));
    expect(bomb.length).toBeLessThan(20_000);
    await expect(
      unpackBytes(bomb, `${TAR}+gzip`, { totalBytes: 1_000_000, entries: 10, nameLength: 100 }),
    ).rejects.toMatchObject({
      code: 'LAYER_REFUSED',
      message: expect.stringContaining('1000000 bytes') as string,
    });
    const written = await stat(join(folder, 'zeros')).then(
      found => found.size,
      () => 0,
    );
    expect(written).toBeLessThanOrEqual(1_000_000);
  });

  it.each([
    ['entries', { entries: 10, nameLength: 100 }, '10 entries'],
    ['names', { entries: 100, nameLength: 10 }, '10 characters'],
  ])('is refused for more %s than allowed', async (_what, limits, found) => {
    const entries = Array.from({ length: 11 }, (_, index) => ({ name: `f${index}`, body: '' }));
    await expect(
      unpackBytes(await tar(entries), TAR, { totalBytes: 1_000_000, ...limits }),
    ).rejects.toMatchObject({ code: 'LAYER_REFUSED', message: expect.stringContaining(found) as string });
  });

  it('is refused when cut off, damaged, or not an archive at all', async () => {
    const archive = await tar([{ name: 'a', body: 'x'.repeat(100_000) }]);
    const zipped = gzipSync(archive);
    const damaged = Buffer.from(zipped);
    damaged.fill(0xff, Math.floor(zipped.length / 2));
    for (const [bytes, mediaType] of [
      [archive.subarray(0, 50_000), TAR],
      [zipped.subarray(0, zipped.length - 20), `${TAR}+gzip`],
      [damaged, `${TAR}+gzip`],
      [Buffer.from('not zstd at all'), `${TAR}+zstd`],
      [Buffer.alloc(2048, 'x'), TAR],
    ] as const) {
      await expect(unpackBytes(bytes, mediaType)).rejects.toMatchObject({ code: 'LAYER_REFUSED' });
    }
  });

  it('is refused for a media type that is no layer', async () => {
    await expect(unpackBytes(await tar([]), 'application/json')).rejects.toMatchObject({
      code: 'LAYER_REFUSED',
    });
  });

  it("is told apart from the machine's own failures", async () => {
    await expect(unpackLayer(join(base, 'missing'), TAR, folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

type Entry = Partial<Header> & { name: string; body?: string | Buffer };

async function unpack(entries: Entry[]) {
  return unpackBytes(await tar(entries), TAR);
}

async function unpackBytes(bytes: Uint8Array, mediaType: string, limits?: LayerLimits) {
  const blob = join(base, 'blob');
  await writeFile(blob, bytes);
  await chmod(blob, 0o400);
  try {
    return await unpackLayer(blob, mediaType, folder, limits);
  } finally {
    await rm(blob, { force: true });
  }
}

async function tar(entries: Entry[]): Promise<Buffer> {
  const archive = pack();
  const bytes = buffer(archive);
  for (const { body, ...header } of entries) archive.entry(header, body ?? '');
  archive.finalize();
  return bytes;
}

function read(path: string): Promise<string> {
  return readFile(join(folder, path), 'utf8');
}
