import { once } from 'node:events';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { unpackLayer } from '../../../../platform/archive.ts';
import { dateOf } from '../../../../platform/clock.ts';
import {
  createReadStream,
  createWriteStream,
  lstatSync,
  mkdtempSync,
  readFileSync,
} from '../../../../platform/files.ts';
import { removeTree } from '../../../../platform/file-tree.ts';
import { sha256File } from '../../../../platform/hash.ts';
import { TandemError, errorMessage } from '../../../../core/error.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../../wire/oci/media-types.ts';
import { ImageStore, completeReference } from '../store/image-store.ts';
import type { Command } from './command.ts';
import { invalidCommand, parseOptions } from './options.ts';

const REFERENCE_NAME = 'io.containerd.image.name';

interface IndexEntry {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
}

/** Writes an OCI image layout in a tar, as Docker 25 and later do. */
export const save: Command = async (context, argv) => {
  const options = parseOptions('save', argv, { output: { type: 'string', short: 'o' } });
  const output = options.value('output');
  if (options.positionals.length === 0)
    throw invalidCommand('docker save takes at least one image', 'As in: docker save -o image.tar name:tag');
  const store = new ImageStore(context.settings.folder);
  const manifests = options.positionals.map((name): IndexEntry => {
    const image = store.image(name);
    return {
      mediaType: OCI_MANIFEST,
      digest: image.manifestDigest,
      size: image.manifestBytes.length,
      annotations: { [REFERENCE_NAME]: completeReference(name) },
    };
  });
  const blobs = options.positionals.flatMap(name => {
    const { manifest, manifestDigest } = store.image(name);
    return [manifestDigest, manifest.config.digest, ...manifest.layers.map(({ digest }) => digest)];
  });
  const tar = pack();
  const mtime = dateOf(0);
  const filling = (async () => {
    tar.entry({ name: 'oci-layout', mtime }, '{"imageLayoutVersion":"1.0.0"}');
    tar.entry(
      { name: 'index.json', mtime },
      JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }),
    );
    for (const digest of new Set(blobs)) {
      const path = store.blobPath(digest);
      const entry = tar.entry({
        name: `blobs/${digest.replace(':', '/')}`,
        size: lstatSync(path).size,
        mtime,
      });
      for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>)
        if (!entry.write(chunk)) await once(entry, 'drain');
      entry.end(Buffer.alloc(0));
    }
    tar.finalize();
  })();
  const bytes = tar as AsyncIterable<Uint8Array>;
  await Promise.all([filling, pipeline(bytes, createWriteStream(output ?? '/dev/stdout'))]);
};

/** Reads what `save` (or any tool that writes OCI layouts in a tar) wrote; every blob is checked. */
export const load: Command = async (context, argv) => {
  const options = parseOptions('load', argv, {
    input: { type: 'string', short: 'i' },
    quiet: { type: 'boolean', short: 'q' },
  });
  const input = options.value('input') ?? '/dev/stdin';
  const store = new ImageStore(context.settings.folder);
  const folder = mkdtempSync(join(context.settings.folder, 'load-'));
  try {
    await unpackLayer(input, 'application/vnd.oci.image.layer.v1.tar', folder);
    for (const { digest, annotations } of readIndex(folder, input)) {
      for (const blob of await blobsOf(folder, digest, input)) adoptBlob(store, folder, blob, input);
      const name = annotations?.[REFERENCE_NAME];
      if (name !== undefined) store.tag({ manifestDigest: digest }, name);
      context.stdout(`Loaded image: ${name ?? digest}\n`);
    }
  } finally {
    await removeTree(folder);
  }
};

function readIndex(folder: string, input: string): IndexEntry[] {
  try {
    return (JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { manifests: IndexEntry[] })
      .manifests;
  } catch (error) {
    throw refusedArchive(input, 'it holds no OCI image layout (index.json)', error);
  }
}

async function blobsOf(folder: string, manifestDigest: string, input: string): Promise<string[]> {
  const { parseManifest } = await import('../../../../wire/oci/manifest.ts');
  const { parseDigest } = await import('../../../../wire/oci/digest.ts');
  if (parseDigest(manifestDigest)?.algorithm !== 'sha256')
    throw refusedArchive(input, `it names ${manifestDigest}`);
  const manifest = parseManifest(readFileSync(layoutPath(folder, manifestDigest)));
  if (manifest.kind === 'index') throw refusedArchive(input, 'it holds images for several platforms');
  return [manifestDigest, manifest.config.digest, ...manifest.layers.map(({ digest }) => digest)];
}

function adoptBlob(store: ImageStore, folder: string, digest: string, input: string): void {
  const path = layoutPath(folder, digest);
  let found: string;
  try {
    found = `sha256:${sha256File(path)}`;
  } catch (error) {
    throw refusedArchive(input, `the blob ${digest} is missing: ${errorMessage(error)}`, error);
  }
  if (found !== digest) throw refusedArchive(input, `the blob ${digest} is damaged`);
  store.adopt(path, digest);
}

function layoutPath(folder: string, digest: string): string {
  return join(folder, 'blobs', ...digest.split(':'));
}

function refusedArchive(input: string, why: string, cause?: unknown): TandemError {
  return new TandemError(
    'IMAGE_ARCHIVE_INVALID',
    `${input} cannot be loaded: ${why}. Write it with docker save.`,
    { cause },
  );
}
