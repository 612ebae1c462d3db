import type { ContainerHealth } from '../../../model/task.ts';
import type { Clock } from '../../../platform/clock.ts';
import { closeSync, openSync, watch, type FSWatcher } from '../../../platform/files.ts';
import { processIdentity, sendSignal, spawn, type ChildProcess } from '../../../platform/process.ts';
import { endMarkedProcesses } from '../../../platform/process-sweep.ts';
import type { TaskExit } from '../task-runtime.ts';
import { HealthCheck } from './health-check.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { OutputTail } from './output-tail.ts';
import { SUPERVISOR_SCRIPT } from './supervisor-script.ts';
import type { TaskFolder, TaskProcesses } from './task-folder.ts';

export interface SupervisedTaskEvents {
  onExit(exit: TaskExit): void;
  onOutput(lines: readonly string[]): void;
  onContainerHealth(health: ContainerHealth): void;
  onHealthCheckImpossible(why: string): void;
}

/**
 * One task that runs, seen from the region process: its output, its health check, its end. All of it goes by the
 * files in the task's folder, so it makes no difference whether this process started the task or found it.
 */
export class SupervisedTask {
  readonly plan: LaunchPlan;
  readonly #folder: TaskFolder;
  readonly #events: SupervisedTaskEvents;
  readonly #tail: OutputTail;
  readonly #watcher: FSWatcher;
  readonly #processes = Promise.withResolvers<TaskProcesses | undefined>();
  #known: TaskProcesses | undefined;
  #child: ChildProcess | undefined;
  #healthCheck: HealthCheck | undefined;
  #ending: Promise<void> | undefined;

  constructor(clock: Clock, folder: TaskFolder, plan: LaunchPlan, events: SupervisedTaskEvents) {
    this.plan = plan;
    this.#folder = folder;
    this.#events = events;
    closeSync(openSync(folder.output, 'a'));
    this.#tail = new OutputTail(clock, folder, lines => events.onOutput(lines));
    this.#watcher = watch(folder.path, (_event, name) => {
      if (name === null || name === 'output.log') this.#tail.wake();
      if (name !== 'output.log' && name !== 'output.position') this.look();
    });
    this.#watcher.on('error', () => undefined);
  }

  /** Starts the supervisor; resolves when the task has a process, or ended before it could be seen. */
  async start(): Promise<void> {
    const log = openSync(this.#folder.output, 'a');
    try {
      const { argv, cwd, environment } = this.plan;
      const child = spawn('/bin/sh', ['-c', SUPERVISOR_SCRIPT, 'tandem-task', this.#folder.path, ...argv], {
        cwd,
        env: environment,
        detached: true,
        stdio: ['ignore', log, log],
      });
      await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
      this.#child = child;
      child.once('exit', () => this.look());
      child.unref();
    } finally {
      closeSync(log);
    }
    this.look();
    await this.#processes.promise;
  }

  checkHealth(clock: Clock, isFast: boolean): void {
    const { healthCheck } = this.plan;
    if (!healthCheck || this.#ending) return;
    this.#healthCheck = new HealthCheck(clock, { ...this.plan, healthCheck }, isFast, {
      onHealth: health => this.#events.onContainerHealth(health),
      onImpossible: why => this.#events.onHealthCheckImpossible(why),
    });
  }

  /** The task's own process while it lives. */
  mainPid(): number | undefined {
    const { main } = this.#known ?? {};
    const pid = Number(main?.split(':')[0]);
    return main !== undefined && processIdentity(pid) === main ? pid : undefined;
  }

  stop(): void {
    const pid = this.mainPid();
    if (pid !== undefined) sendSignal(pid, this.plan.stopSignal);
  }

  /** First the task itself, so that its supervisor writes down how it ended; the rest follows at its end. */
  kill(): void {
    const pid = this.mainPid();
    if (pid === undefined) this.look();
    else sendSignal(pid, 'SIGKILL');
  }

  killForMemory(): void {
    if (this.#ending) return;
    this.#folder.noteOutOfMemory();
    this.kill();
  }

  /** Level-triggered: looks at what the files and processes say now. */
  look(): void {
    if (this.#ending) return;
    this.#known ??= this.#folder.readProcesses();
    if (this.#known) this.#processes.resolve(this.#known);
    if (this.hasEnded()) this.#ending = this.#end();
    else this.#tail.wake();
  }

  /** Stops watching; the task goes on. */
  detach(): void {
    if (this.#ending) return;
    this.#ending = Promise.resolve();
    this.#close();
    this.#tail.close();
  }

  /** Resolves when everything of an ended task was handed on. */
  async ended(): Promise<void> {
    await this.#ending;
  }

  /** Its exit is on disk, or neither it nor the one who would write that down is there any more. */
  hasEnded(): boolean {
    if (this.#folder.readExitCode() !== undefined) return true;
    return this.mainPid() === undefined && !this.#isSupervised();
  }

  #isSupervised(): boolean {
    if (this.#child) return this.#child.exitCode === null && this.#child.signalCode === null;
    const supervisor = this.#known?.supervisor;
    return supervisor !== undefined && processIdentity(Number(supervisor.split(':')[0])) === supervisor;
  }

  async #end(): Promise<void> {
    this.#close();
    await endMarkedProcesses({
      variable: taskMark(this.plan.taskId),
      leaders: this.#known ? [this.#known.supervisor] : [],
    });
    try {
      this.#tail.finish();
    } catch {
      // The store of logs does not take them; the task has ended all the same.
    }
    const exitCode = this.#folder.readExitCode() ?? this.#child?.exitCode ?? undefined;
    this.#processes.resolve(this.#known);
    this.#events.onExit({
      ...(exitCode !== undefined && { exitCode }),
      outOfMemory: this.#folder.wasOutOfMemory(),
    });
  }

  #close(): void {
    this.#watcher.close();
    this.#healthCheck?.stop();
  }
}

/** In the environment of every process of a task, and of no other. */
export function taskMark(taskId: string): string {
  return `TASK_ID=${taskId}`;
}
