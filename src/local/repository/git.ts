import { TandemError, systemErrorCode } from '../../core/error.ts';
import {
  environment,
  runCommand,
  spawn,
  type ChildProcess,
  type CommandResult,
  type SpawnOptions,
} from '../../platform/process.ts';

interface GitOptions {
  input?: string;
  signal?: AbortSignal;
  environment?: Record<string, string>;
}

/** The system's git, working on one bare repository in an environment that holds nothing of the user's. */
export interface Git {
  readonly repositoryPath: string;
  /** Runs to the end and gives the result whatever the exit code. Throws GIT_MISSING. */
  run(argv: readonly string[], options?: GitOptions): Promise<CommandResult>;
  /** The same; throws GIT_FAILED with git's own words where the exit code is not 0. */
  output(argv: readonly string[], options?: GitOptions): Promise<string>;
  /** Starts git as the leader of a process group of its own. */
  spawn(argv: readonly string[], options: Pick<SpawnOptions, 'stdio'> & GitOptions): ChildProcess;
}

/** The oldest that knows `core.fsync`, `proc-receive` and `--http-backend-info-refs`. */
const OLDEST_VERSION = [2, 36] as const;

export function createGit(folder: string, repositoryPath: string): Git {
  const base = cleanEnvironment(folder, repositoryPath);
  const environmentOf = (options: GitOptions) => ({ ...base, ...options.environment });
  const git: Git = {
    repositoryPath,
    async run(argv, options = {}) {
      try {
        return await runCommand('git', argv, {
          cwd: folder,
          env: environmentOf(options),
          ...(options.input === undefined ? {} : { input: options.input }),
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        });
      } catch (error) {
        throw systemErrorCode(error) === 'ENOENT' ? missingGit(error) : error;
      }
    },
    async output(argv, options = {}) {
      const result = await git.run(argv, options);
      if (result.exitCode !== 0) throw failedGit(argv, result);
      return result.stdout;
    },
    spawn(argv, options) {
      const { stdio, ...rest } = options;
      return spawn('git', argv, { cwd: folder, env: environmentOf(rest), stdio, detached: true });
    },
  };
  return git;
}

/** Throws GIT_MISSING where there is no git on the PATH, or one that is too old. */
export async function requireGit(git: Git): Promise<void> {
  const text = await git.output(['version']);
  const [, major, minor] = /(\d+)\.(\d+)/.exec(text) ?? [];
  const isOldEnough =
    Number(major) > OLDEST_VERSION[0] ||
    (Number(major) === OLDEST_VERSION[0] && Number(minor) >= OLDEST_VERSION[1]);
  if (!isOldEnough) throw missingGit(undefined, text.trim());
}

/** Git's last words, without its `fatal: ` and `error: `: the part that says what is wrong. */
export function gitComplaint(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map(line => line.replace(/^(?:fatal|error|remote): /, '').trim())
    .filter(line => line !== '');
  return lines.find(line => !line.startsWith('hint:')) ?? 'git gave no reason';
}

/**
 * No user's or system's configuration, hooks, templates, proxies or `GIT_*` variables reach git, and it never asks.
 * `safe.directory`: the folder may belong to another user where it is a mounted volume.
 */
function cleanEnvironment(folder: string, repositoryPath: string): Record<string, string> {
  const kept = ['PATH', 'TMPDIR', 'SystemRoot', 'DYLD_FALLBACK_LIBRARY_PATH', 'LD_LIBRARY_PATH'];
  return {
    ...Object.fromEntries(kept.flatMap(name => (environment[name] ? [[name, environment[name]]] : []))),
    HOME: folder,
    XDG_CONFIG_HOME: folder,
    LC_ALL: 'C',
    GIT_DIR: repositoryPath,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: repositoryPath,
  };
}

function missingGit(cause: unknown, found?: string): TandemError {
  const what =
    found === undefined ? 'there is no program git on the PATH' : `the one on the PATH is too old (${found})`;
  return new TandemError(
    'GIT_MISSING',
    `The repository needs git ${OLDEST_VERSION.join('.')} or newer, and ${what}. Install it ` +
      '(apt install git, dnf install git, brew install git, or https://git-scm.com/downloads) and start again.',
    { cause },
  );
}

function failedGit(argv: readonly string[], result: CommandResult): TandemError {
  return new TandemError('GIT_FAILED', `git ${argv[0]} failed: ${gitComplaint(result.stderr)}`, {
    kind: 'system',
    data: { argv, exitCode: result.exitCode, stderr: result.stderr.slice(0, 4_000) },
  });
}
