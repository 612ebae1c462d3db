import { once } from 'node:events';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack, type Header, type Pack } from 'tar-stream';
import { assert } from '../../../../core/assert.ts';
import { TandemError } from '../../../../core/error.ts';
import type { Instant } from '../../../../core/instant.ts';
import { dateOf } from '../../../../platform/clock.ts';
import { createReadStream, createWriteStream, readFileSync, renameSync } from '../../../../platform/files.ts';
import { OCI_LAYER_GZIP } from '../../../../wire/oci/media-types.ts';
import { sha256, sha256Stream } from '../../../../platform/hash.ts';
import { newToken } from '../../../../platform/random.ts';
import { tarPath, type FileContent, type Layer, type NewLayerEntry } from './entry.ts';

/** Up to this size a file is read at once: a stream each would cost more than the bytes. */
const SMALL_FILE = 262_144;
const PIECE = 262_144;

/**
 * Writes a layer's tar, gzipped, as a blob into `folder` (`sha256/<hex>` below it). The same entries give the same
 * bytes: sorted, one time for all, no names of users. Level 1: layers travel over loopback only.
 */
export async function writeLayer(
  folder: string,
  entries: readonly NewLayerEntry[],
  modifiedAt: Instant,
): Promise<Layer> {
  const temporary = join(folder, `layer-${newToken(8)}.tmp`);
  const tar = pack();
  const diff = sha256Stream();
  const blob = sha256Stream();
  let size = 0;
  const filling = fill(tar, entries, modifiedAt).catch((error: unknown) => {
    tar.destroy(error as Error);
    throw error;
  });
  const writing = pipeline(
    async function* () {
      for await (const piece of inPieces(tar as AsyncIterable<Uint8Array>)) {
        diff.update(piece);
        yield piece;
      }
    },
    createGzip({ level: 1 }),
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        blob.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(temporary, { mode: 0o644 }),
  );
  const [filled, written] = await Promise.allSettled([filling, writing]);
  if (filled.status === 'rejected') throw filled.reason as Error;
  if (written.status === 'rejected') throw written.reason as Error;
  const hex = blob.digest('hex');
  renameSync(temporary, join(folder, 'sha256', hex));
  return { digest: `sha256:${hex}`, size, diffId: `sha256:${diff.digest('hex')}`, mediaType: OCI_LAYER_GZIP };
}

/** Gathers a tar's many blocks of 512 bytes: each piece costs a trip to a thread that compresses it. */
async function* inPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    gathered.push(chunk);
    length += chunk.length;
    if (length < PIECE) continue;
    yield Buffer.concat(gathered, length);
    gathered = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(gathered, length);
}

/** Order of UTF-16 units, which no locale changes; a folder comes before what it holds. */
export function sortEntries<Entry extends { path: string }>(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0));
}

async function fill(tar: Pack, entries: readonly NewLayerEntry[], modifiedAt: Instant): Promise<void> {
  for (const entry of sortEntries(entries)) await addEntry(tar, entry, modifiedAt);
  tar.finalize();
}

const TAR_TYPE = {
  file: 'file',
  folder: 'directory',
  link: 'symlink',
  hardlink: 'link',
  whiteout: 'file',
  opaque: 'file',
} as const satisfies Record<NewLayerEntry['type'], Header['type']>;

/** A bit outside the permissions, which the library masks off again: it takes a mode of 0 for an absent one. */
const NOT_ABSENT = 0o10000;

function addEntry(tar: Pack, entry: NewLayerEntry, modifiedAt: Instant): Promise<void> {
  const { content } = entry;
  const header = {
    name: tarPath(entry),
    type: TAR_TYPE[entry.type],
    mode: entry.mode | NOT_ABSENT,
    uid: entry.uid,
    gid: entry.gid,
    size: content?.size ?? 0,
    mtime: dateOf(modifiedAt),
    ...(entry.target === undefined ? {} : { linkname: entry.target }),
  };
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve());
    // Read and checked before the entry is opened: an entry that is open must be filled.
    const small = content === undefined ? Buffer.alloc(0) : smallContent(content, entry.path);
    const sink = tar.entry(header, done);
    sink.on('error', reject);
    if (small === undefined) write(largeContent(content!, entry.path), sink).catch(reject);
    else sink.end(small);
  });
}

/** The library's streams are not Node's own, which `pipeline` of this version's types insists on. */
async function write(bytes: AsyncIterable<Uint8Array>, sink: ReturnType<Pack['entry']>): Promise<void> {
  try {
    for await (const chunk of bytes) if (!sink.write(chunk)) await once(sink, 'drain');
    sink.end(Buffer.alloc(0));
  } catch (error) {
    sink.destroy(error as Error);
    throw error;
  }
}

/** A file's bytes where they are few, so that they need no stream. */
function smallContent({ source, size, sha256: expected }: FileContent, path: string): Uint8Array | undefined {
  if (!('bytes' in source) && size > SMALL_FILE) return undefined;
  const bytes = 'bytes' in source ? source.bytes : readFileSync(source.path);
  if (bytes.length !== size || (expected !== undefined && sha256(bytes) !== expected)) throw changed(path);
  return bytes;
}

async function* largeContent(content: FileContent, path: string): AsyncGenerator<Uint8Array> {
  const { source, size, sha256: expected } = content;
  assert('path' in source, 'bytes in memory need no stream');
  const hash = expected === undefined ? undefined : sha256Stream();
  let length = 0;
  for await (const chunk of createReadStream(source.path, {
    highWaterMark: SMALL_FILE,
  }) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > size) throw changed(path);
    hash?.update(chunk);
    yield chunk;
  }
  if (length !== size || hash?.digest('hex') !== expected) throw changed(path);
}

/** The bytes are no longer those that the plan, and so the cache's key, saw. */
function changed(path: string): TandemError {
  return new TandemError(
    'BUILD_CONTEXT_CHANGED',
    `/${path} changed while it was copied into the image. Stop what writes to the build context, and build again.`,
  );
}
