import type { Clock } from '../../../../platform/clock.ts';
import type { ToolSettings } from '../settings.ts';

/** What a command of the stand-in `docker` is given; nothing of it is ambient. */
export interface CommandContext {
  settings: ToolSettings;
  environment: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  stdout(text: string | Uint8Array): void;
  stderr(text: string): void;
  readInput(): Promise<string>;
  signal: AbortSignal;
}

/** Throws a TandemError where it fails. */
export type Command = (context: CommandContext, argv: readonly string[]) => Promise<void> | void;
