import { DAY_MS, formatDuration } from '../../../../core/duration.ts';
import { parseInstant } from '../../../../core/instant.ts';
import { parseImageReference } from '../../../../wire/oci/reference.ts';
import { ImageStore, completeReference, type LocalImage } from '../store/image-store.ts';
import type { Command, CommandContext } from './command.ts';
import { invalidCommand, parseOptions } from './options.ts';
import { renderTemplate } from './template.ts';

/** One line of `docker images`, under the names that `--format` knows. */
interface ImageLine {
  Repository: string;
  Tag: string;
  Digest: string;
  ID: string;
  CreatedSince: string;
  Size: string;
}

export const images: Command = (context, argv) => {
  const options = parseOptions('images', argv, {
    quiet: { type: 'boolean', short: 'q' },
    all: { type: 'boolean', short: 'a' },
    digests: { type: 'boolean' },
    'no-trunc': { type: 'boolean' },
    format: { type: 'string' },
  });
  const [pattern] = options.positionals;
  const lines = listImages(context, pattern, options.has('no-trunc'));
  const format = options.value('format');
  if (options.has('quiet')) context.stdout(lines.map(({ ID }) => `${ID}\n`).join(''));
  else if (format === 'json') context.stdout(lines.map(line => `${JSON.stringify(line)}\n`).join(''));
  else if (format !== undefined && format !== 'table')
    context.stdout(lines.map(line => `${renderTemplate(format, line)}\n`).join(''));
  else context.stdout(table(lines, options.has('digests')));
};

function listImages(context: CommandContext, pattern: string | undefined, isFull: boolean): ImageLine[] {
  const store = new ImageStore(context.settings.folder);
  return store
    .references()
    .filter(
      ({ name }) =>
        pattern === undefined ||
        name === pattern ||
        repositoryOf(name) === pattern ||
        name === completeReference(pattern),
    )
    .map(({ name, digest }) => {
      const image = store.image(name);
      const id = image.manifest.config.digest;
      const size = image.manifest.layers.reduce((total, layer) => total + layer.size, 0);
      return {
        Repository: repositoryOf(name),
        Tag: parseImageReference(name).tag ?? '<none>',
        Digest: digest,
        ID: isFull ? id : id.slice(7, 19),
        CreatedSince: createdSince(context, image),
        Size: formatSize(size),
      };
    });
}

function repositoryOf(name: string): string {
  const { registry, repository } = parseImageReference(name);
  return registry === undefined ? repository : `${registry}/${repository}`;
}

function createdSince(context: CommandContext, image: LocalImage): string {
  const created = parseInstant(image.config.created ?? '') ?? 0;
  // Images carry one fixed time, so that the same content has the same digest.
  const age = context.clock.now() - created;
  return created === 0 || age > 10 * 365 * DAY_MS ? 'N/A' : `${formatDuration(age)} ago`;
}

/** Docker's units: powers of 1000, three digits. */
function formatSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1_000 && unit < units.length - 1) {
    size /= 1_000;
    unit += 1;
  }
  return `${Number(size.toPrecision(3))}${units[unit]!}`;
}

function table(lines: readonly ImageLine[], withDigests: boolean): string {
  const header = {
    Repository: 'REPOSITORY',
    Tag: 'TAG',
    Digest: 'DIGEST',
    ID: 'IMAGE ID',
    CreatedSince: 'CREATED',
    Size: 'SIZE',
  };
  const columns = (['Repository', 'Tag', 'Digest', 'ID', 'CreatedSince', 'Size'] as const).filter(
    column => column !== 'Digest' || withDigests,
  );
  const rows = [header, ...lines];
  const widths = columns.map(column => Math.max(...rows.map(row => row[column].length)));
  return rows
    .map(
      row =>
        `${columns
          .map((column, index) => row[column].padEnd(widths[index]! + 3))
          .join('')
          .trimEnd()}\n`,
    )
    .join('');
}

export const tag: Command = (context, argv) => {
  const { positionals } = parseOptions('tag', argv, {});
  const [source, target] = positionals;
  if (source === undefined || target === undefined || positionals.length > 2)
    throw invalidCommand('docker tag takes two names', 'As in: docker tag name:latest registry/name:tag');
  const store = new ImageStore(context.settings.folder);
  store.tag(store.image(source), target);
};

export const removeImages: Command = (context, argv) => {
  const options = parseOptions('rmi', argv, {
    force: { type: 'boolean', short: 'f' },
    'no-prune': { type: 'boolean' },
  });
  if (options.positionals.length === 0)
    throw invalidCommand('docker rmi takes at least one image', 'As in: docker rmi name:tag');
  const store = new ImageStore(context.settings.folder);
  for (const name of options.positionals) {
    if (options.has('force') && store.find(name) === undefined) continue;
    const { manifestDigest } = store.image(name);
    const names = store.references().filter(({ digest }) => digest === manifestDigest);
    const isId = !names.some(known => known.name === completeReference(name));
    for (const known of isId ? names : [{ name }]) {
      store.untag(known.name);
      context.stdout(`Untagged: ${completeReference(known.name)}\n`);
    }
  }
};
