import { parseImageReference } from '../../../../wire/oci/reference.ts';
import { ImageStore, type LocalImage } from '../store/image-store.ts';
import type { Command } from './command.ts';
import { invalidCommand, parseOptions, unsupportedCommand } from './options.ts';
import { renderTemplate } from './template.ts';

export const inspect: Command = (context, argv) => {
  const options = parseOptions('inspect', argv, {
    format: { type: 'string', short: 'f' },
    type: { type: 'string' },
    size: { type: 'boolean', short: 's' },
  });
  const type = options.value('type') ?? 'image';
  if (type !== 'image') throw unsupportedCommand(`docker inspect --type ${type}`, 'there are only images');
  if (options.positionals.length === 0)
    throw invalidCommand('docker inspect takes at least one image', 'As in: docker inspect name:tag');
  const store = new ImageStore(context.settings.folder);
  const described = options.positionals.map(name => describe(store, store.image(name)));
  const format = options.value('format');
  if (format === undefined || format === 'json')
    context.stdout(`${JSON.stringify(described, undefined, 4)}\n`);
  else context.stdout(described.map(image => `${renderTemplate(format, image)}\n`).join(''));
};

/** Fields as the Engine API's ImageInspect names them. */
function describe(store: ImageStore, image: LocalImage) {
  const names = store.references().filter(({ digest }) => digest === image.manifestDigest);
  const repositories = names.map(({ name }) => {
    const { registry, repository } = parseImageReference(name);
    return registry === undefined ? repository : `${registry}/${repository}`;
  });
  const { config } = image;
  return {
    Id: image.manifest.config.digest,
    RepoTags: names.map(({ name }) => name),
    RepoDigests: [...new Set(repositories)].map(repository => `${repository}@${image.manifestDigest}`),
    Created: config.created,
    Config: config.config,
    Architecture: config.architecture,
    Os: config.os,
    Size: image.manifest.layers.reduce((total, layer) => total + layer.size, 0),
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
  };
}
