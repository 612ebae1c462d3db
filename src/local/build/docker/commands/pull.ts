import { createWriteStream, readFileSync, renameSync } from '../../../../platform/files.ts';
import { pipeline } from 'node:stream/promises';
import { TandemError } from '../../../../core/error.ts';
import { sha256, sha256Stream } from '../../../../platform/hash.ts';
import { newToken } from '../../../../platform/random.ts';
import {
  formatImageReference,
  parseImageReference,
  type ImageReference,
} from '../../../../wire/oci/reference.ts';
import { ImageStore, completeReference } from '../store/image-store.ts';
import { withRegistry } from '../store/registry-access.ts';
import type { RegistryClient } from '../store/registry-client.ts';
import type { Command } from './command.ts';
import { invalidCommand, parseOptions } from './options.ts';

export const pull: Command = async (context, argv) => {
  const options = parseOptions('pull', argv, {
    quiet: { type: 'boolean', short: 'q' },
    platform: { type: 'string' },
    'disable-content-trust': { type: 'boolean' },
  });
  const [given] = options.positionals;
  if (given === undefined || options.positionals.length > 1)
    throw invalidCommand('docker pull takes one image', 'As in: docker pull registry/name:tag');
  const name = completeReference(given);
  const reference = parseImageReference(name);
  const store = new ImageStore(context.settings.folder);
  const write = options.has('quiet') ? () => undefined : (text: string) => context.stdout(text);
  await withRegistry(context.settings, reference, context.signal, async client => {
    const digest = await pullImage(client, store, reference, write);
    store.tag({ manifestDigest: digest }, name);
    write(`Digest: ${digest}\nStatus: Downloaded newer image for ${name}\n`);
  });
  context.stdout(`${name}\n`);
};

/** Every byte is checked against its digest before it counts. */
async function pullImage(
  client: RegistryClient,
  store: ImageStore,
  reference: ImageReference,
  write: (text: string) => void,
): Promise<string> {
  const { repository, tag } = reference;
  const wanted = reference.digest ?? tag ?? 'latest';
  const found = await client.manifest(repository, wanted);
  if (found === undefined)
    throw new TandemError(
      'IMAGE_UNKNOWN',
      `manifest for ${formatImageReference(reference)} not found: the registry has no such image. Push it first.`,
    );
  const digest = `sha256:${sha256(found.bytes)}`;
  if (reference.digest !== undefined && digest !== reference.digest) throw damaged(reference.digest, digest);
  // Loaded here, since only pulling needs the schemas.
  const { parseManifest } = await import('../../../../wire/oci/manifest.ts');
  const { parseImageConfig } = await import('../../../../wire/oci/image-config.ts');
  const manifest = parseManifest(found.bytes, found.mediaType);
  if (manifest.kind === 'index')
    throw new TandemError(
      'DOCKER_COMMAND_UNSUPPORTED',
      `${formatImageReference(reference)} holds images for several platforms, and none can be chosen without a container engine. Pull one by its digest: ${manifest.manifests.map(each => each.digest).join(', ')}.`,
    );
  write(`${tag ?? wanted}: Pulling from ${repository}\n`);
  for (const blob of [manifest.config, ...manifest.layers]) {
    const short = blob.digest.slice(7, 19);
    if (store.hasBlob(blob.digest)) {
      if (blob !== manifest.config) write(`${short}: Already exists\n`);
      continue;
    }
    await client.download(repository, blob.digest, body => receiveBlob(store, blob.digest, body));
    if (blob !== manifest.config) write(`${short}: Pull complete\n`);
  }
  parseImageConfig(readFileSync(store.blobPath(manifest.config.digest)));
  store.putBlob(found.bytes);
  return digest;
}

async function receiveBlob(
  store: ImageStore,
  digest: string,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  const hash = sha256Stream();
  const temporary = `${store.blobPath(digest)}.${newToken(8)}.tmp`;
  await pipeline(
    body,
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(temporary),
  );
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== digest) throw damaged(digest, found);
  renameSync(temporary, store.blobPath(digest));
}

function damaged(digest: string, found: string): TandemError {
  return new TandemError(
    'REGISTRY_REQUEST_FAILED',
    `The registry sent ${found} where ${digest} was asked for. Pull again; if it stays so, the registry is broken.`,
    { kind: 'system' },
  );
}
