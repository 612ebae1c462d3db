import type { CommandContext } from './context.ts';
import type { ExitCode } from './exit-code.ts';

interface ArgumentDefinition {
  /** As help shows it: `[execution]`, `<release>`. */
  syntax: string;
  description: string;
  choices?: readonly string[];
}

export interface OptionDefinition {
  /** As help shows it: `--port-base <number>`, `--no-wait`. */
  flags: string;
  description: string;
  choices?: readonly string[];
  default?: string | number | boolean;
  /** Turns the text into a value. Throws an Error that says what is allowed. */
  parse?: (text: string) => unknown;
}

/** A command: data, and a handler that is given the world. */
export interface Command<Options> {
  name: string;
  summary: string;
  /** Shown under the summary in the command's help. */
  details?: string;
  /** Command lines to copy, at least one. */
  examples: readonly string[];
  arguments?: readonly ArgumentDefinition[];
  options?: readonly OptionDefinition[];
  /** Whether `--region` makes sense. */
  takesRegion: boolean;
  /** Whether it can do its work on AWS, and so takes `--target aws`. */
  isForAws?: boolean;
  run(context: CommandContext, options: Options, argument?: string): Promise<ExitCode>;
}

/** Keeps a command's options typed inside it, and equal to all others outside. */
export function defineCommand<Options>(command: Command<Options>): Command<never> {
  return command;
}
