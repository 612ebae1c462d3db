import { crc32 } from 'node:zlib';

export interface ZipEntry {
  /** With `/`. */
  name: string;
  bytes: Uint8Array;
}

/** 1 January 1980, midnight: the first that the format knows, so that equal contents make equal bytes. */
const DATE = 0x21;
/** 2.0: what stores files and nothing else. */
const VERSION = 20;
const UTF_8_NAMES = 0x0800;
/** Made on Unix, a plain file that all may read: Lambda's user is not the owner. */
const MADE_ON_UNIX = 3 << 8;
const MODE = 0o100644;

/**
 * A ZIP archive (PKWARE APPNOTE 6.3) of files that are stored as they are: not compressed, for the bytes of a compressor
 * change with its version, and with them the hash that says whether anything changed.
 */
export function encodeZip(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of entries) {
    const nameBytes = Buffer.from(name);
    const described = description(nameBytes, bytes);
    const local = Buffer.concat([signature(0x04034b50), described, nameBytes, bytes]);
    const attributes = Buffer.alloc(14);
    attributes.writeUInt32LE((MODE << 16) >>> 0, 6);
    attributes.writeUInt32LE(offset, 10);
    const madeBy = Buffer.alloc(2);
    madeBy.writeUInt16LE(MADE_ON_UNIX | VERSION);
    directory.push(Buffer.concat([signature(0x02014b50), madeBy, described, attributes, nameBytes]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, central, signature(0x06054b50), end]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** What an entry and the directory both say of a file. */
function description(name: Buffer, bytes: Uint8Array): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(VERSION, 0);
  fields.writeUInt16LE(UTF_8_NAMES, 2);
  fields.writeUInt16LE(DATE, 8);
  fields.writeUInt32LE(crc32(bytes), 10);
  fields.writeUInt32LE(bytes.length, 14);
  fields.writeUInt32LE(bytes.length, 18);
  fields.writeUInt16LE(name.length, 22);
  return fields;
}
