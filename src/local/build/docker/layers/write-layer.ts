import { once } from 'node:events';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack, type Header, type Pack } from 'tar-stream';
import { TandemError } from '../../../../core/error.ts';
import type { Instant } from '../../../../core/instant.ts';
import { dateOf } from '../../../../platform/clock.ts';
import { createReadStream, createWriteStream, readFileSync, renameSync } from '../../../../platform/files.ts';
import { OCI_LAYER_GZIP } from '../../../../wire/oci/media-types.ts';
import { sha256Stream } from '../../../../platform/hash.ts';
import { newToken } from '../../../../platform/random.ts';
import { tarPath, type FileContent, type Layer, type NewLayerEntry } from './entry.ts';

/** Up to this size a file is read at once: a stream each would cost more than the bytes. */
const SMALL_FILE = 262_144;

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
      for await (const chunk of tar as AsyncIterable<Uint8Array>) {
        diff.update(chunk);
        yield chunk;
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

/** Byte order of names, which no locale changes; a folder comes before what it holds. */
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
  return new Promise((resolve, reject) => {
    const sink = tar.entry(
      {
        name: tarPath(entry),
        type: TAR_TYPE[entry.type],
        mode: entry.mode | NOT_ABSENT,
        uid: entry.uid,
        gid: entry.gid,
        size: content?.size ?? 0,
        mtime: dateOf(modifiedAt),
        ...(entry.target === undefined ? {} : { linkname: entry.target }),
      },
      error => (error ? reject(error) : resolve()),
    );
    sink.on('error', reject);
    if (content === undefined || content.size === 0) sink.end(Buffer.alloc(0));
    else write(checked(content, entry.path), sink).catch(reject);
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

/** The bytes of a file; an error where they are no longer those that the plan (and the cache's key) saw. */
async function* checked(content: FileContent, path: string): AsyncGenerator<Uint8Array> {
  const changed = () =>
    new TandemError(
      'BUILD_CONTEXT_CHANGED',
      `/${path} changed while it was copied into the image. Stop what writes to the build context, and build again.`,
    );
  const hash = content.sha256 === undefined ? undefined : sha256Stream();
  let length = 0;
  for await (const chunk of bytesOf(content)) {
    length += chunk.length;
    if (length > content.size) throw changed();
    hash?.update(chunk);
    yield chunk;
  }
  if (length !== content.size || (hash !== undefined && hash.digest('hex') !== content.sha256))
    throw changed();
}

async function* bytesOf({ source, size }: FileContent): AsyncGenerator<Uint8Array> {
  if ('bytes' in source) yield source.bytes;
  else if (size <= SMALL_FILE) yield readFileSync(source.path);
  else yield* createReadStream(source.path, { highWaterMark: SMALL_FILE }) as AsyncIterable<Uint8Array>;
}
