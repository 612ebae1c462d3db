import { parseArgs, type ParseArgsConfig } from 'node:util';
import { TandemError, errorMessage } from '../../../../core/error.ts';

type OptionTable = NonNullable<ParseArgsConfig['options']>;

export interface CommandLine {
  positionals: string[];
  /** The last value of an option. */
  value(name: string): string | undefined;
  values(name: string): string[];
  has(name: string): boolean;
}

/**
 * Reads a command's options as Docker's client does: `-t x`, `-tx`, `--tag x`, `--tag=x`, switches also as
 * `--push=true`. Throws DOCKER_COMMAND_INVALID, which names an option that is not known.
 */
export function parseOptions(command: string, argv: readonly string[], options: OptionTable): CommandLine {
  let parsed;
  try {
    parsed = parseArgs({
      args: argv.flatMap(argument => switchValue(argument, options)),
      options,
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    const [first = ''] = errorMessage(error).split(/(?<=')\. | To specify /);
    throw invalidCommand(`docker ${command}: ${first}`, `Known options: ${namesOf(options)}.`);
  }
  const given = parsed.values as Record<string, string | boolean | (string | boolean)[] | undefined>;
  const values = (name: string) => [given[name] ?? []].flat().filter(value => typeof value === 'string');
  return {
    positionals: parsed.positionals,
    values,
    value: name => values(name).at(-1),
    has: name => given[name] === true,
  };
}

export function invalidCommand(problem: string, mend: string): TandemError {
  return new TandemError('DOCKER_COMMAND_INVALID', `${problem.replace(/\.$/, '')}. ${mend}`);
}

export function unsupportedCommand(what: string, why: string): TandemError {
  return new TandemError(
    'DOCKER_COMMAND_UNSUPPORTED',
    `${what} is not possible without a container engine: ${why}. Start Docker or Podman and push again.`,
  );
}

/** `--push=true` is `--push`, `--push=false` is nothing: the library knows switches only without a value. */
function switchValue(argument: string, options: OptionTable): string[] {
  const match = /^--([\w-]+)=(true|false|1|0)$/.exec(argument);
  if (match === null || options[match[1]!]?.type !== 'boolean') return [argument];
  return /true|1/.test(match[2]!) ? [`--${match[1]!}`] : [];
}

function namesOf(options: OptionTable): string {
  return Object.entries(options)
    .map(([name, { short }]) => (short === undefined ? `--${name}` : `-${short}, --${name}`))
    .join('; ');
}
