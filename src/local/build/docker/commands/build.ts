import { join } from 'node:path';
import type { Instant } from '../../../../core/instant.ts';
import { writeFileSync } from '../../../../platform/files.ts';
import { buildImage } from '../build-image.ts';
import { completeReference } from '../store/image-store.ts';
import { ImageStore } from '../store/image-store.ts';
import type { Command, CommandContext } from './command.ts';
import { invalidCommand, parseOptions, unsupportedCommand, type CommandLine } from './options.ts';
import { pushImage } from './push.ts';

const OPTIONS = {
  tag: { type: 'string', short: 't', multiple: true },
  file: { type: 'string', short: 'f' },
  'build-arg': { type: 'string', multiple: true },
  label: { type: 'string', multiple: true },
  target: { type: 'string' },
  platform: { type: 'string' },
  progress: { type: 'string' },
  iidfile: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
  'no-cache': { type: 'boolean' },
  pull: { type: 'boolean' },
  push: { type: 'boolean' },
  load: { type: 'boolean' },
  rm: { type: 'boolean' },
  'force-rm': { type: 'boolean' },
  builder: { type: 'string' },
  provenance: { type: 'string' },
  sbom: { type: 'string' },
  'cache-from': { type: 'string', multiple: true },
  'cache-to': { type: 'string', multiple: true },
} as const;

/** Accepted because build specifications carry them, and said to change nothing. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  pull: 'no base image is pulled',
  'cache-from': 'layers are cached on this machine',
  'cache-to': 'layers are cached on this machine',
  provenance: 'no attestations are made',
  sbom: 'no attestations are made',
};

export const build: Command = async (context, argv) => {
  const options = parseOptions('build', argv, OPTIONS);
  const [contextFolder] = options.positionals;
  if (contextFolder === undefined || options.positionals.length > 1)
    throw invalidCommand(
      `docker build takes one path, not ${options.positionals.length}`,
      'As in: docker build -t name .',
    );
  if (contextFolder === '-' || /^(?:https?|git|ssh):|^git@|\.git(?:#|$)/.test(contextFolder))
    throw unsupportedCommand(
      `the build context "${contextFolder}"`,
      'only a folder of this machine can be built',
    );
  const tags = options.values('tag').map(completeReference);
  if (options.has('push') && tags.length === 0)
    throw invalidCommand('docker build --push needs a name to push', 'Add -t registry/name:tag.');

  const progress = options.value('progress') ?? 'auto';
  if (!['auto', 'plain', 'tty', 'quiet'].includes(progress))
    throw invalidCommand(`--progress=${progress} is not known`, 'Write auto, plain, tty or quiet.');
  const isQuiet = options.has('quiet') || progress === 'quiet';
  const write = isQuiet ? () => undefined : (text: string) => context.stderr(text);
  for (const [name, effect] of Object.entries(WITHOUT_EFFECT))
    if (options.has(name) || options.value(name) !== undefined)
      write(`#0 --${name} changes nothing here: ${effect}\n`);

  const image = await buildImage({
    contextFolder,
    ...(await dockerfileOf(context, options, contextFolder)),
    buildArguments: new Map(
      options.values('build-arg').flatMap(text => assignment(text, context.environment)),
    ),
    labels: Object.fromEntries(options.values('label').flatMap(text => assignment(text, {}))),
    ...optional('target', options.value('target')),
    ...optional('platform', options.value('platform')),
    useCache: !options.has('no-cache'),
    createdAt: sourceDate(context.environment['SOURCE_DATE_EPOCH']),
    folder: context.settings.folder,
    cacheFolder: context.settings.cacheFolder,
    clock: context.clock,
    write,
    signal: context.signal,
  });
  const store = new ImageStore(context.settings.folder);
  for (const tag of tags) {
    store.tag(image, tag);
    write(`#0 naming to ${tag} done\n`);
  }
  const imageId = image.manifest.config.digest;
  const idFile = options.value('iidfile');
  if (idFile !== undefined) writeFileSync(idFile, imageId);
  if (options.has('push')) for (const tag of tags) await pushImage(context, tag, write);
  if (isQuiet) context.stdout(`${imageId}\n`);
};

async function dockerfileOf(context: CommandContext, options: CommandLine, contextFolder: string) {
  const file = options.value('file');
  if (file === '-') return { dockerfile: 'Dockerfile', dockerfileText: await context.readInput() };
  return { dockerfile: file ?? join(contextFolder, 'Dockerfile') };
}

/** `NAME=value`; a NAME alone takes its value from the environment, or is left out. */
function assignment(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): [string, string][] {
  const equals = text.indexOf('=');
  if (equals === 0) throw invalidCommand(`"${text}" has no name before the =`, 'Write NAME=value.');
  if (equals > 0) return [[text.slice(0, equals), text.slice(equals + 1)]];
  const value = environment[text];
  return value === undefined ? [] : [[text, value]];
}

/** The reproducible-builds variable, in seconds; else 1970, so that the same content always gives the same digest. */
function sourceDate(text: string | undefined): Instant {
  return text !== undefined && /^\d{1,11}$/.test(text) ? Number(text) * 1_000 : 0;
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): Partial<Record<Name, Value>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}
