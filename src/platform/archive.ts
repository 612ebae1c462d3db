import { closeSync, createReadStream, futimesSync, write, writeSync } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { extract as createExtract, type Header } from 'tar-stream';
import { TandemError } from '../core/error.ts';
import { LayerFolder, refused } from './layer-folder.ts';

export interface LayerLimits {
  /** Largest archive after decompression. */
  totalBytes: number;
  entries: number;
  /** Of all entries' names together: what is known of a layer while it is unpacked is mostly these. */
  nameLength: number;
}

/** More than any sound image has; far less than a disk or a memory. */
const LAYER_LIMITS: LayerLimits = {
  totalBytes: 20 * 1024 ** 3,
  entries: 1_000_000,
  nameLength: 100_000_000,
};

const CHUNK_BYTES = 256 * 1024;
const SMALL_WRITE_BYTES = 64 * 1024;

/**
 * Lays one image layer (tar, tar+gzip or tar+zstd; OCI's or Docker's media type) onto `folder`, which exists and holds
 * the layers below: whiteouts take away, the rest adds or replaces. Permission bits and files' modification times
 * are kept; owners, set-user-id bits and extended attributes are not.
 *
 * An archive may come from anywhere. Throws LAYER_REFUSED for a path or link that leads out of the folder, for more
 * than `limits` allow, and for a damaged archive; the folder then holds a part of the layer and is to be removed.
 */
export async function unpackLayer(
  blobPath: string,
  mediaType: string,
  folder: string,
  limits: LayerLimits = LAYER_LIMITS,
): Promise<void> {
  const target = new LayerFolder(folder);
  let entries = 0;
  let nameLength = 0;
  const decompress = decompression(mediaType);
  const archive = createExtract();
  const feeding = pipeline(
    createReadStream(blobPath, { highWaterMark: CHUNK_BYTES }),
    decompress,
    refuseBeyond(limits.totalBytes),
    archive,
  );
  // Its failure also ends the loop below, which reports it.
  feeding.catch(() => undefined);
  try {
    for await (const entry of archive) {
      entries += 1;
      nameLength += entry.header.name.length;
      if (entries > limits.entries) throw refused(`it has more than ${limits.entries} entries`);
      if (nameLength > limits.nameLength)
        throw refused(`the names in it have more than ${limits.nameLength} characters together`);
      await addEntry(target, entry.header, entry as AsyncIterable<Uint8Array>);
      entry.resume();
    }
    await feeding;
  } catch (error) {
    archive.destroy();
    const cause: unknown = await feeding.then(
      () => error,
      (feedingError: unknown) => (isExplained(error) ? error : feedingError),
    );
    throw isExplained(cause) ? cause : refused('it is damaged', error);
  }
}

async function addEntry(target: LayerFolder, header: Header, body: AsyncIterable<Uint8Array>): Promise<void> {
  const { name, linkname } = header;
  const mode = header.mode ?? 0o755;
  if (target.applyWhiteout(name)) return;
  switch (header.type) {
    case 'directory':
      target.addFolder(name, mode);
      return;
    case 'file':
    case 'contiguous-file':
      if (isSparse(header))
        throw refused(`${JSON.stringify(name)} is a sparse file, which layers do not have`);
      await addFile(target, header, mode, body);
      return;
    case 'symlink':
      target.addSymlink(name, linkname ?? '');
      return;
    case 'link':
      target.addHardLink(name, linkname ?? '');
      return;
    case 'character-device':
    case 'block-device':
    case 'fifo':
      // A plain user cannot make these, and nothing that Tandem runs needs an image's own.
      return;
    default:
      throw refused(`${JSON.stringify(name)} is of the unknown kind ${JSON.stringify(header.type)}`);
  }
}

async function addFile(
  target: LayerFolder,
  header: Header,
  mode: number,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = target.createFile(header.name, mode);
  try {
    for await (const chunk of body) {
      let written = 0;
      while (written < chunk.length) written += await writeSome(file, chunk.subarray(written));
    }
    const at = header.mtime?.getTime() ?? Number.NaN;
    if (Number.isFinite(at)) futimesSync(file, at / 1000, at / 1000);
  } finally {
    closeSync(file);
  }
}

/** A small write goes to the page cache at once; a large one may wait for the disk, and waits elsewhere. */
function writeSome(file: number, bytes: Uint8Array): number | Promise<number> {
  if (bytes.length <= SMALL_WRITE_BYTES) return writeSync(file, bytes);
  return new Promise((resolve, reject) => {
    write(file, bytes, (error, written) => (error ? reject(error) : resolve(written)));
  });
}

function decompression(mediaType: string): Transform {
  if (/[.+]gzip$/.test(mediaType)) return createGunzip({ chunkSize: CHUNK_BYTES });
  if (mediaType.endsWith('+zstd')) return createZstdDecompress({ chunkSize: CHUNK_BYTES });
  if (mediaType.endsWith('.tar')) return refuseBeyond(Infinity);
  throw refused(`its media type ${JSON.stringify(mediaType)} is not a layer's: tar, tar+gzip or tar+zstd`);
}

function refuseBeyond(maximumBytes: number): Transform {
  let length = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      length += chunk.length;
      if (length > maximumBytes) done(refused(`it unpacks to more than ${maximumBytes} bytes`));
      else done(null, chunk);
    },
  });
}

function isSparse(header: Header): boolean {
  return Object.keys(header.pax ?? {}).some(key => key.startsWith('GNU.sparse.'));
}

/** Refused by a rule, or failed for want of disk or permission: not for being damaged. */
function isExplained(error: unknown): error is Error {
  return error instanceof TandemError || (error instanceof Error && 'syscall' in error);
}
