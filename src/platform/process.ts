import { spawn } from 'node:child_process';
import { accessSync, constants as fileConstants, readFileSync, statSync, writeSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { constants } from 'node:os';

export { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';

/** The Node.js that runs Tandem; every Node process that Tandem starts uses it. */
export const nodePath = process.execPath;
export const ownPid = process.pid;
export const environment = process.env;
export const operatingSystem = process.platform;

/**
 * Who a process is, beyond its reusable number: `<pid>:<start time>`. On Linux the start time is field 22 of
 * /proc/<pid>/stat (clock ticks since boot); elsewhere `ps` gives it in seconds. `undefined` where no such
 * process runs (a zombie counts as gone).
 */
export function processIdentity(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const state = fieldsAfterName(stat)[0];
      const isGone = state === 'Z' || state === 'X';
      return isGone ? undefined : parseProcessIdentity(stat);
    } catch {
      return undefined;
    }
  }
  return isAlive(pid) ? `${pid}:` : undefined;
}

/** The identity that a process wrote down about itself: the content of its /proc/<pid>/stat, or its bare number elsewhere. */
export function parseProcessIdentity(stat: string): string {
  return `${Number.parseInt(stat, 10)}:${fieldsAfterName(stat)[19] ?? ''}`;
}

/** The name, in parentheses, may contain blanks and parentheses itself. */
function fieldsAfterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** The number that a shell adds to 128 for a process ended by this signal. */
export function signalNumber(signal: NodeJS.Signals): number {
  return constants.signals[signal];
}

/** Sends a signal to one process; false where it is gone already. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Sends a signal to a whole process group (a child started with `detached: true` leads one). */
export function sendSignalToGroup(groupId: number, signal: NodeJS.Signals): boolean {
  return process.platform === 'win32' ? sendSignal(groupId, signal) : sendSignal(-groupId, signal);
}

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string | Uint8Array;
  signal?: AbortSignal;
}

/**
 * Runs a short command to its end and collects its output. Resolves whatever the exit code; rejects only where
 * the program could not be started (ENOENT) or was aborted. A command ended by a signal has exit code 128 + n.
 */
export function runCommand(
  program: string,
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      signal: options.signal,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on('error', () => undefined);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({
        exitCode: code ?? 128 + (signal === 'SIGKILL' ? 9 : 15),
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
      });
    });
    child.stdin.end(options.input);
  });
}

/** Sends a message to the process that started this one with an IPC channel; nothing where there is none (any more). */
export function sendToParent(message: unknown): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** Calls back when the parent closes the IPC channel or dies. */
export function onParentGone(callback: () => void): void {
  process.once('disconnect', callback);
}

/** Lets this process live on without its parent. */
export function leaveParent(): void {
  if (process.connected) process.disconnect();
}

/** Calls back on each arrival of a signal, in place of the default (death). */
export function onSignal(signal: NodeJS.Signals, callback: () => void): void {
  process.on(signal, callback);
}

/** What `ps` shows. */
export function setProcessTitle(title: string): void {
  process.title = title;
}

export function exitProcess(code: number): never {
  process.exit(code);
}

/** Ends this process once all that it wrote has reached its readers: a pipe takes only so much at a time. */
export function exitWhenWritten(code: number): void {
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

/** Writes to this process's own standard error: for processes that have no command context. */
export function writeError(text: string): void {
  process.stderr.write(text);
}

/** The same for a process that must outlive a full disk under its log: what cannot be written is lost, nothing else. */
export function writeErrorIfPossible(text: string): void {
  try {
    writeSync(process.stderr.fd, text);
  } catch {
    // There is nowhere left to tell it.
  }
}

/** Lets this process live on where its output can not be written: without a listener such an error ends it. */
export function surviveOutputErrors(): void {
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
}

/** What follows the script on this process's command line. */
export const commandArguments = process.argv.slice(2);
export const nodeVersion = process.versions.node;
/** `x64`, `arm64`… */
export const architecture = process.arch;
/** 0 for the superuser; `undefined` where the system has no such numbers. */
export const userId = process.getuid?.();

/** Writes to this process's own standard output: for executables that have no command context. */
export function writeOutput(text: string | Uint8Array): void {
  process.stdout.write(text);
}

/** All of standard input as text, up to its end; whoever started this process may have made it one that does not wait. */
export async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Where PATH finds a program, folders in `except` left out; `undefined` where it does not. */
export function findProgram(name: string, except: readonly string[] = []): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder === '' || except.includes(folder)) continue;
    const path = join(folder, name);
    try {
      accessSync(path, fileConstants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
