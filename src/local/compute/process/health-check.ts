import type { ContainerHealth } from '../../../model/task.ts';
import type { Clock, Timer } from '../../../platform/clock.ts';
import { isListening } from '../../../platform/network.ts';
import { sendSignalToGroup, spawn } from '../../../platform/process.ts';
import type { HealthCheckPlan, LaunchPlan } from './launch-plan.ts';

/**
 * How checks are spaced in the fast timing profile: often until the first success, and four times as often as the image
 * asks from a failure until the next success. In between as the image asks: a check is a process, a machine may run dozens
 * of tasks, and what the checks of those that serve take is missing where others start.
 */
const FAST = { firstIntervalMs: 200, leastIntervalMs: 1_000, timesAsOften: 4, portLookMs: 25 };

/** What is kept of a check's output, as Docker does. */
const LONGEST_OUTPUT = 4_096;

type CheckResult = { kind: 'success' } | { kind: 'failure' } | { kind: 'impossible'; why: string };

export interface HealthCheckEvents {
  onHealth(health: ContainerHealth): void;
  /** The command can not be run on this machine, which says nothing about the task. */
  onImpossible(why: string): void;
}

/**
 * Runs an image's HEALTHCHECK over and over, as the container engine would: a success makes HEALTHY, `retries`
 * failures in a row make UNHEALTHY, and failures within the start period do not count.
 *
 * The fast profile checks as soon as something listens on the task's port, and often, where an engine waits one interval
 * first. So that no task is judged earlier than its image asks for, failures in that first interval do not count there
 * either.
 */
export class HealthCheck {
  readonly #clock: Clock;
  readonly #plan: HealthCheckPlan;
  readonly #task: LaunchPlan;
  readonly #isFast: boolean;
  readonly #events: HealthCheckEvents;
  readonly #countsFrom: number;
  #timer: Timer | undefined;
  #endRun: (() => void) | undefined;
  #isStopped = false;
  #failures = 0;
  #hasSucceeded = false;

  constructor(
    clock: Clock,
    task: LaunchPlan & { healthCheck: HealthCheckPlan },
    isFast: boolean,
    events: HealthCheckEvents,
  ) {
    this.#clock = clock;
    this.#task = task;
    this.#plan = task.healthCheck;
    this.#isFast = isFast;
    this.#events = events;
    this.#countsFrom = clock.now() + this.#plan.startPeriodMs + (isFast ? this.#plan.intervalMs : 0);
    if (isFast) this.#checkOnceItListens(clock.monotonicMs() + this.#plan.intervalMs);
    else this.#checkAfter(this.#plan.intervalMs);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#endRun?.();
  }

  /** Before that a check can only fail, and takes from the start what it needs; not every check is about the port. */
  #checkOnceItListens(atLatest: number): void {
    const look = async () => {
      const isTime = this.#clock.monotonicMs() >= atLatest || (await isListening(this.#task.port));
      if (this.#isStopped) return;
      if (isTime) await this.#check();
      else this.#checkOnceItListens(atLatest);
    };
    this.#timer = this.#clock.after(FAST.portLookMs, () => void look());
  }

  #checkAfter(delayMs: number): void {
    this.#timer = this.#clock.after(delayMs, () => void this.#check());
  }

  async #check(): Promise<void> {
    const result = await this.#run();
    if (this.#isStopped) return;
    if (result.kind === 'impossible') {
      this.stop();
      this.#events.onImpossible(result.why);
      return;
    }
    if (result.kind === 'success') this.#succeed();
    else this.#fail();
    this.#checkAfter(this.#intervalMs());
  }

  #run(): Promise<CheckResult> {
    const { cwd, environment } = this.#task;
    const [program = '', ...argv] = this.#plan.argv;
    return new Promise(resolve => {
      const child = spawn(program, argv, {
        cwd,
        env: environment,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      const collect = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-LONGEST_OUTPUT));
      child.stdout.on('data', collect);
      child.stderr.on('data', collect);
      this.#endRun = () => child.pid !== undefined && sendSignalToGroup(child.pid, 'SIGKILL');
      const timeout = this.#clock.after(this.#plan.timeoutMs, () => this.#endRun?.());
      const finish = (result: CheckResult) => {
        timeout.cancel();
        this.#endRun = undefined;
        resolve(result);
      };
      child.once('error', error => finish({ kind: 'impossible', why: error.message }));
      // What it left behind may hold the pipes open; its own end is what counts.
      child.once('exit', code => finish(judge(code, output)));
    });
  }

  #succeed(): void {
    this.#failures = 0;
    this.#hasSucceeded = true;
    this.#events.onHealth('HEALTHY');
  }

  #fail(): void {
    if (!this.#hasSucceeded && this.#clock.now() < this.#countsFrom) return;
    this.#failures += 1;
    if (this.#failures >= this.#plan.retries) this.#events.onHealth('UNHEALTHY');
  }

  #intervalMs(): number {
    const { intervalMs } = this.#plan;
    if (!this.#isFast || (this.#hasSucceeded && this.#failures === 0)) return intervalMs;
    if (!this.#hasSucceeded) return Math.min(intervalMs, FAST.firstIntervalMs);
    return Math.min(intervalMs, Math.max(FAST.leastIntervalMs, intervalMs / FAST.timesAsOften));
  }
}

/** 126 and 127 are the shell's; `wget … || exit 1` fails with 1 where there is no wget, and only its words tell. */
function judge(exitCode: number | null, output: string): CheckResult {
  if (exitCode === 0) return { kind: 'success' };
  const isMissing = exitCode === 126 || exitCode === 127 || /: (?:command )?not found\s*$/m.test(output);
  if (!isMissing) return { kind: 'failure' };
  return { kind: 'impossible', why: output.trim().split('\n').at(-1) || `it exited with code ${exitCode}` };
}
