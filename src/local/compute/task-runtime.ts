import type { ContainerHealth } from '../../model/task.ts';
import type { Digest } from '../../model/names.ts';
import type { Endpoint } from '../../platform/network.ts';

export interface TaskSpecification {
  taskId: string;
  image: Digest;
  /** Laid over the image's own. */
  environment: Record<string, string>;
  memoryMb: number;
}

export interface RunningTask {
  endpoint: Endpoint;
  /** False where the image has no HEALTHCHECK: its container health then stays UNKNOWN. */
  hasHealthCheck: boolean;
}

export interface TaskExit {
  /** 128 + n for signal n. Absent where nobody saw it: whoever waited for it was killed. */
  exitCode?: number;
  /** It was killed for using more memory than it may. */
  outOfMemory: boolean;
}

/** What is found of a task after the region process was away. */
export type TaskPresence =
  ({ kind: 'running' } & RunningTask) | { kind: 'exited'; exit: TaskExit } | { kind: 'absent' };

export interface TaskListener {
  /** Once per task, after its last output was handed on and every process of it is gone. */
  onExit(taskId: string, exit: TaskExit): void;
  /** Whole lines, in order. Throwing makes the runtime hand them over again later. */
  onOutput(taskId: string, lines: readonly string[]): void;
  onContainerHealth(taskId: string, health: ContainerHealth): void;
  /** The HEALTHCHECK can not be run here; container health is UNKNOWN from now on and says nothing. */
  onHealthCheckImpossible(taskId: string, why: string): void;
}

/** Asked about each thing just before it would be removed. */
export interface NeededFiles {
  hasTask(taskId: string): boolean;
  hasImage(digest: Digest): boolean;
}

/**
 * Runs tasks. Tasks outlive the region process; `adopt` finds them again. What is asked for a task that is gone
 * does nothing, so that everything may be asked twice.
 */
export interface TaskRuntime {
  /**
   * Makes the image ready and starts the task. What an interrupted earlier start left is removed first.
   * Throws TASK_IMAGE_UNAVAILABLE or TASK_NOT_STARTABLE.
   */
  start(task: TaskSpecification): Promise<RunningTask>;
  /** Goes on watching a task that was started before this process was. An exit found here is not told to the listener. */
  adopt(taskId: string): Promise<TaskPresence>;
  /** The polite signal (the image's STOPSIGNAL, else SIGTERM), to the task's main process only. */
  stop(taskId: string): void;
  /** SIGKILL to all its processes. */
  kill(taskId: string): void;
  /** Frees all that is left of an ended task. */
  remove(taskId: string): Promise<void>;
  /** Removes tasks and images that are not needed, ending what still runs of them. */
  prune(needed: NeededFiles): Promise<void>;
  /** Stops watching; the tasks go on. */
  detach(): Promise<void>;
}
