import { TandemError } from '../../../../core/error.ts';
import { OCI_MANIFEST } from '../../../../wire/oci/media-types.ts';
import { parseImageReference } from '../../../../wire/oci/reference.ts';
import { ImageStore, completeReference } from '../store/image-store.ts';
import { withRegistry } from '../store/registry-access.ts';
import type { Command, CommandContext } from './command.ts';
import { invalidCommand, parseOptions } from './options.ts';

export const push: Command = async (context, argv) => {
  const options = parseOptions('push', argv, {
    quiet: { type: 'boolean', short: 'q' },
    'all-tags': { type: 'boolean', short: 'a' },
    'disable-content-trust': { type: 'boolean' },
    platform: { type: 'string' },
  });
  const [name] = options.positionals;
  if (name === undefined || options.positionals.length > 1)
    throw invalidCommand('docker push takes one image', 'As in: docker push registry/name:tag');
  const write = options.has('quiet') ? () => undefined : (text: string) => context.stdout(text);
  const names = options.has('all-tags') ? allTags(context, name) : [name];
  for (const each of names) await pushImage(context, each, write);
  if (options.has('quiet')) context.stdout(`${names.map(completeReference).join('\n')}\n`);
};

function allTags(context: CommandContext, name: string): string[] {
  const { registry, repository } = parseImageReference(name);
  return new ImageStore(context.settings.folder)
    .references()
    .map(reference => reference.name)
    .filter(known => {
      const other = parseImageReference(known);
      return other.registry === registry && other.repository === repository && other.tag !== undefined;
    });
}

/** Uploads what the registry lacks, then the manifest; prints what docker push prints. */
export async function pushImage(
  context: CommandContext,
  name: string,
  write: (text: string) => void,
): Promise<void> {
  const image = new ImageStore(context.settings.folder).image(name);
  const store = new ImageStore(context.settings.folder);
  const reference = parseImageReference(completeReference(name));
  const { repository, tag, registry } = reference;
  await withRegistry(context.settings, reference, context.signal, async client => {
    write(`The push refers to repository [${registry}/${repository}]\n`);
    const blobs = new Map([...image.manifest.layers, image.manifest.config].map(blob => [blob.digest, blob]));
    for (const { digest, size } of blobs.values()) {
      const short = digest.slice(7, 19);
      const isThere = await client.hasBlob(repository, digest);
      if (!isThere) await client.uploadBlob(repository, { digest, size, path: store.blobPath(digest) });
      if (digest !== image.manifest.config.digest)
        write(`${short}: ${isThere ? 'Layer already exists' : 'Pushed'}\n`);
    }
    const target = tag ?? image.manifestDigest;
    const kept = await client.putManifest(repository, target, {
      bytes: image.manifestBytes,
      mediaType: image.manifest.mediaType ?? OCI_MANIFEST,
    });
    if (kept !== image.manifestDigest)
      throw new TandemError(
        'REGISTRY_REQUEST_FAILED',
        `The registry ${registry} keeps ${repository}:${target} as ${kept || 'no digest'}, not as ${image.manifestDigest} that was pushed. Push again; if it stays so, the registry is broken.`,
        { kind: 'system' },
      );
    write(`${target}: digest: ${kept} size: ${image.manifestBytes.length}\n`);
  });
}
