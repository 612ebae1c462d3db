import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorMessage, TandemError } from '../core/error.ts';
import { formatKeyPath } from '../model/config/describe.ts';
import { validateFleet, type Fleet } from '../model/config/fleet.ts';
import type { Config } from '../model/config/schema.ts';
import { validateConfig, type ConfigFault } from '../model/config/validate.ts';
import { pathExists, readTextIfExists } from '../platform/files.ts';
import { importModule, syntaxErrorLine } from '../platform/modules.ts';

/** What `import … from 'tandem'` in a config file means: this very package, whatever the user's folder holds. */
const PACKAGE_ENTRY = fileURLToPath(new URL(`../index${extname(import.meta.url)}`, import.meta.url));

/**
 * Reads and checks a `tandem.config.ts`. Throws CONFIG_MISSING, or CONFIG_INVALID with all its faults (`data.faults`)
 * or with the line that could not be read.
 */
export async function loadConfig(path: string): Promise<Config> {
  if (!(await pathExists(path))) {
    throw new TandemError(
      'CONFIG_MISSING',
      `there is no ${path}: run \`tandem init\` in the application's folder, or name the file with --config`,
      { data: { path } },
    );
  }
  const { config, faults } = validateConfig(await readDefaultExport(path));
  if (faults) throw invalid(path, faults);
  return config;
}

/** Reads and checks a `tandem.fleet.ts`. Throws CONFIG_MISSING or CONFIG_INVALID, as for a configuration. */
export async function loadFleet(path: string): Promise<Fleet> {
  if (!(await pathExists(path))) {
    throw new TandemError(
      'CONFIG_MISSING',
      `there is no ${path}: write one with \`export default defineFleet({ … })\`, or name it with --file`,
      { data: { path } },
    );
  }
  const { fleet, faults = [] } = validateFleet(await readDefaultExport(path));
  // The parser is loaded for fleets only: among hundreds of customers nobody sees that one is there twice.
  const { repeatedKeys } = await import('../platform/repeated-keys.ts');
  const repeated = (await repeatedKeys(path)).map(({ path: keys, line, firstLine }) => ({
    path: formatKeyPath(keys),
    found: `the same key in lines ${firstLine} and ${line}`,
    allowed: 'each key once',
  }));
  if (fleet && repeated.length === 0) return fleet;
  throw invalid(path, [...repeated, ...faults]);
}

async function readDefaultExport(path: string): Promise<unknown> {
  let module: Record<string, unknown>;
  try {
    module = await importModule(path, { aliases: { tandem: PACKAGE_ENTRY } });
  } catch (error) {
    const place = await placeOf(error, path);
    throw new TandemError('CONFIG_INVALID', `${place} cannot be read: ${reasonOf(error)}`, {
      data: { file: path, place },
      cause: error,
    });
  }
  if (!('default' in module)) {
    throw new TandemError(
      'CONFIG_INVALID',
      `${path} exports no configuration: it must say \`export default defineConfig({ … })\``,
      { data: { file: path } },
    );
  }
  return module['default'];
}

function invalid(path: string, faults: ConfigFault[]): TandemError {
  const lines = faults.map(({ path: key, found, allowed, suggestion }) => {
    const meant = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
    return `  ${path}: ${key}: found ${found}, allowed: ${allowed}${meant}`;
  });
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  return new TandemError('CONFIG_INVALID', `${count}, so nothing was done\n${lines.join('\n')}`, {
    data: { file: path, faults },
  });
}

function reasonOf(error: unknown): string {
  const message = errorMessage(error).split('\n', 1)[0]!;
  return error instanceof SyntaxError ? message.trim().replace(/\. $/, '') : message;
}

/** `file:line` of what went wrong, as near as the error tells: its stack, a syntax check, or the import it names. */
async function placeOf(error: unknown, path: string): Promise<string> {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frame = /((?:file:\/\/)?\/[^\n()]*?\.[mc]?[jt]s):(\d+)/.exec(withoutOwnFrames(stack));
  if (frame) return `${frame[1]!.startsWith('file:') ? fileURLToPath(frame[1]!) : frame[1]}:${frame[2]}`;
  const line = error instanceof SyntaxError ? await syntaxErrorLine(path) : undefined;
  const mentioned = line ?? (await lineThatMentions(path, errorMessage(error)));
  return mentioned === undefined ? path : `${path}:${mentioned}`;
}

function withoutOwnFrames(stack: string): string {
  const own = fileURLToPath(new URL('..', import.meta.url));
  return stack
    .split('\n')
    .filter(line => !line.includes('node:') && !line.includes(own) && !line.includes('/node_modules/'))
    .filter(line => !/^\w*Error\b/.test(line))
    .join('\n');
}

/** Node names a module or export that is not there in quotes; the first line that writes it is the one to look at. */
async function lineThatMentions(path: string, message: string): Promise<number | undefined> {
  const name = /'([^']+)'/.exec(message.replace(/^The requested module '[^']*'/, ''))?.[1];
  if (name === undefined) return undefined;
  const written = name.split('/').at(-1)!;
  const lines = (await readTextIfExists(path))?.split('\n') ?? [];
  const index = lines.findIndex(line => line.includes(written));
  return index === -1 ? undefined : index + 1;
}
