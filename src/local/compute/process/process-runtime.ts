import { join } from 'node:path';
import { TandemError, errorMessage } from '../../../core/error.ts';
import type { Random } from '../../../core/random.ts';
import type { TimingProfile } from '../../../model/timing.ts';
import type { Clock, Timer } from '../../../platform/clock.ts';
import { existsSync, mkdir, pathExists, readdir, realpath } from '../../../platform/files.ts';
import { nodePath } from '../../../platform/process.ts';
import { memoryBytesOfTrees } from '../../../platform/process-memory.ts';
import { endMarkedProcesses } from '../../../platform/process-sweep.ts';
import { copyTree, removeTree } from '../../../platform/file-tree.ts';
import type { Registry } from '../../registry/contract.ts';
import type {
  NeededFiles,
  RunningTask,
  TaskExit,
  TaskListener,
  TaskPresence,
  TaskRuntime,
  TaskSpecification,
} from '../task-runtime.ts';
import { ImageCache } from './image-cache.ts';
import { planLaunch, type LaunchPlan } from './launch-plan.ts';
import { PortPool } from './port-pool.ts';
import { SupervisedTask, taskMark } from './supervised-task.ts';
import { TaskFolder } from './task-folder.ts';

export interface ProcessRuntimeOptions {
  folder: string;
  /** The registry's repository that images come from. */
  repository: string;
  registry: Pick<Registry, 'manifest' | 'blobPath'>;
  /** The port that the application is configured to listen on in a container. */
  containerPort: number;
  timing: TimingProfile;
  clock: Clock;
  random: Random;
}

const ADDRESS = '127.0.0.1';
/** A task's environment and output are nobody else's. */
const PRIVATE_MODE = 0o700;
const BYTES_PER_MB = 1024 * 1024;
/** Memory is compared with its limit this often, and a task that ended without anybody's telling is missed then. */
const SAMPLE_MS = 500;

/** Runs tasks as plain processes of this machine, supervised, without a container engine. */
export class ProcessRuntime implements TaskRuntime {
  readonly #options: ProcessRuntimeOptions;
  readonly #listener: TaskListener;
  readonly #images: ImageCache;
  readonly #ports: PortPool;
  readonly #tasks = new Map<string, SupervisedTask>();
  #sampler: Timer | undefined;

  constructor(options: ProcessRuntimeOptions, listener: TaskListener) {
    this.#options = options;
    this.#listener = listener;
    this.#images = new ImageCache(join(options.folder, 'images'), options.repository, options.registry);
    this.#ports = new PortPool(options.random);
  }

  async start(task: TaskSpecification): Promise<RunningTask> {
    const folder = this.#folderOf(task.taskId);
    if (await pathExists(folder.path)) await this.remove(task.taskId);
    await mkdir(folder.path, { recursive: true, mode: PRIVATE_MODE });
    const image = await this.#images.unpacked(task.image);
    await copyTree(image.root, folder.root);
    const port = await this.#ports.take();
    try {
      const { containerPort } = this.#options;
      const plan = planLaunch({
        task,
        image: image.config,
        root: await realpath(folder.root),
        port,
        containerPort,
        nodePath,
        exists: existsSync,
      });
      await makeWorkingFolder(plan, folder);
      folder.writePlan(plan);
      const running = this.#watch(folder, plan);
      await running.start();
      running.checkHealth(this.#options.clock, this.#options.timing === 'fast');
      return describeRunning(plan);
    } catch (error) {
      this.#tasks.get(task.taskId)?.detach();
      this.#tasks.delete(task.taskId);
      this.#ports.release(port);
      if (error instanceof TandemError) throw error;
      throw new TandemError('TASK_NOT_STARTABLE', `The task could not be started: ${errorMessage(error)}`, {
        kind: 'system',
        cause: error,
      });
    }
  }

  async adopt(taskId: string): Promise<TaskPresence> {
    const folder = this.#folderOf(taskId);
    const plan = await folder.readPlan();
    if (!plan || !folder.readProcesses()) return { kind: 'absent' };
    const found = Promise.withResolvers<TaskExit>();
    let isFound = false;
    this.#ports.hold(plan.port);
    const task = this.#watch(folder, plan, exit => {
      if (isFound) this.#listener.onExit(taskId, exit);
      else found.resolve(exit);
    });
    task.look();
    if (task.hasEnded()) return { kind: 'exited', exit: await found.promise };
    isFound = true;
    task.checkHealth(this.#options.clock, this.#options.timing === 'fast');
    return { kind: 'running', ...describeRunning(plan) };
  }

  stop(taskId: string): void {
    this.#tasks.get(taskId)?.stop();
  }

  kill(taskId: string): void {
    this.#tasks.get(taskId)?.kill();
  }

  async remove(taskId: string): Promise<void> {
    const folder = this.#folderOf(taskId);
    const leaders = folder.readProcesses();
    await endMarkedProcesses({ variable: taskMark(taskId), leaders: leaders ? [leaders.supervisor] : [] });
    await removeTree(folder.path);
  }

  async prune(needed: NeededFiles): Promise<void> {
    const folder = join(this.#options.folder, 'tasks');
    await mkdir(folder, { recursive: true });
    for (const taskId of await readdir(folder)) {
      if (!needed.hasTask(taskId)) await this.remove(taskId);
    }
    await this.#images.prune(digest => needed.hasImage(digest));
  }

  async detach(): Promise<void> {
    this.#sampler?.cancel();
    this.#sampler = undefined;
    this.#images.close();
    const tasks = [...this.#tasks.values()];
    for (const task of tasks) task.detach();
    for (const task of tasks) await task.ended();
  }

  #watch(
    folder: TaskFolder,
    plan: LaunchPlan,
    onExit = (exit: TaskExit) => this.#listener.onExit(plan.taskId, exit),
  ): SupervisedTask {
    const { taskId } = plan;
    const task = new SupervisedTask(this.#options.clock, folder, plan, {
      onExit: exit => {
        this.#tasks.delete(taskId);
        this.#ports.release(plan.port);
        onExit(exit);
      },
      onOutput: lines => this.#listener.onOutput(taskId, lines),
      onContainerHealth: health => this.#listener.onContainerHealth(taskId, health),
      onHealthCheckImpossible: why => this.#listener.onHealthCheckImpossible(taskId, why),
    });
    this.#tasks.set(taskId, task);
    this.#sampler ??= this.#options.clock.every(SAMPLE_MS, () => void this.#sample(), { idle: true });
    return task;
  }

  /** The kernel tells nobody how much memory a process uses, nor anybody but its parent that it ended. */
  async #sample(): Promise<void> {
    const byPid = new Map<number, SupervisedTask>();
    for (const task of this.#tasks.values()) {
      task.look();
      const pid = task.mainPid();
      if (pid !== undefined) byPid.set(pid, task);
    }
    for (const [pid, bytes] of await memoryBytesOfTrees([...byPid.keys()])) {
      const task = byPid.get(pid);
      if (task && bytes > task.plan.memoryMb * BYTES_PER_MB) task.killForMemory();
    }
  }

  #folderOf(taskId: string): TaskFolder {
    return new TaskFolder(join(this.#options.folder, 'tasks', taskId));
  }
}

/** Docker makes a WORKDIR that no layer has. It must not lead out of the task's own files (a link in a layer may). */
async function makeWorkingFolder(plan: LaunchPlan, folder: TaskFolder): Promise<void> {
  await mkdir(plan.cwd, { recursive: true });
  const [inside, root] = [await realpath(plan.cwd), await realpath(folder.root)];
  if (inside === root || inside.startsWith(`${root}/`)) return;
  throw new TandemError(
    'TASK_NOT_STARTABLE',
    `The image's working folder is a link out of the image, to ${inside}. Make WORKDIR a folder of the image.`,
  );
}

function describeRunning(plan: LaunchPlan): RunningTask {
  return {
    endpoint: { address: ADDRESS, port: plan.port },
    hasHealthCheck: plan.healthCheck !== undefined,
  };
}
