import type { TaskFailure } from '../../control/deployment/observed.ts';
import { TandemError, errorMessage } from '../../core/error.ts';
import { environmentConfig } from '../../model/config/environment.ts';
import type { NewRegionEvent } from '../../model/event.ts';
import type { Digest } from '../../model/names.ts';
import type { ServiceContext } from '../context.ts';
import { healthCheckImpossible } from './announcements.ts';
import type { ComputeStore } from './compute-store.ts';
import { describeExit } from './failure-phrases.ts';
import { taskEnvironment } from './task-environment.ts';
import type { TaskEffect, TaskReport } from './task-lifecycle.ts';
import type { TaskRecord } from './task-record.ts';
import type { TaskExit, TaskListener, TaskRuntime } from './task-runtime.ts';
import { tell } from './tell.ts';

/** How far back the reason of an exit is looked for in a task's output. */
const QUOTED_FROM_LINES = 50;

/** Carries out what a pass decided for tasks, and gathers what is learned of them for the next one. */
export class TaskKeeper {
  readonly #context: ServiceContext;
  readonly #store: ComputeStore;
  readonly #runtime: TaskRuntime;
  readonly #onReport: () => void;
  readonly #operations = new Set<Promise<void>>();
  readonly #removing = new Set<string>();
  readonly #told = new Set<string>();
  #reports: { taskId: string; report: TaskReport }[] = [];

  constructor(
    context: ServiceContext,
    store: ComputeStore,
    createRuntime: (listener: TaskListener) => TaskRuntime,
    onReport: () => void,
  ) {
    this.#context = context;
    this.#store = store;
    this.#onReport = onReport;
    this.#runtime = createRuntime({
      onExit: (taskId, exit) => this.#report(taskId, this.#exited(taskId, exit)),
      onOutput: (taskId, lines) => {
        const task = store.task(taskId);
        if (task) context.logs.append(task.service, taskId, lines);
      },
      onContainerHealth: (taskId, health) => {
        if (store.task(taskId)?.containerHealth === health) return;
        this.#report(taskId, { kind: 'container-health', health });
      },
      onHealthCheckImpossible: (taskId, why) => {
        const task = store.task(taskId);
        if (task) this.#tellOnce(task.release.digest, healthCheckImpossible(task, why));
        this.#report(taskId, { kind: 'health-check-impossible' });
      },
    });
  }

  /** What was learned and not yet stored. `forget` it once it is. */
  reports(): readonly { taskId: string; report: TaskReport }[] {
    return [...this.#reports];
  }

  forget(count: number): void {
    this.#reports = this.#reports.slice(count);
  }

  perform(effect: TaskEffect, task: TaskRecord): void {
    switch (effect) {
      case 'start':
        return this.#track(this.#start(task));
      case 'stop':
        this.#runtime.stop(task.id);
        return this.#report(task.id, { kind: 'signalled' });
      case 'kill':
        return this.#runtime.kill(task.id);
      case 'remove':
        return this.#track(this.#remove(task));
    }
  }

  /** Finds the tasks again that ran, were being started or were being stopped when the region process ended. */
  async adoptAll(): Promise<void> {
    const isWithoutProcess = ({ status }: TaskRecord) =>
      status === 'PROVISIONING' || status === 'DEPROVISIONING' || status === 'STOPPED';
    const tasks = this.#store.liveTasks().filter(task => !isWithoutProcess(task));
    await Promise.all(tasks.map(task => this.#adopt(task)));
  }

  /** Removes, by and by, what no record knows and images that nothing needs. */
  prune(imagesInUse: () => ReadonlySet<Digest>): void {
    const isOver = (taskId: string) => (this.#store.task(taskId)?.status ?? 'STOPPED') === 'STOPPED';
    const pruned = this.#runtime.prune({
      hasTask: taskId => !isOver(taskId),
      hasImage: digest => imagesInUse().has(digest),
    });
    this.#track(pruned.catch((error: unknown) => this.#tellNotRemoved('what nothing needs any more', error)));
  }

  /** Lets go of the tasks; they run on. */
  async detach(): Promise<void> {
    await Promise.all(this.#operations);
    await this.#runtime.detach();
  }

  async #start(task: TaskRecord): Promise<void> {
    const { service } = environmentConfig(this.#context.config, task.service);
    try {
      const running = await this.#runtime.start({
        taskId: task.id,
        image: task.release.digest,
        environment: taskEnvironment(this.#context, task),
        memoryMb: service.memoryMb,
      });
      this.#report(task.id, { kind: 'started', task: running });
    } catch (error) {
      const isImage = error instanceof TandemError && error.code === 'TASK_IMAGE_UNAVAILABLE';
      const kind = isImage ? 'CannotPullContainerError' : 'CannotStartContainerError';
      const failure = {
        reason: `${kind}: ${errorMessage(error)}`,
        phrase: `could not start: ${errorMessage(error)}`,
      };
      this.#report(task.id, { kind: 'start-failed', reason: failure.reason, failure });
    }
  }

  async #adopt(task: TaskRecord): Promise<void> {
    const found = await this.#runtime.adopt(task.id);
    if (task.status === 'PENDING') {
      if (found.kind === 'absent') this.#report(task.id, { kind: 'never-started' });
      if (found.kind === 'running') this.#report(task.id, { kind: 'started', task: found });
    }
    if (found.kind === 'exited') this.#report(task.id, this.#exited(task.id, found.exit));
    if (found.kind === 'absent' && task.status !== 'PENDING') {
      this.#report(task.id, this.#exited(task.id, { outOfMemory: false }));
    }
  }

  async #remove(task: TaskRecord): Promise<void> {
    if (this.#removing.has(task.id)) return;
    this.#removing.add(task.id);
    try {
      await this.#runtime.remove(task.id);
    } catch (error) {
      // What is left is removed when the region starts again; the task has ended all the same.
      this.#tellNotRemoved(`files of task ${task.id.slice(0, 8)}`, error);
    }
    this.#report(task.id, { kind: 'removed' });
    this.#removing.delete(task.id);
  }

  #tellNotRemoved(what: string, error: unknown): void {
    const message = `${what} could not be removed: ${errorMessage(error)}`;
    tell(this.#context.events, {
      source: 'compute',
      type: 'FilesNotRemoved',
      severity: 'warning',
      message,
      data: {},
    });
  }

  #exited(taskId: string, exit: TaskExit): TaskReport {
    return { kind: 'exited', exit, failure: this.#describeExit(taskId, exit) };
  }

  #describeExit(taskId: string, exit: TaskExit): TaskFailure {
    const task = this.#store.task(taskId);
    if (!task) return describeExit(exit, 0, []);
    const { memoryMb } = environmentConfig(this.#context.config, task.service).service;
    const lines = this.#context.logs.tail(task.service, taskId, QUOTED_FROM_LINES);
    return describeExit(
      exit,
      memoryMb,
      lines.map(({ message }) => message),
    );
  }

  #tellOnce(key: string, event: NewRegionEvent): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    tell(this.#context.events, event);
  }

  #report(taskId: string, report: TaskReport): void {
    this.#reports.push({ taskId, report });
    this.#onReport();
  }

  #track(operation: Promise<void>): void {
    this.#operations.add(operation);
    void operation.finally(() => this.#operations.delete(operation));
  }
}
