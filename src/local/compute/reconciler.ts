import { decide, type Action } from '../../control/deployment/decide.ts';
import type { Observed } from '../../control/deployment/observed.ts';
import type { ServiceState } from '../../control/deployment/service-state.ts';
import type { Instant } from '../../core/instant.ts';
import { environmentConfig, type EnvironmentConfig } from '../../model/config/environment.ts';
import type { NewRegionEvent } from '../../model/event.ts';
import { PIPELINE_ENVIRONMENTS, type PipelineEnvironment } from '../../model/names.ts';
import { serviceTiming, type ServiceTiming } from '../../model/timing.ts';
import type { Waiting } from '../../model/waiting.ts';
import { transaction } from '../../platform/database.ts';
import { newId } from '../../platform/random.ts';
import type { ServiceContext } from '../context.ts';
import {
  regionEventOf,
  serviceEventOf,
  serviceEventsOfTasks,
  taskStarted,
  taskStopped,
} from './announcements.ts';
import type { BalancerSync } from './balancer-sync.ts';
import type { ComputeStore } from './compute-store.ts';
import { targetGroupName } from './target-groups.ts';
import { advanceTask, applyReport, tellToStop, type TaskEffect, type TaskReport } from './task-lifecycle.ts';
import { observeTask, type TaskRecord } from './task-record.ts';

/** What one pass decided; everything in it is stored already. */
export interface Pass {
  tasks: TaskRecord[];
  effects: { effect: TaskEffect; task: TaskRecord }[];
  events: NewRegionEvent[];
  /** Something was stored: there may be a next step at once. */
  hasChanged: boolean;
  /** Others may want to look: something was stored, or what is waited for is another. */
  hasNews: boolean;
  /** Look again then, if nothing happens before. */
  at?: Instant;
}

interface PassRequest {
  reports: readonly { taskId: string; report: TaskReport }[];
  /** Every task is to stop, whatever the services want. */
  isStoppingAll: boolean;
}

/** A target that does not leave although its deregistration delay is over: the balancer is gone. */
const DRAIN_MARGIN_MS = 5_000;

/**
 * One look at the world and what follows from it, stored in one transaction: reports are entered into the tasks'
 * records, each service is decided on, and each task is brought one step further. A crash leaves all of a pass or
 * nothing, and the next pass finds out the rest from the records.
 */
export class Reconciler {
  readonly #context: ServiceContext;
  readonly #store: ComputeStore;
  readonly #balancer: BalancerSync;
  readonly #waiting = new Map<PipelineEnvironment, Waiting | undefined>();

  constructor(context: ServiceContext, store: ComputeStore, balancer: BalancerSync) {
    this.#context = context;
    this.#store = store;
    this.#balancer = balancer;
  }

  /** 0 stands for a service that is switched off; any other number is kept within the autoscaling limits. */
  desiredCount(name: PipelineEnvironment): number {
    const { service } = this.#settings(name).environment;
    const wanted = this.#store.service(name).desiredCount ?? service.desiredCount;
    return wanted === 0 ? 0 : Math.min(service.maximumCount, Math.max(service.minimumCount, wanted));
  }

  waiting(service: PipelineEnvironment): Waiting | undefined {
    return this.#waiting.get(service);
  }

  pass(request: PassRequest): Pass {
    return transaction(this.#context.database, () => {
      const now = this.#context.clock.now();
      const work = new WorkingSet(this.#store.liveTasks(), now);
      for (const { taskId, report } of request.reports) {
        work.update(taskId, record => applyReport(record, report, now));
      }
      for (const name of PIPELINE_ENVIRONMENTS) {
        if (request.isStoppingAll) this.#stopEvery(work, name);
        else this.#decideOn(work, name);
      }
      for (const record of work.all()) this.#advance(work, record, request.isStoppingAll);
      this.#saveTasks(work);
      return work.toPass();
    });
  }

  #decideOn(work: WorkingSet, name: PipelineEnvironment): void {
    const settings = this.#settings(name);
    const state = this.#store.service(name);
    const observed = this.#observe(work, name, settings);
    const decision = decide(state, observed, work.now);
    for (const action of decision.actions) this.#enter(work, name, action);
    for (const { id, phase } of observed.tasks) {
      if (phase === 'stopped') work.update(id, record => ({ ...record, isAccounted: true }));
    }
    for (const announcement of decision.announcements) {
      work.tell(regionEventOf(announcement));
      this.#appendServiceEvent(work, name, serviceEventOf(name, announcement));
    }
    this.#saveService(work, state, decision.state);
    this.#noteWaiting(work, name, decision.waiting);
  }

  #observe(work: WorkingSet, name: PipelineEnvironment, settings: ServiceSettings): Observed {
    const { service, deployment } = settings.environment;
    const { timing } = settings;
    const health = {
      graceMs: timing.healthCheckGraceMs,
      targetGroup: targetGroupName(this.#context.config.application, name),
      path: service.healthCheck.path,
    };
    const records = work.all().filter(task => task.service === name && !task.isAccounted);
    const tasks = records.map(record => {
      const observed = observeTask(record, this.#balancer.target(record.id), health, work.now);
      if (observed.health !== 'healthy' || record.healthySince !== undefined) {
        work.lookAgainAt((record.startedAt ?? work.now) + timing.healthCheckGraceMs);
        return observed;
      }
      work.update(record.id, fresh => ({ ...fresh, healthySince: work.now }));
      return { ...observed, healthySince: work.now };
    });
    return {
      desiredCount: this.desiredCount(name),
      zones: zonesOf(this.#context.region),
      deployment,
      bakeTimeMs: timing.bakeTimeMs,
      restartBackoff: timing.restartBackoff,
      tasks,
    };
  }

  #enter(work: WorkingSet, service: PipelineEnvironment, action: Action): void {
    if (action.kind === 'stop-task') {
      const stop = { stopCode: 'ServiceSchedulerInitiated' as const, reason: action.reason };
      work.update(action.taskId, record => tellToStop(record, stop, work.now));
      return;
    }
    const record: TaskRecord = {
      id: newId(),
      number: action.number,
      service,
      deploymentId: action.deploymentId,
      release: action.release,
      zone: action.zone,
      status: 'PROVISIONING',
      containerHealth: 'UNKNOWN',
      createdAt: work.now,
      hasHealthCheck: false,
      isAccounted: false,
    };
    if (this.#store.insertTask(record)) work.add(record);
  }

  #stopEvery(work: WorkingSet, name: PipelineEnvironment): void {
    const stop = { stopCode: 'UserInitiated' as const, reason: 'Task stopped by user' };
    for (const task of work.all()) {
      if (task.service === name) work.update(task.id, record => tellToStop(record, stop, work.now));
    }
  }

  #advance(work: WorkingSet, { id, service, status }: TaskRecord, isStoppingAll: boolean): void {
    const { timing } = this.#settings(service);
    const isWithoutBalancer = isStoppingAll && !this.#balancer.isAnswering();
    const around = {
      isRegistered: this.#balancer.isRegistered(id),
      isDrained: isWithoutBalancer || this.#balancer.isDrained(id),
      drainLimitMs: timing.deregistrationDelayMs + DRAIN_MARGIN_MS,
      stopTimeoutMs: timing.stopTimeoutMs,
    };
    if (status === 'STOPPED') return;
    work.update(id, record => {
      const step = advanceTask(record, around, work.now);
      work.lookAgainAt(step.at);
      if (step.effect) work.demand(step.effect, step.record);
      return step.record;
    });
  }

  #saveTasks(work: WorkingSet): void {
    const changes = work.changes();
    for (const { task, before } of changes) {
      this.#store.updateTask(task);
      if (task.status === 'RUNNING' && before !== 'RUNNING') work.tell(taskStarted(task));
      if (task.stoppedAt !== undefined && before !== 'DEPROVISIONING' && task.status === 'DEPROVISIONING') {
        work.tell(taskStopped(task));
      }
    }
    for (const name of PIPELINE_ENVIRONMENTS) {
      const own = changes.filter(({ task }) => task.service === name);
      const group = targetGroupName(this.#context.config.application, name);
      for (const message of serviceEventsOfTasks(name, group, own))
        this.#appendServiceEvent(work, name, message);
    }
  }

  #saveService(work: WorkingSet, before: ServiceState, after: ServiceState): void {
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    this.#store.saveService(after);
    work.hasChanged = true;
  }

  #appendServiceEvent(work: WorkingSet, service: PipelineEnvironment, message: string | undefined): void {
    if (message !== undefined) this.#store.appendEvent(service, { at: work.now, message });
  }

  #noteWaiting(work: WorkingSet, name: PipelineEnvironment, waiting: Waiting | undefined): void {
    work.lookAgainAt(waiting?.until);
    if (JSON.stringify(waiting) === JSON.stringify(this.#waiting.get(name))) return;
    this.#waiting.set(name, waiting);
    work.hasNews = true;
  }

  #settings(name: PipelineEnvironment): ServiceSettings {
    const environment = environmentConfig(this.#context.config, name);
    return { environment, timing: serviceTiming(this.#context.timing, environment) };
  }
}

interface ServiceSettings {
  environment: EnvironmentConfig;
  timing: ServiceTiming;
}

/** The records as a pass changes them, and what else comes of it. */
class WorkingSet {
  readonly now: Instant;
  hasChanged = false;
  hasNews = false;
  readonly #before = new Map<string, TaskRecord>();
  readonly #records = new Map<string, TaskRecord>();
  readonly #effects: Pass['effects'] = [];
  readonly #events: NewRegionEvent[] = [];
  #at = Number.POSITIVE_INFINITY;

  constructor(records: readonly TaskRecord[], now: Instant) {
    this.now = now;
    for (const record of records) {
      this.#before.set(record.id, record);
      this.#records.set(record.id, record);
    }
  }

  all(): TaskRecord[] {
    return [...this.#records.values()];
  }

  add(record: TaskRecord): void {
    this.#records.set(record.id, record);
  }

  /** Nothing where there is no such task any more. */
  update(id: string, change: (record: TaskRecord) => TaskRecord): void {
    const record = this.#records.get(id);
    if (record) this.#records.set(id, change(record));
  }

  demand(effect: TaskEffect, task: TaskRecord): void {
    this.#effects.push({ effect, task });
  }

  tell(event: NewRegionEvent | undefined): void {
    if (event) this.#events.push(event);
  }

  lookAgainAt(at: Instant | undefined): void {
    if (at !== undefined && at > this.now) this.#at = Math.min(this.#at, at);
  }

  changes(): { before: TaskRecord['status'] | undefined; task: TaskRecord }[] {
    return this.all()
      .filter(record => this.#before.get(record.id) !== record)
      .map(task => ({ before: this.#before.get(task.id)?.status, task }));
  }

  toPass(): Pass {
    const hasChanged = this.hasChanged || this.changes().length > 0;
    return {
      tasks: this.all(),
      effects: this.#effects,
      events: this.#events,
      hasChanged,
      hasNews: this.hasNews || hasChanged,
      ...(Number.isFinite(this.#at) && { at: this.#at }),
    };
  }
}

/** Two zones a region, as `us-east-1a` and `us-east-1b`. */
function zonesOf(region: string): string[] {
  return [`${region}a`, `${region}b`];
}
