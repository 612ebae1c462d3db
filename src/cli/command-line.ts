import { join, resolve } from 'node:path';
import { Command as Parser, CommanderError, InvalidArgumentError, Option } from 'commander';
import { errorMessage, TandemError } from '../core/error.ts';
import { readFileSync } from '../platform/files.ts';
import { loadCommands } from './commands/index.ts';
import type { Command, OptionDefinition } from './command.ts';
import type { CommandContext, CommandPorts } from './context.ts';
import { createContext, paintFor } from './create-context.ts';
import { EXIT, exitCodeOfError, type ExitCode } from './exit-code.ts';
import { errorReport, printError } from './failures.ts';
import { CONFIG_FILE_NAME } from './config-file-name.ts';
import { defaultDataDir, reaching, reachingOutput, type Reached } from './reach.ts';

interface CommonOptions {
  json?: boolean;
  target: 'local' | 'aws';
  config?: string;
  dataDir?: string;
  region?: string[];
}

/** What becomes known while a command line is run. */
interface CommandListeners {
  onReached(reached: Reached): void;
  onExit(code: ExitCode): void;
}

/** Runs one command line (without the program's own name) to its end. Never throws: errors are printed and coded. */
export async function runCommandLine(argv: readonly string[], ports: CommandPorts): Promise<ExitCode> {
  const json = argv.includes('--json');
  let exitCode: ExitCode = EXIT.done;
  let complete = (text: string): string => text;
  const commands = await loadCommands(argv[0]);
  const program = createProgram(commands, ports, {
    onReached(reached) {
      complete = text => reaching(reached, text);
    },
    onExit(code) {
      exitCode = code;
    },
  });
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? usageError(thrown, commands, argv) : thrown;
    if (error === undefined) return EXIT.done;
    const { isTerminal } = ports.stderr;
    const report = errorReport(error);
    const told = { ...report, message: complete(report.message) };
    if (json) ports.stdout.write(`${JSON.stringify({ error: told }, undefined, 2)}\n`);
    else {
      const stderr = { isTerminal, write: (text: string) => ports.stderr.write(complete(text)) };
      printError(stderr, paintFor(ports, ports.stderr), error);
    }
    return exitCodeOfError(error);
  }
}

/** What commander refused, as an error of ours; `undefined` where it only printed help or the version. */
function usageError(
  error: CommanderError,
  commands: readonly Command<never>[],
  argv: readonly string[],
): TandemError | undefined {
  if (error.exitCode === 0 || error.code === 'commander.help') return undefined;
  const message = error.message.replace(/^error: /, '').replace(/\n\((.*)\)$/, '. $1');
  const command = commands.find(({ name }) => name === argv[0]);
  const hint = command
    ? `\`tandem ${command.name} --help\` shows how it is used`
    : '`tandem --help` lists the commands';
  return new TandemError('USAGE', `${message}\n${hint}`, { cause: error });
}

function createProgram(
  commands: readonly Command<never>[],
  ports: CommandPorts,
  listeners: CommandListeners,
): Parser {
  const program = configured(new Parser('tandem'), ports)
    .description(
      'Deliver a containerised application to several AWS regions from one typed file, ' +
        'or run the very same thing on this machine.',
    )
    .version(versionOf(ports.packageFolder), '--version', 'print the version')
    .helpCommand('help [command]', 'show this, or how a command is used')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong use or invalid config, 3 rolled back,\n' +
        '            4 waiting for a person, 5 drift found, 6 unknown (lost contact)\n\nStart here:\n  $ tandem init && tandem up',
    );
  for (const command of commands) program.addCommand(createParser(command, ports, listeners));
  return program;
}

function createParser(command: Command<never>, ports: CommandPorts, listeners: CommandListeners): Parser {
  const parser = configured(new Parser(command.name), ports)
    .summary(command.summary)
    .description(
      command.details === undefined ? command.summary : `${command.summary}\n\n${command.details}`,
    );
  for (const argument of command.arguments ?? []) {
    const created = parser.createArgument(argument.syntax, argument.description);
    parser.addArgument(argument.choices ? created.choices([...argument.choices]) : created);
  }
  for (const definition of command.options ?? []) {
    const option = createOption(definition);
    parser.addOption(option);
    if (isSilentDefault(definition.default)) {
      parser.setOptionValueWithSource(option.attributeName(), definition.default, 'default');
    }
  }
  if (command.takesRegion) {
    parser.option('--region <name>', 'only this region; may be given again (default: all)', collect);
  }
  parser
    .addOption(new Option('--target <cloud>', 'which cloud').choices(['local', 'aws']).default('local'))
    .option('--config <file>', `the config file (default: ./${CONFIG_FILE_NAME})`)
    .option(
      '--data-dir <folder>',
      'where the local cloud keeps its data (default: .tandem beside the config file)',
    )
    .option('--json', 'print results, and errors, as JSON')
    .addHelpText(
      'after',
      `\nExample${command.examples.length > 1 ? 's' : ''}:\n${listExamples(command.examples)}`,
    );
  parser.action(async (...received: unknown[]) => {
    const argument = command.arguments?.length ? (received[0] as string | undefined) : undefined;
    const options = parser.opts<CommonOptions>();
    const context = contextFor(command, ports, options, listeners);
    listeners.onExit(await command.run(context, options as never, argument));
  });
  return parser;
}

/** commander must neither end the process nor write anywhere but to our streams. */
function configured(parser: Parser, ports: CommandPorts): Parser {
  return parser
    .exitOverride()
    .allowExcessArguments(false)
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: text => ports.stdout.write(text),
      // Refusals are thrown too, and printed once, by us; help that nobody asked for is worth showing.
      writeErr: text => (text.startsWith('error:') ? undefined : ports.stderr.write(text)),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

function createOption(definition: OptionDefinition): Option {
  const { parse } = definition;
  const option = new Option(definition.flags, definition.description);
  if (definition.choices) option.choices([...definition.choices]);
  if (definition.default !== undefined && !isSilentDefault(definition.default)) {
    option.default(definition.default);
  }
  if (parse) {
    option.argParser(text => {
      try {
        return parse(text);
      } catch (error) {
        throw new InvalidArgumentError(errorMessage(error));
      }
    });
  }
  return option;
}

/** Off and empty go without saying: help does not show such a default. */
function isSilentDefault(value: OptionDefinition['default']): boolean {
  return value === false || value === '';
}

function contextFor(
  command: Command<never>,
  ports: CommandPorts,
  options: CommonOptions,
  { onReached }: CommandListeners,
): CommandContext {
  if (options.target === 'aws' && command.isForAws !== true) {
    throw new TandemError(
      'TARGET_UNSUPPORTED',
      `tandem ${command.name} is for this machine only: leave --target out`,
    );
  }
  const { json = false, config = CONFIG_FILE_NAME, region = [] } = options;
  const { workingFolder } = ports;
  const configPath = resolve(workingFolder, config);
  const dataDir =
    options.dataDir === undefined ? defaultDataDir(configPath) : resolve(workingFolder, options.dataDir);
  const reached = { workingFolder, configPath, dataDir, target: options.target };
  onReached(reached);
  const told = { ...ports, stderr: reachingOutput(reached, ports.stderr) };
  return createContext(told, { json, target: options.target, configPath, dataDir, chosenRegions: region });
}

function versionOf(packageFolder: string): string {
  const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

function listExamples(examples: readonly string[]): string {
  return examples.map(example => `  $ ${example}`).join('\n');
}

function collect(value: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}
