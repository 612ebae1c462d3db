import { posix } from 'node:path';
import { shellWord } from '../text/shell-word.ts';
import { isRecord, scalarText } from './manifest.ts';
import { show, ValueReader, type Tell } from './read-values.ts';

/** How the image is built. */
export interface MappedImage {
  /** What follows `docker build --tag …`, quoted for a shell. */
  buildArguments: string;
  /** From the workspace's folder; `undefined` where Copilot ran a ready image. */
  dockerfile: string | undefined;
  /** A ready image that Copilot ran as it was. */
  location: string | undefined;
}

/** Copilot's rules of what `image.build` leaves out: Dockerfile and context are looked for beside each other. */
export function mapImage(manifest: unknown, tell: Tell): MappedImage {
  const values = new ValueReader(manifest, tell);
  const location = values.text('image.location');
  const build = values.raw('image.build');
  if (location !== undefined && build === undefined) {
    tell(
      'changed',
      'image.location',
      'a Dockerfile that says FROM this image stands for it: every release is built',
    );
    return { buildArguments: '.', dockerfile: undefined, location };
  }
  const written = isRecord(build) ? values.text('image.build.dockerfile') : values.text('image.build');
  const context = isRecord(build) ? values.text('image.build.context') : undefined;
  const dockerfile = posix.normalize(written ?? posix.join(context ?? '.', 'Dockerfile'));
  const folder = posix.normalize(context ?? posix.dirname(dockerfile));
  for (const [key, path] of [
    ['image.build.dockerfile', dockerfile],
    ['image.build.context', folder],
  ] as const) {
    if (!path.startsWith('..') && !posix.isAbsolute(path)) continue;
    const at = values.raw(key) === undefined ? 'image.build' : key;
    tell('left', at, `${path} is outside the repository, which is all that a build has: move it in`);
    return { buildArguments: '.', dockerfile: 'Dockerfile', location: undefined };
  }
  const isPlain = dockerfile === posix.join(folder, 'Dockerfile');
  const options = [
    ...(isPlain ? [] : ['--file', shellWord(dockerfile)]),
    ...targetOption(values),
    ...buildArgs(values),
    shellWord(folder.replace(/(.)\/$/, '$1')),
  ];
  return { buildArguments: options.join(' '), dockerfile, location: undefined };
}

function targetOption(values: ValueReader): string[] {
  const target = values.text('image.build.target');
  return target === undefined ? [] : ['--target', shellWord(target)];
}

function buildArgs(values: ValueReader): string[] {
  const args = values.raw('image.build.args');
  return Object.entries(isRecord(args) ? args : {}).flatMap(([name, value]) => {
    const key = `image.build.args.${name}`;
    const text = scalarText(value);
    if (text === undefined) {
      values.tell('left', key, `${show(value)} is no text; write it into buildspec.yml`);
      return [];
    }
    if (/\$\{\w+\}/.test(text)) {
      values.tell(
        'changed',
        key,
        'Copilot filled variables in from its own environment: set them in build.environment',
      );
      return ['--build-arg', `"${name}=${text.replaceAll(/["\\`]|\$(?!\{)/g, '\\$&')}"`];
    }
    return ['--build-arg', shellWord(`${name}=${text}`)];
  });
}
