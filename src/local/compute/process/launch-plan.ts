import { delimiter, dirname, isAbsolute, join, normalize, posix } from 'node:path';
import { TandemError } from '../../../core/error.ts';
import { SECOND_MS } from '../../../core/duration.ts';
import type { ContainerConfig, Healthcheck } from '../../../wire/oci/image-config.ts';
import type { TaskSpecification } from '../task-runtime.ts';

/** Everything that starting a task and going on with it takes. Plain data: stored in the task's folder. */
export interface LaunchPlan {
  taskId: string;
  port: number;
  argv: string[];
  cwd: string;
  environment: Record<string, string>;
  stopSignal: NodeJS.Signals;
  memoryMb: number;
  healthCheck?: HealthCheckPlan;
}

export interface HealthCheckPlan {
  argv: string[];
  intervalMs: number;
  timeoutMs: number;
  startPeriodMs: number;
  retries: number;
}

export interface LaunchRequest {
  task: TaskSpecification;
  image: ContainerConfig;
  /** Where the image's files are. */
  root: string;
  port: number;
  /** The port that the application is configured with, which commands written for a container name. */
  containerPort: number;
  /** The Node.js that tasks run on. */
  nodePath: string;
  /** True for an existing file of this machine. */
  exists(path: string): boolean;
}

/** The system's own program folders, in PATH order; their programs come from this machine, not from the image. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const NANOSECONDS_PER_MS = 1_000_000;

/**
 * How an image is run without a container. A process has no file system of its own, so what an image says about
 * its file system is translated:
 *
 * - The working folder is the image's, within the task's copy of its files.
 * - An absolute path that is a whole argument and exists in the image becomes the path of the task's copy.
 * - `node`, wherever the image has it, is Tandem's own Node.js. Other programs of system folders (`/bin/sh`) are
 *   this machine's where it has them, since the image's may be made for another C library; else the image's.
 * - PATH is: Tandem's Node.js, the image's own program folders, this machine's, then the image's system folders.
 *
 * The environment is the image's and the task's, and nothing of the region process's own.
 * Throws TASK_NOT_STARTABLE where the image names no command or one that is nowhere.
 */
export function planLaunch(request: LaunchRequest): LaunchPlan {
  const { task, image, root, port } = request;
  const paths = new ImagePaths(request);
  const environment = paths.environment();
  const command = [...(image.Entrypoint ?? []), ...(image.Cmd ?? [])];
  if (command.length === 0) {
    throw new TandemError(
      'TASK_NOT_STARTABLE',
      `The image ${task.image} has neither ENTRYPOINT nor CMD. Add one of them to its Dockerfile.`,
    );
  }
  const cwd = join(root, normalize(posix.resolve('/', image.WorkingDir ?? '/')));
  const healthCheck = planHealthCheck(image.Healthcheck, paths, request);
  return {
    taskId: task.taskId,
    port,
    argv: paths.command(command, environment['PATH'] ?? '', cwd),
    cwd,
    environment,
    stopSignal: stopSignal(image.StopSignal),
    memoryMb: task.memoryMb,
    ...(healthCheck && { healthCheck }),
  };
}

class ImagePaths {
  readonly #request: LaunchRequest;

  constructor(request: LaunchRequest) {
    this.#request = request;
  }

  /** The task's copy of an absolute path of the image, if there is one. */
  inRoot(path: string): string | undefined {
    if (!isAbsolute(path)) return undefined;
    const mapped = join(this.#request.root, normalize(path));
    return this.#request.exists(mapped) ? mapped : undefined;
  }

  environment(): Record<string, string> {
    const { image, task, port, root } = this.#request;
    const ofImage = Object.fromEntries((image.Env ?? []).map(splitVariable));
    return {
      HOME: root,
      LANG: 'C.UTF-8',
      ...ofImage,
      ...task.environment,
      PATH: this.#searchPath(task.environment['PATH'] ?? ofImage['PATH'] ?? ''),
      PORT: String(port),
      TASK_ID: task.taskId,
    };
  }

  #searchPath(ofImage: string): string {
    const folders = ofImage.split(':').filter(isAbsolute);
    const own = folders.filter(folder => !SYSTEM_FOLDERS.includes(folder)).map(folder => this.inRoot(folder));
    const system = SYSTEM_FOLDERS.map(folder => this.inRoot(folder));
    const all = [dirname(this.#request.nodePath), ...own, ...SYSTEM_FOLDERS, ...system];
    return all.filter(folder => folder !== undefined).join(delimiter);
  }

  command(command: readonly string[], searchPath: string, cwd: string): string[] {
    const [program = '', ...rest] = command;
    const found = this.#program(program, searchPath, cwd);
    if (found === undefined) {
      throw new TandemError(
        'TASK_NOT_STARTABLE',
        `exec: "${program}": executable file not found in the image or on this machine. ` +
          'Correct the CMD or ENTRYPOINT of the Dockerfile, or install the program.',
      );
    }
    return [found, ...rest.map(argument => this.inRoot(argument) ?? argument)];
  }

  #program(program: string, searchPath: string, cwd: string): string | undefined {
    const { exists, nodePath } = this.#request;
    if (isAbsolute(program)) {
      if (!SYSTEM_FOLDERS.includes(dirname(program))) return this.inRoot(program);
      if (program.endsWith('/node')) return nodePath;
      return exists(program) ? program : this.inRoot(program);
    }
    if (program.includes('/')) return exists(join(cwd, program)) ? join(cwd, program) : undefined;
    if (program === 'node') return nodePath;
    return searchPath
      .split(delimiter)
      .map(folder => join(folder, program))
      .find(exists);
  }
}

/** Docker's defaults: every 30 s, 30 s time, 3 retries, no start period. */
function planHealthCheck(
  check: Healthcheck | undefined,
  paths: ImagePaths,
  request: LaunchRequest,
): HealthCheckPlan | undefined {
  const [kind, ...words] = check?.Test ?? [];
  if (kind !== 'CMD' && kind !== 'CMD-SHELL') return undefined;
  const here = words.map(word => toTaskPort(word, request.containerPort, request.port));
  const argv =
    kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...here] : here.map(word => paths.inRoot(word) ?? word);
  return {
    argv: argv[0]?.endsWith('/node') ? ['node', ...argv.slice(1)] : argv,
    intervalMs: milliseconds(check?.Interval) || 30 * SECOND_MS,
    timeoutMs: milliseconds(check?.Timeout) || 30 * SECOND_MS,
    startPeriodMs: milliseconds(check?.StartPeriod),
    retries: check?.Retries || 3,
  };
}

/**
 * A container has its loopback addresses for itself, so its check may say `http://localhost:8080/health`. Here
 * the same address and port mean the port that this task was given.
 */
function toTaskPort(text: string, containerPort: number, port: number): string {
  const address = new RegExp(
    String.raw`(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])([: ])${containerPort}(?!\d)`,
    'g',
  );
  return text.replace(address, `$1$2${port}`);
}

function milliseconds(nanoseconds: number | undefined): number {
  return (nanoseconds ?? 0) / NANOSECONDS_PER_MS;
}

function splitVariable(variable: string): [string, string] {
  const equals = variable.indexOf('=');
  return equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)];
}

const SIGNALS = new Set<string>([
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGKILL',
  'SIGUSR1',
  'SIGUSR2',
  'SIGTERM',
  'SIGWINCH',
] satisfies NodeJS.Signals[]);

/** `STOPSIGNAL SIGQUIT`, `QUIT` or `3`. An unknown one is SIGTERM. */
function stopSignal(text: string | undefined): NodeJS.Signals {
  const byNumber: Record<string, string> = { 1: 'HUP', 2: 'INT', 3: 'QUIT', 9: 'KILL', 15: 'TERM' };
  const name = `SIG${(byNumber[text ?? ''] ?? text ?? 'TERM').toUpperCase().replace(/^SIG/, '')}`;
  return SIGNALS.has(name) ? (name as NodeJS.Signals) : 'SIGTERM';
}
