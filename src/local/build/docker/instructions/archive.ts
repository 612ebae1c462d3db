import { join } from 'node:path';
import { gunzipSync, constants } from 'node:zlib';
import { unpackLayer } from '../../../../platform/archive.ts';
import { OCI_LAYER_GZIP } from '../../../../wire/oci/media-types.ts';
import { closeSync, lstatSync, mkdtempSync, openSync, readSync } from '../../../../platform/files.ts';
import { unsupported, type Instruction } from '../dockerfile/instruction.ts';
import { listLayer } from '../layers/list-layer.ts';
import { FileTree } from '../layers/tree.ts';
import { walk } from '../context/file-source.ts';
import type { CopyItem } from './copy-destination.ts';
import type { BuildSession } from './session.ts';
import { StageFiles } from './stage-files.ts';

/** A tar's magic number stands at this byte of its first header (POSIX ustar). */
const USTAR_OFFSET = 257;
const SAMPLE = 65_536;
const GZIP_MAGIC = 0x1f;

const OTHER_ARCHIVES: readonly { title: string; magic: string }[] = [
  { title: 'bzip2', magic: '425a68' },
  { title: 'xz', magic: 'fd377a585a00' },
  { title: 'zstd', magic: '28b52ffd' },
];

/**
 * What a local archive holds, unpacked aside; `undefined` where the file is none. As Docker, by content and not by
 * name: tar, and tar in gzip. Archives in bzip2, xz and zstd would need programs that may not be here: refused.
 */
export async function unpackArchive(
  session: BuildSession,
  instruction: Instruction,
  path: string,
): Promise<CopyItem[] | undefined> {
  const start = readStart(path);
  const other = OTHER_ARCHIVES.find(({ magic }) => start.toString('hex', 0, magic.length / 2) === magic);
  if (other !== undefined)
    throw unsupported(
      instruction,
      `the archive is compressed with ${other.title}`,
      'Compress it with gzip, or start Docker or Podman and push again.',
    );
  if (!isTar(start)) return undefined;
  const root = mkdtempSync(join(session.workFolder, 'archive-'));
  const mediaType = start[0] === GZIP_MAGIC ? OCI_LAYER_GZIP : 'application/vnd.oci.image.layer.v1.tar';
  await unpackLayer(path, mediaType, root);
  const entries = await listLayer(path, mediaType);
  const tree = new FileTree();
  tree.apply(entries);
  return [...walk(new StageFiles('the archive', tree, root), '')];
}

function isTar(start: Buffer): boolean {
  const isGzip = start[0] === GZIP_MAGIC;
  const head = isGzip ? gunzipStart(start) : start;
  return head.toString('latin1', USTAR_OFFSET, USTAR_OFFSET + 5) === 'ustar';
}

/** As much as the sample gives; what is no gzip after all gives nothing. */
function gunzipStart(start: Buffer): Buffer {
  try {
    return gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: SAMPLE * 1_100 });
  } catch {
    return Buffer.alloc(0);
  }
}

function readStart(path: string): Buffer {
  const size = Math.min(lstatSync(path).size, SAMPLE);
  const start = Buffer.alloc(size);
  const file = openSync(path, 'r');
  try {
    return start.subarray(0, readSync(file, start, 0, size, 0));
  } finally {
    closeSync(file);
  }
}
