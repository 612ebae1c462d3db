import type { BuildPhaseName } from '../../model/build.ts';
import type { BuildLog } from './build-log.ts';
import type { BuildProgress, PhaseFailure } from './build-progress.ts';
import { BUILD_PHASE_KEYS, type BuildPhaseKey, type Buildspec } from './buildspec/schema.ts';
import type { OnFailure } from './buildspec/on-failure.ts';
import { commandCause, commandContext } from './cause.ts';
import type { ShellSession, ShellUser } from './shell/shell-session.ts';

const PHASE_NAMES: Record<BuildPhaseKey, BuildPhaseName> = {
  install: 'INSTALL',
  pre_build: 'PRE_BUILD',
  build: 'BUILD',
  post_build: 'POST_BUILD',
};

/** One phase of commands, as it is run: what CodeBuild's buildspec says, users already looked up. */
interface CommandPhase {
  commands: readonly string[];
  finally: readonly string[];
  onFailure: OnFailure | undefined;
  user: ShellUser | undefined;
}

export interface CommandPhasesSettings {
  buildspec: Buildspec;
  /** By user name; `undefined` for the user who runs Tandem. */
  users: ReadonlyMap<string, ShellUser | undefined>;
  session: ShellSession;
  progress: BuildProgress;
  log: BuildLog;
  signal: AbortSignal;
}

/**
 * Runs INSTALL to POST_BUILD. Without `on-failure`, a failed install or pre_build ends the build and a failed build
 * still runs post_build (AWS: "Build phase transitions"); CONTINUE goes on after any. A build with a failed phase
 * has failed, whatever its later phases did.
 */
export async function runCommandPhases(settings: CommandPhasesSettings): Promise<void> {
  for (const key of BUILD_PHASE_KEYS) {
    const phase = commandPhase(settings, key);
    settings.log.note(`Entering phase ${PHASE_NAMES[key]}`);
    const failure = await settings.progress.phase(PHASE_NAMES[key], () => runPhase(settings, phase));
    if (failure !== undefined && (failure.status !== 'FAILED' || endsBuild(key, phase.onFailure))) return;
  }
}

function commandPhase({ buildspec, users }: CommandPhasesSettings, key: BuildPhaseKey): CommandPhase {
  const phase = buildspec.phases[key];
  const userName = phase?.['run-as'] ?? buildspec['run-as'];
  return {
    commands: phase?.commands ?? [],
    finally: phase?.finally ?? [],
    onFailure: phase?.['on-failure'],
    user: userName === undefined ? undefined : users.get(userName),
  };
}

function endsBuild(key: BuildPhaseKey, onFailure: OnFailure | undefined): boolean {
  if (onFailure !== undefined) return onFailure.kind !== 'continue';
  return key === 'install' || key === 'pre_build';
}

async function runPhase(
  settings: CommandPhasesSettings,
  phase: CommandPhase,
): Promise<PhaseFailure | undefined> {
  const { log, progress, session, signal } = settings;
  if (phase.commands.length + phase.finally.length === 0) return undefined;
  await session.runAs(phase.user, signal);
  const retries = phase.onFailure?.kind === 'retry' ? phase.onFailure.attempts : 0;
  for (let retry = 1; ; retry++) {
    const attempt = await runOnce(settings, phase);
    if (attempt === undefined) {
      // A retry mended what a failed attempt had told the commands.
      if (retry > 1 && progress.isSucceeding) await tellSucceeding(settings, true);
      return undefined;
    }
    if (signal.aborted || retry > retries || !isRetried(phase.onFailure, attempt)) return attempt.failure;
    log.note(`Retrying the phase (${retry} of ${retries}): ${attempt.failure.cause}`);
  }
}

interface FailedAttempt {
  failure: PhaseFailure;
  output: readonly string[];
}

/** The commands up to the first that fails, then those of `finally` whatever came before. */
async function runOnce(
  settings: CommandPhasesSettings,
  phase: CommandPhase,
): Promise<FailedAttempt | undefined> {
  const failed = await runCommands(settings, phase.commands);
  if (failed !== undefined) await tellSucceeding(settings, false);
  const failedAtLast = await runCommands(settings, phase.finally);
  if (failed === undefined && failedAtLast !== undefined) await tellSucceeding(settings, false);
  return failed ?? failedAtLast;
}

async function runCommands(
  { session, log, signal }: CommandPhasesSettings,
  commands: readonly string[],
): Promise<FailedAttempt | undefined> {
  for (const command of commands) {
    signal.throwIfAborted();
    log.note(`Running command ${command}`);
    log.beginCommand();
    const outcome = await session.run(command, signal);
    if (outcome.exitStatus === 0) continue;
    log.note(`Command did not exit successfully ${command.trimEnd()} exit status ${outcome.exitStatus}`);
    const output = log.recentOutput();
    const cause = commandCause(command, outcome, output);
    return { failure: { status: 'FAILED', context: commandContext(command, outcome), cause }, output };
  }
  return undefined;
}

/** CODEBUILD_BUILD_SUCCEEDING, for the commands that come after a failed one. */
async function tellSucceeding(
  { session, signal }: CommandPhasesSettings,
  isSucceeding: boolean,
): Promise<void> {
  signal.throwIfAborted();
  await session.run(`export CODEBUILD_BUILD_SUCCEEDING=${isSucceeding ? 1 : 0}`, signal);
}

/** The expression is looked for in the phase's context and in the command's latest output. */
function isRetried(onFailure: OnFailure | undefined, { failure, output }: FailedAttempt): boolean {
  if (onFailure?.kind !== 'retry') return false;
  const { matching } = onFailure;
  return matching === undefined || [failure.context, ...output].some(line => matching.test(line));
}
