import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { unpackLayer } from '../../src/platform/archive.ts';
import { codeOf, MEBIBYTE, type Attack } from './attack.ts';

const END_OF_ARCHIVE = Buffer.alloc(1_024);
const TAR = 'application/vnd.oci.image.layer.v1.tar';

export const LAYERS: readonly Attack[] = [
  {
    title: 'a gzip layer that unpacks to 2 GiB',
    run: size => unpackZeros(`${TAR}+gzip`, gzipSync, size),
    says: 'LAYER_REFUSED',
  },
  {
    title: 'a zstd layer that unpacks to 2 GiB',
    run: size => unpackZeros(`${TAR}+zstd`, zstdCompressSync, size),
    says: 'LAYER_REFUSED',
  },
  {
    title: 'a layer of 40,000 links with names of 4 KB',
    run: size => unpackLinks(40 * size),
    says: 'LAYER_REFUSED',
  },
];

async function unpackZeros(
  mediaType: string,
  compress: (bytes: Buffer) => Buffer,
  size: number,
): Promise<string> {
  const zeros = compress(Buffer.alloc(2 * MEBIBYTE));
  const header = await firstBlock({ name: 'zeros', size: 4 * 1_024 * MEBIBYTE });
  const blob = [compress(header), ...Array.from({ length: size }, () => zeros)];
  return unpack(Readable.from(blob), mediaType);
}

async function firstBlock(entry: { name: string; size: number }): Promise<Buffer> {
  const archive = pack();
  archive.entry(entry);
  for await (const block of archive) return block as Buffer;
  throw new Error('tar-stream wrote nothing');
}

function unpackLinks(count: number): Promise<string> {
  const folder = `${'d'.repeat(200)}/`.repeat(19);
  const links = async function* () {
    for (let number = 0; number < count; number += 1) {
      const archive = pack();
      archive.entry({ name: `${folder}${number}`, type: 'symlink', linkname: '.' });
      archive.finalize();
      yield (await buffer(archive)).subarray(0, -END_OF_ARCHIVE.length);
    }
    yield END_OF_ARCHIVE;
  };
  return unpack(Readable.from(links()), TAR);
}

async function unpack(blob: Readable, mediaType: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-hostile-'));
  try {
    const path = join(folder, 'layer');
    const image = join(folder, 'image');
    await mkdir(image);
    await pipeline(blob, createWriteStream(path));
    return await codeOf(() =>
      unpackLayer(path, mediaType, image, {
        totalBytes: 256 * MEBIBYTE,
        entries: 1_000_000,
        nameLength: 10_000_000,
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
