import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { TandemError, errorMessage } from '../../../../core/error.ts';
import { createReadStream } from '../../../../platform/files.ts';
import { cleanPath } from '../context/ignore.ts';
import { whiteoutOf, type LayerEntry } from './entry.ts';

/**
 * The entries of a layer's tar, in order, without their bytes. Devices and pipes are left out. `platform/archive.ts`
 * unpacks one; this reads what unpacking loses: the owners. Throws IMAGE_LAYER_INVALID.
 */
export async function listLayer(path: string, mediaType: string): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = [];
  const tar = extract();
  const source = createReadStream(path);
  const feeding = mediaType.endsWith('gzip')
    ? pipeline(source, createGunzip(), tar)
    : mediaType.endsWith('zstd')
      ? pipeline(source, createZstdDecompress(), tar)
      : pipeline(source, tar);
  feeding.catch(() => undefined); // The loop below sees the same error.
  try {
    for await (const item of tar) {
      const entry = asLayerEntry(item.header);
      if (entry !== undefined) entries.push(entry);
      item.resume();
    }
    await feeding;
  } catch (error) {
    throw new TandemError(
      'IMAGE_LAYER_INVALID',
      `The layer ${path} cannot be read: ${errorMessage(error)}.`,
      {
        cause: error,
      },
    );
  }
  return entries;
}

function asLayerEntry(header: Header): LayerEntry | undefined {
  const path = cleanPath(header.name);
  const whiteout = whiteoutOf(path);
  if (whiteout !== undefined) return { ...whiteout, mode: 0, uid: 0, gid: 0 };
  const owned = { path, mode: header.mode & 0o7777, uid: header.uid, gid: header.gid };
  switch (header.type) {
    case 'directory':
      return { ...owned, type: 'folder' };
    case 'file':
    case 'contiguous-file':
      return { ...owned, type: 'file' };
    case 'symlink':
      return { ...owned, type: 'link', target: header.linkname };
    case 'link':
      return { ...owned, type: 'hardlink', target: cleanPath(header.linkname) };
    case 'block-device':
    case 'character-device':
    case 'fifo':
    default:
      return undefined;
  }
}
