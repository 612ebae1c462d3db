import { nodeVersion } from '../../../../platform/process.ts';
import type { Command } from './command.ts';
import { unsupportedCommand } from './options.ts';

/**
 * The commands by name; each is loaded only when it is called, since a build specification calls many and each is a
 * process. To add one: its function in a file of this folder, its name here.
 */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  build: async () => (await import('./build.ts')).build,
  push: async () => (await import('./push.ts')).push,
  pull: async () => (await import('./pull.ts')).pull,
  login: async () => (await import('./login.ts')).login,
  logout: async () => (await import('./login.ts')).logout,
  tag: async () => (await import('./images.ts')).tag,
  images: async () => (await import('./images.ts')).images,
  rmi: async () => (await import('./images.ts')).removeImages,
  inspect: async () => (await import('./inspect.ts')).inspect,
  save: async () => (await import('./archive.ts')).save,
  load: async () => (await import('./archive.ts')).load,
  version: async () => version,
  info: async () => info,
};

/** Management commands and what each of theirs is called alone. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  image: {
    build: 'build',
    push: 'push',
    pull: 'pull',
    tag: 'tag',
    ls: 'images',
    list: 'images',
    rm: 'rmi',
    inspect: 'inspect',
    save: 'save',
    load: 'load',
  },
  buildx: { build: 'build', b: 'build', bake: '' },
  builder: { build: 'build' },
};

/** They only prepare an engine's builder, or free its disk: there is nothing to do, and no harm in saying so. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'buildx create',
  'buildx use',
  'buildx inspect',
  'buildx ls',
  'buildx rm',
  'buildx version',
  'buildx prune',
  'buildx install',
  'builder prune',
  'image prune',
  'system prune',
  'container prune',
  'volume prune',
]);

/** Finds the command that `docker <argv>` names, and what follows the name. Throws DOCKER_COMMAND_UNSUPPORTED. */
export async function findCommand(
  argv: readonly string[],
): Promise<{ run: Command; argv: readonly string[] }> {
  const [first = '', second = '', ...rest] = argv;
  if (first === '--version' || first === '-v') return { run: shortVersion, argv: [] };
  if (WITHOUT_EFFECT.has(`${first} ${second}`)) {
    return {
      run: context => context.stderr(`docker ${first} ${second}: nothing to do without a container engine\n`),
      argv: rest,
    };
  }
  const group = Object.hasOwn(GROUPS, first) ? GROUPS[first] : undefined;
  const name = group === undefined ? first : Object.hasOwn(group, second) ? group[second]! : '';
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    const asked = group === undefined ? first : `${first} ${second}`;
    throw unsupportedCommand(
      `docker ${asked}`.trim(),
      `this docker stands in for one and knows ${Object.keys(COMMANDS).join(', ')}`,
    );
  }
  return { run: await load(), argv: group === undefined ? argv.slice(1) : rest };
}

const shortVersion: Command = context => {
  context.stdout(`Docker version 0.0.0, build tandem (no container engine)\n`);
};

const version: Command = context => {
  context.stdout(
    `Client: Tandem's stand-in for Docker\n Node.js: ${nodeVersion}\n\nServer: none; Dockerfiles run as plain processes\n`,
  );
};

const info: Command = context => {
  const { registryHost, cacheFolder, region } = context.settings;
  context.stdout(
    `Client: Tandem's stand-in for Docker\nServer: none\n Registry: ${registryHost} (${region})\n Layer cache: ${cacheFolder}\n`,
  );
};
