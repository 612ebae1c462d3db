import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parseBuildspec } from '../../src/local/build/buildspec/parse.ts';
import { BuildFixture } from '../../src/local/build/docker/testing/build-fixture.ts';
import { validateConfig } from '../../src/model/config/validate.ts';
import { parseImageConfig } from '../../src/wire/oci/image-config.ts';
import { parseManifest } from '../../src/wire/oci/manifest.ts';
import { codeOf, FULL_SIZE, type Attack } from './attack.ts';

export const DOCUMENTS: readonly Attack[] = [
  {
    title: 'a manifest of a million faults',
    run: size => manifest(`{"schemaVersion":2,"layers":[${'{},'.repeat(1_300 * size)}{}]}`),
    says: 'MANIFEST_INVALID',
  },
  {
    title: 'a manifest that nests four million deep',
    run: size => manifest(`{"layers":${'['.repeat(4_000 * size)}`),
    says: 'MANIFEST_INVALID',
  },
  {
    title: 'an image configuration of 200,000 wrong labels',
    run: size =>
      codeOf(() =>
        parseImageConfig(Buffer.from(`{"config":{"Labels":{${each(200 * size, key => `"${key}":1`)}}}}`)),
      ),
    says: 'IMAGE_CONFIG_INVALID',
  },
  {
    title: 'a buildspec whose aliases multiply',
    run: size => buildspec(aliases(Math.min(size, 60))),
    says: 'BUILDSPEC_INVALID',
  },
  {
    title: 'a buildspec that nests 250,000 deep',
    run: size => buildspec('['.repeat(250 * size)),
    says: 'BUILDSPEC_INVALID',
  },
  {
    title: 'a buildspec of 20,000 faults',
    run: size => buildspec(`{version: 0.2, ${each(20 * size, key => `k${key}: 1`)}}`),
    says: 'BUILDSPEC_INVALID',
  },
  {
    title: 'a Dockerfile whose variables double',
    run: size => build(`ARG A=xx\n${'ARG A=$A$A\n'.repeat(Math.min(size, 60))}FROM $A\nBAD`),
    says: 'DOCKERFILE_INVALID',
  },
  {
    title: 'a Dockerfile of a million instructions',
    run: size => build(`FROM scratch\n${'BAD\n'.repeat(1_000 * size)}`),
    says: 'DOCKERFILE_INVALID',
  },
  {
    title: 'a Dockerfile without an end',
    run: size => buildLinked('Dockerfile', size),
    says: 'DOCKERFILE_INVALID',
  },
  {
    title: 'a .dockerignore without an end',
    run: size => buildLinked('.dockerignore', size),
    says: 'BUILD_CONTEXT_INVALID',
  },
  {
    title: 'a configuration of 10,000 wrong keys',
    run: size =>
      codeOf(() => {
        const { faults } = validateConfig(
          Object.fromEntries(Array.from({ length: 10 * size }, (_, key) => [`key${key}`, 'x'])),
        );
        throw Object.assign(new Error(), { code: faults ? 'faults' : 'none' });
      }),
    says: 'faults',
  },
];

function manifest(text: string): Promise<string> {
  return codeOf(() => parseManifest(Buffer.from(text)));
}

function buildspec(text: string): Promise<string> {
  return codeOf(() => parseBuildspec(text, 'buildspec.yml'));
}

function each(count: number, write: (number: number) => string): string {
  return Array.from({ length: count }, (_, number) => write(number)).join(',');
}

/** Each level names the one before ten times: 10 to the power of so many values. */
function aliases(levels: number): string {
  const lines = Array.from(
    { length: levels },
    (_, level) => `l${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`).join(', ')}]`,
  );
  return ['version: 0.2', 'l0: &l0 x', ...lines].join('\n');
}

async function build(dockerfile: string): Promise<string> {
  const fixture = new BuildFixture();
  try {
    return await codeOf(() => fixture.build(dockerfile));
  } finally {
    fixture.remove();
  }
}

/** With `name` a link to a device that never ends; at the smallest size to one that is empty. */
async function buildLinked(name: string, size: number): Promise<string> {
  const fixture = new BuildFixture({ sound: 'FROM scratch\n' });
  try {
    symlinkSync(size === FULL_SIZE ? '/dev/zero' : '/dev/null', join(fixture.contextFolder, name));
    const dockerfile = join(fixture.contextFolder, name === 'Dockerfile' ? name : 'sound');
    return await codeOf(() => fixture.buildFile(dockerfile));
  } finally {
    fixture.remove();
  }
}
