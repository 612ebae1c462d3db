import type { Instant } from '../../core/instant.ts';
import { chooseToStop, chooseZone } from '../placement/placement.ts';
import type { Observed, ObservedTask } from './observed.ts';
import type { Revision } from './service-state.ts';

interface PlannedStop {
  task: ObservedTask;
  why: 'not-wanted' | 'failed';
}

export interface TaskPlan {
  /** The zone of each task to start. */
  startZones: string[];
  stops: PlannedStop[];
  /** Neither percentage leaves room: nothing will move until they, or the desired count, change. */
  isBlocked: boolean;
}

interface PlanRequest {
  target: Revision | undefined;
  /** Tasks of other revisions stay and count. */
  held: boolean;
  /** No task starts earlier. */
  notBefore: Instant;
}

/**
 * One step of a rolling deployment, and of keeping a service as it is: which tasks to start and to stop now.
 *
 * - At most floor(desired × maximumPercent) tasks are starting or running (ECS counts RUNNING and PENDING).
 * - No healthy task is stopped where fewer than ceil(desired × minimumHealthyPercent) would be left.
 * - Tasks of other revisions go as those of the target become healthy; earlier only where there is no room to
 *   start otherwise. One that never was healthy goes at once where enough others are healthy, and counts as one
 *   that serves where they are not (just after an outage of everything, it is what users reach).
 * - A replacement for an unhealthy task is started first where the maximum allows it.
 */
export function planTasks(request: PlanRequest, observed: Observed, now: Instant): TaskPlan {
  const { target, held } = request;
  if (!target && held) return { startZones: [], stops: [], isBlocked: false };
  const desired = target ? observed.desiredCount : 0;
  const step = new PlanStep(observed, desired);
  const isOfTarget = (task: ObservedTask) => held || task.deploymentId === target?.deploymentId;

  const mine = step.live.filter(isOfTarget);
  const foreign = step.live.filter(task => !isOfTarget(task));
  const good = mine.filter(task => task.health !== 'unhealthy');
  const missing = Math.max(0, desired - good.length);
  const canStart = now >= request.notBefore;

  retireUnproven(step, foreign);
  stopUnhealthy(step, good, missing);
  if (!held) stopSurplus(step, good, desired);
  retireForeign(step, foreign, desired - healthyOf(good).length, canStart ? missing : 0);

  const starts = canStart ? Math.min(missing, Math.max(0, step.room())) : 0;
  const zones = good.map(({ zone }) => zone);
  const startZones: string[] = [];
  while (startZones.length < starts) {
    startZones.push(chooseZone(observed.zones, [...zones, ...startZones]));
  }
  const isStuck = canStart && missing > startZones.length && isBlocked(observed, step, startZones);
  return { startZones, stops: step.stops, isBlocked: isStuck };
}

/** What is live and healthy as stops are decided one after another. */
class PlanStep {
  readonly live: ObservedTask[];
  readonly stops: PlannedStop[] = [];
  readonly minimumHealthy: number;
  readonly #maximum: number;

  constructor(observed: Observed, desired: number) {
    const { minimumHealthyPercent, maximumPercent } = observed.deployment;
    this.live = observed.tasks.filter(({ phase }) => phase === 'starting' || phase === 'running');
    this.minimumHealthy = Math.ceil((desired * minimumHealthyPercent) / 100);
    this.#maximum = Math.floor((desired * maximumPercent) / 100);
  }

  /** How many healthy tasks may go. */
  spare(): number {
    return healthyOf(this.left()).length - this.minimumHealthy;
  }

  room(): number {
    return this.#maximum - this.left().length;
  }

  left(): ObservedTask[] {
    return this.live.filter(task => !this.isStopped(task));
  }

  isStopped(task: ObservedTask): boolean {
    return this.stops.some(stop => stop.task.id === task.id);
  }

  stop(tasks: readonly ObservedTask[], why: PlannedStop['why']): void {
    for (const task of tasks) this.stops.push({ task, why });
  }
}

/**
 * An unhealthy task may still answer some requests (a balancer without healthy targets sends to all), so it goes
 * only when the others suffice, or, one by one, to make room for its replacement.
 */
function stopUnhealthy(step: PlanStep, good: readonly ObservedTask[], missing: number): void {
  const unhealthy = step.live.filter(({ health }) => health === 'unhealthy');
  if (step.spare() >= 0) {
    step.stop(unhealthy, 'failed');
    return;
  }
  const isReplacementComing = good.some(({ health }) => health === 'unknown');
  if (!isReplacementComing && missing > step.room()) step.stop(chooseToStop(unhealthy, 1), 'failed');
}

/** Scaling in: first what is not healthy yet, then from the fullest zone. */
function stopSurplus(step: PlanStep, good: readonly ObservedTask[], desired: number): void {
  const surplus = Math.max(0, good.length - desired);
  const notHealthy = chooseNotHealthy(good, surplus);
  step.stop(notHealthy, 'not-wanted');
  const rest = Math.min(surplus - notHealthy.length, Math.max(0, step.spare()));
  step.stop(chooseToStop(healthyOf(good), rest), 'not-wanted');
}

/**
 * Tasks of other revisions that never were healthy are of no use where enough others are. Where they are not, nobody
 * can tell yet which task answers: a balancer without a healthy target sends to all, so what runs is not taken away.
 */
function retireUnproven(step: PlanStep, foreign: readonly ObservedTask[]): void {
  const unproven = foreign.filter(
    ({ health, healthySince }) => healthySince === undefined && health !== 'unhealthy',
  );
  const needed = Math.max(0, -step.spare());
  step.stop(chooseNotHealthy(unproven, unproven.length - needed), 'not-wanted');
}

/** Lets tasks of other revisions go: those that the target's healthy tasks have replaced, then those in the way. */
function retireForeign(
  step: PlanStep,
  foreign: readonly ObservedTask[],
  stillNeeded: number,
  toStart: number,
): void {
  const serving = foreign.filter(task => !step.isStopped(task) && task.health !== 'unhealthy');
  const replaced = serving.length - Math.max(0, stillNeeded);
  const inTheWay = toStart - Math.max(0, step.room());
  const count = Math.min(serving.length, Math.max(0, replaced, inTheWay));
  const silent = chooseNotHealthy(serving, Math.max(0, replaced));
  step.stop(silent, 'not-wanted');
  const healthyCount = Math.min(count - silent.length, Math.max(0, step.spare()));
  step.stop(chooseToStop(healthyOf(serving), healthyCount), 'not-wanted');
}

/** Of those not known to be healthy: first what is still starting, then what never was, last what once was. */
function chooseNotHealthy(tasks: readonly ObservedTask[], count: number): ObservedTask[] {
  const candidates = tasks.filter(({ health }) => health !== 'healthy');
  const starting = candidates.filter(({ phase }) => phase === 'starting');
  const running = candidates.filter(({ phase }) => phase !== 'starting');
  const byUse = [
    starting,
    running.filter(({ healthySince }) => healthySince === undefined),
    running.filter(({ healthySince }) => healthySince !== undefined),
  ];
  const chosen: ObservedTask[] = [];
  for (const group of byUse) chosen.push(...chooseToStop(group, count - chosen.length));
  return chosen;
}

function isBlocked(observed: Observed, step: PlanStep, startZones: readonly string[]): boolean {
  const isMoving =
    startZones.length > 0 ||
    step.stops.length > 0 ||
    observed.tasks.some(({ phase }) => phase === 'starting' || phase === 'stopping') ||
    step.left().some(({ health }) => health === 'unknown');
  return step.room() <= 0 && !isMoving;
}

function healthyOf(tasks: readonly ObservedTask[]): ObservedTask[] {
  return tasks.filter(({ health }) => health === 'healthy');
}
