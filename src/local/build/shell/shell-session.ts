import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { TandemError } from '../../../core/error.ts';
import { readFileSync, writeFileSync } from '../../../platform/files.ts';
import { processIdentity, signalNumber, spawn, type ChildProcess } from '../../../platform/process.ts';
import { endMarkedProcesses } from '../../../platform/process-sweep.ts';
import { CONTROL_DESCRIPTOR, driverScript, STATE_COMPLETE } from './driver.ts';
import type { OutputChannel } from './output-channel.ts';

export interface ShellUser {
  uid: number;
  gid: number;
}

export interface ShellSettings {
  /** `/bin/sh`, or the path of bash. */
  program: string;
  isBash: boolean;
  /** A folder of this session alone, which it may fill. */
  folder: string;
  workspace: string;
  environment: Readonly<Record<string, string>>;
  /** Kept in every process's environment, also where a new shell restores the variables of an old one. */
  mark: { name: string; value: string };
  output: OutputChannel;
  /** Told of each shell that is started, before it runs a command. */
  onStart(identity: string): void;
}

/** How a command ended: an exit status, 128 + n where signal n ended it and the shell with it. */
export interface CommandOutcome {
  exitStatus: number;
  signal?: NodeJS.Signals;
}

interface RunningShell {
  child: ChildProcess;
  control: Duplex;
  exitState: string;
  ended: Promise<CommandOutcome>;
}

/**
 * One shell instance for all commands of a build. Where a command ends the shell, the next one runs in a new shell
 * that has the folder and the exported variables (with bash the functions too) of the old one. Standard input is
 * empty, there is no terminal, and the shell leads a session of its own.
 */
export class ShellSession {
  readonly #settings: ShellSettings;
  #shell: RunningShell | undefined;
  readonly #leaders: string[] = [];
  #user: ShellUser | undefined;
  #state: string | undefined;
  #commands = 0;
  #shells = 0;

  constructor(settings: ShellSettings) {
    this.#settings = settings;
  }

  /** Further commands run as this user (`undefined`: as the one who runs Tandem). Ends the shell of another user. */
  async runAs(user: ShellUser | undefined, signal: AbortSignal): Promise<void> {
    if (this.#user?.uid === user?.uid) return;
    await this.end(signal);
    this.#user = user;
  }

  /** Runs one command, of any number of lines, to its end; all of its output has been told when this resolves. */
  async run(command: string, signal: AbortSignal): Promise<CommandOutcome> {
    signal.throwIfAborted();
    this.#commands += 1;
    const name = `command-${this.#commands}`;
    writeFileSync(join(this.#settings.folder, name), `${command}\n`);
    const shell = (this.#shell ??= this.#start());
    const outcome = await this.#untilAborted(signal, this.#execute(shell, name));
    await this.#settings.output.fence();
    return outcome;
  }

  /** Lets the shell exit by itself, its EXIT trap included; what it left running goes on. */
  async end(signal: AbortSignal): Promise<void> {
    const shell = this.#shell;
    if (!shell) return;
    shell.control.end();
    await this.#untilAborted(signal, shell.ended);
    this.#noteEnd(shell);
    await this.#settings.output.fence();
  }

  #start(): RunningShell {
    const { settings, user } = { settings: this.#settings, user: this.#user };
    this.#shells += 1;
    const exitState = `exit-${this.#shells}`;
    const script = join(settings.folder, `shell-${this.#shells}`);
    const restore = this.#state;
    writeFileSync(
      script,
      driverScript({
        folder: settings.folder,
        workspace: settings.workspace,
        restore,
        exitState,
        keepsFunctions: settings.isBash,
      }),
    );
    const child = spawn(settings.program, [...(settings.isBash ? ['--noprofile', '--norc'] : []), script], {
      cwd: settings.workspace,
      // A variable that a command took away must not come back with a new shell: the restored state has them all.
      env:
        restore === undefined
          ? settings.environment
          : { PATH: settings.environment['PATH'], [settings.mark.name]: settings.mark.value },
      stdio: [
        'ignore',
        settings.output.descriptor,
        settings.output.descriptor,
        ...Array.from({ length: CONTROL_DESCRIPTOR - 3 }, () => 'ignore' as const),
        'pipe',
      ],
      detached: true,
      ...user,
    });
    const control = (child.stdio as readonly unknown[])[CONTROL_DESCRIPTOR] as Duplex;
    control.setEncoding('utf8');
    control.on('error', () => undefined);
    const identity = child.pid === undefined ? undefined : processIdentity(child.pid);
    if (identity !== undefined) {
      this.#leaders.push(identity);
      settings.onStart(identity);
    }
    return { child, control, exitState, ended: whenEnded(child, settings.program) };
  }

  async #execute(shell: RunningShell, name: string): Promise<CommandOutcome> {
    const answered = new Promise<CommandOutcome>(resolve => {
      let text = '';
      const onData = (chunk: string) => {
        text += chunk;
        const status = new RegExp(`^${name} (\\d+)\n`, 'm').exec(text)?.[1];
        if (status === undefined) return;
        shell.control.removeListener('data', onData);
        resolve({ exitStatus: Number(status) });
      };
      shell.control.on('data', onData);
    });
    shell.control.write(`${name}\n`);
    const isOver = shell.ended.then(outcome => {
      this.#noteEnd(shell);
      return outcome;
    });
    const outcome = await Promise.race([answered, isOver]);
    if (this.#shell === shell) this.#state = name;
    return outcome;
  }

  /**
   * An abort ends everything that was started, all at once: were the shell ended first, its children would become
   * init's, and those that changed both session and environment could no longer be found.
   */
  async #untilAborted<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
    const { name, value } = this.#settings.mark;
    const kill = () => {
      void endMarkedProcesses({ variable: `${name}=${value}`, leaders: this.#leaders });
    };
    if (signal.aborted) kill();
    signal.addEventListener('abort', kill, { once: true });
    try {
      return await work;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }

  #noteEnd(shell: RunningShell): void {
    if (this.#shell !== shell) return;
    this.#shell = undefined;
    if (isComplete(join(this.#settings.folder, `${shell.exitState}.variables`)))
      this.#state = shell.exitState;
  }
}

/** The user's own EXIT trap, a signal or `exec` may have kept the shell from writing its last state. */
function isComplete(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').trimEnd().endsWith(STATE_COMPLETE);
  } catch {
    return false;
  }
}

function whenEnded(child: ChildProcess, program: string): Promise<CommandOutcome> {
  const ended = new Promise<CommandOutcome>((resolve, reject) => {
    child.once('error', cause => {
      reject(
        new TandemError('SHELL_UNAVAILABLE', `${program} could not be started: ${cause.message}`, {
          kind: 'system',
          cause,
        }),
      );
    });
    child.once('exit', (code, signal) => {
      resolve(
        signal === null ? { exitStatus: code ?? 0 } : { exitStatus: 128 + signalNumber(signal), signal },
      );
    });
  });
  ended.catch(() => undefined);
  return ended;
}
