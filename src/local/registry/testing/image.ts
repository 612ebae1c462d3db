import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { mkdir, writeFile } from '../../../platform/files.ts';
import { sha256 } from '../../../platform/hash.ts';
import type { Descriptor } from '../../../wire/oci/manifest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../wire/oci/media-types.ts';

export interface Content {
  digest: string;
  mediaType: string;
  bytes: Buffer;
}

export interface TestImage {
  manifest: Content;
  config: Content;
  layers: Content[];
}

export function contentOf(bytes: Buffer | string, mediaType = 'application/octet-stream'): Content {
  const buffered = Buffer.from(bytes);
  return { digest: `sha256:${sha256(buffered)}`, mediaType, bytes: buffered };
}

export function descriptorOf(content: Content): Descriptor {
  return { mediaType: content.mediaType, digest: content.digest, size: content.bytes.length };
}

/** An image of one real gzipped layer, which holds `name`; two images of different names share nothing. */
export async function makeImage(
  name: string,
  options: { layerBytes?: Buffer; architecture?: string } = {},
): Promise<TestImage> {
  const archive = pack();
  const collected = buffer(archive);
  archive.entry({ name: 'content' }, options.layerBytes ?? Buffer.from(name));
  archive.finalize();
  const tar = await collected;
  const layer = contentOf(gzipSync(tar, { level: 1 }), OCI_LAYER_GZIP);
  const config = contentOf(
    JSON.stringify({
      architecture: options.architecture ?? 'amd64',
      os: 'linux',
      config: { Labels: { name }, Cmd: ['/content'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(tar)}`] },
    }),
    OCI_CONFIG,
  );
  return { manifest: manifestOf(config, [layer]), config, layers: [layer] };
}

export function manifestOf(config: Content, layers: Content[], more: Record<string, unknown> = {}): Content {
  const document = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
    ...more,
  };
  return contentOf(JSON.stringify(document), OCI_MANIFEST);
}

export function indexOf(manifests: Content[], more: Record<string, unknown> = {}): Content {
  const document = {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: manifests.map(descriptorOf),
    ...more,
  };
  return contentOf(JSON.stringify(document), OCI_INDEX);
}

/** Something pushed about a subject: a signature or an SBOM. */
export function referrerOf(subject: Content, artifactType: string, text: string): TestImage {
  const config = contentOf('{}', 'application/vnd.oci.empty.v1+json');
  const layer = contentOf(text, 'text/plain');
  const annotations = { 'org.example.text': text };
  const manifest = manifestOf(config, [layer], { artifactType, subject: descriptorOf(subject), annotations });
  return { manifest, config, layers: [layer] };
}

/** An OCI image layout on disk, as `skopeo copy oci:<folder>:<tag>` reads it. */
export async function writeLayout(folder: string, image: TestImage, tag: string): Promise<void> {
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
  for (const { digest, bytes } of [image.manifest, image.config, ...image.layers]) {
    await writeFile(join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length)), bytes);
  }
  const entry = {
    ...descriptorOf(image.manifest),
    annotations: { 'org.opencontainers.image.ref.name': tag },
  };
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
}
