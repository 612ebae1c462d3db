import { TandemError, errorMessage, systemErrorCode } from '../../../core/error.ts';
import { systemClock } from '../../../platform/clock.ts';
import {
  commandArguments,
  environment,
  exitProcess,
  onSignal,
  readInput,
  writeError,
  writeOutput,
} from '../../../platform/process.ts';
import { findCommand } from './commands/table.ts';
import { readSettings } from './settings.ts';

/**
 * The `docker` that build specifications find on PATH where no container engine answers. Its first argument is the
 * settings file, which the wrapper gives; the rest is docker's. Exit codes as Docker's: 0, 1, 125 for what it cannot
 * do, 128 + n when it is told to stop.
 */
async function main(settingsPath: string, argv: readonly string[]): Promise<number> {
  const abort = new AbortController();
  let stopped: number | undefined;
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    onSignal(signal, () => {
      stopped ??= exitCode;
      abort.abort(new TandemError('IMAGE_BUILD_STOPPED', `docker was told to stop by ${signal}.`));
    });
  try {
    const command = await findCommand(argv);
    await command.run(
      {
        settings: readSettings(settingsPath),
        environment,
        clock: systemClock,
        stdout: writeOutput,
        stderr: writeError,
        readInput,
        signal: abort.signal,
      },
      command.argv,
    );
    return stopped ?? 0;
  } catch (thrown) {
    const error = explained(thrown);
    writeError(`ERROR: ${error.message} [${error.code}]\n`);
    return stopped ?? (error.code === 'DOCKER_COMMAND_UNSUPPORTED' ? 125 : 1);
  }
}

/** What the machine refused (disk full, no permission) is told with its own words; a bug stops loudly. */
function explained(thrown: unknown): TandemError {
  if (thrown instanceof TandemError) return thrown;
  if (systemErrorCode(thrown) === undefined) throw thrown;
  return new TandemError(
    'IMAGE_BUILD_FAILED',
    `${errorMessage(thrown)}. Check that the disk has room and the files can be read.`,
    { kind: 'system', cause: thrown },
  );
}

const [settingsPath = '', ...argv] = commandArguments;
exitProcess(await main(settingsPath, argv));
