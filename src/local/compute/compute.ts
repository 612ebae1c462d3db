import {
  beginDeployment,
  deploymentUnderWay,
  requestStop,
  targetOf,
} from '../../control/deployment/service-state.ts';
import { TandemError } from '../../core/error.ts';
import { environmentConfig } from '../../model/config/environment.ts';
import { ENDED_DEPLOYMENT_STATUSES, type Deployment, type ServiceStatus } from '../../model/deployment.ts';
import { PIPELINE_ENVIRONMENTS, type Digest, type PipelineEnvironment } from '../../model/names.ts';
import type { Task } from '../../model/task.ts';
import { transaction } from '../../platform/database.ts';
import type { Endpoint } from '../../platform/network.ts';
import { newId } from '../../platform/random.ts';
import type { Balancer } from '../balancer/contract.ts';
import type { ServiceContext } from '../context.ts';
import { createReconcileLoop, type ReconcileLoop } from '../reconcile-loop.ts';
import type { Registry } from '../registry/contract.ts';
import { deploymentStarted, regionEventOf } from './announcements.ts';
import { BalancerSync } from './balancer-sync.ts';
import { ComputeStore } from './compute-store.ts';
import type { Compute, DeploymentRequest } from './contract.ts';
import { ProcessRuntime } from './process/process-runtime.ts';
import { Reconciler } from './reconciler.ts';
import { balancerConfig, isTarget } from './target-groups.ts';
import { TaskKeeper } from './task-keeper.ts';
import { toTask } from './task-record.ts';
import { tell } from './tell.ts';

export interface ComputeDependencies {
  registry: Pick<Registry, 'manifest' | 'blobPath'>;
  balancer: Balancer;
  /** Where each environment is reached. */
  listeners: Record<PipelineEnvironment, Endpoint>;
}

const EVENTS_SHOWN = 10;

export function createCompute(context: ServiceContext, dependencies: ComputeDependencies): Compute {
  return new LocalCompute(context, dependencies);
}

class LocalCompute implements Compute {
  readonly #context: ServiceContext;
  readonly #balancer: Balancer;
  readonly #listeners: ComputeDependencies['listeners'];
  readonly #store: ComputeStore;
  readonly #sync: BalancerSync;
  readonly #keeper: TaskKeeper;
  readonly #reconciler: Reconciler;
  readonly #changeListeners: (() => void)[] = [];
  #loop: ReconcileLoop | undefined;
  /** The digests in use when last looked. */
  #inUse: string | undefined;
  #allStopped: PromiseWithResolvers<void> | undefined;

  constructor(context: ServiceContext, { registry, balancer, listeners }: ComputeDependencies) {
    this.#context = context;
    this.#balancer = balancer;
    this.#listeners = listeners;
    this.#store = new ComputeStore(context.database);
    const wake = () => this.#loop?.wake();
    this.#sync = new BalancerSync(balancer, context, wake);
    const runtimeOptions = {
      ...context,
      repository: context.config.application,
      registry,
      containerPort: context.config.service.port,
    };
    this.#keeper = new TaskKeeper(
      context,
      this.#store,
      listener => new ProcessRuntime(runtimeOptions, listener),
      wake,
    );
    this.#reconciler = new Reconciler(context, this.#store, this.#sync);
    balancer.onChange(wake);
  }

  async start(): Promise<void> {
    await this.#keeper.adoptAll();
    await this.#sync.request(balancerConfig(this.#context, this.#listeners, this.#store.liveTasks()));
    this.#loop = createReconcileLoop(this.#context, 'compute', loop => this.#reconcile(loop));
    this.#pruneWhatFellOutOfUse();
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
    this.#loop = undefined;
    this.#sync.stop();
    await this.#keeper.detach();
  }

  startDeployment(request: DeploymentRequest): Deployment {
    const known = this.#store.deploymentByToken(request.token);
    if (known) return known;
    const now = this.#context.clock.now();
    const revision = { deploymentId: newId(), release: request.release };
    const begun = transaction(this.#context.database, () => {
      const { state, superseded } = beginDeployment(this.#store.service(request.service), revision, now);
      const deployment = state.deployment!;
      this.#store.insertDeployment(deployment, request.token);
      this.#store.saveService(state);
      if (superseded) this.#store.updateDeployment(superseded);
      return { deployment, superseded };
    });
    if (begun.superseded) {
      const event = regionEventOf({ kind: 'deployment-stopped', deployment: begun.superseded });
      if (event) tell(this.#context.events, event);
    }
    tell(this.#context.events, deploymentStarted(begun.deployment));
    this.#loop?.wake();
    this.#tellChange();
    return begun.deployment;
  }

  deployment(id: string): Deployment | undefined {
    const deployment = this.#store.deployment(id);
    return deployment && this.#withWaiting(deployment);
  }

  stopDeployment(id: string, stopType: 'ABORT' | 'ROLLBACK'): void {
    const deployment = this.#store.deployment(id);
    if (!deployment) return;
    transaction(this.#context.database, () => {
      const state = this.#store.service(deployment.service);
      if (state.deployment?.id === id) this.#store.saveService(requestStop(state, stopType));
    });
    this.#loop?.wake();
    this.#tellChange();
  }

  restart(service: PipelineEnvironment): void {
    const state = this.#store.service(service);
    const underWay = deploymentUnderWay(state);
    if (underWay) {
      throw new TandemError(
        'DEPLOYMENT_IN_PROGRESS',
        `${service} is being deployed (${underWay.release.commit.slice(0, 7)}), which replaces its tasks anyway. ` +
          'Wait for the deployment to end, or stop its execution.',
      );
    }
    if (!state.settled) {
      throw new TandemError(
        'SERVICE_HAS_NO_RELEASE',
        `${service} has no release that could be restarted. Push a commit to deploy one.`,
      );
    }
    const id = newId();
    this.startDeployment({
      token: `restart ${id}`,
      service,
      release: state.settled.release,
      executionId: id,
    });
  }

  scale(service: PipelineEnvironment, desiredCount: number): void {
    const { minimumCount, maximumCount } = environmentConfig(this.#context.config, service).service;
    if (desiredCount !== 0 && (desiredCount < minimumCount || desiredCount > maximumCount)) {
      throw new TandemError(
        'SCALE_OUT_OF_RANGE',
        `${service} runs from ${minimumCount} to ${maximumCount} tasks, or 0 to switch it off; ${desiredCount} is ` +
          'outside. service.minimumCount and service.maximumCount in the configuration set the range.',
        { data: { service, desiredCount, minimumCount, maximumCount } },
      );
    }
    transaction(this.#context.database, () => {
      this.#store.saveService({ ...this.#store.service(service), desiredCount });
    });
    this.#context.events.append({
      source: 'compute',
      type: 'ServiceScaled',
      severity: 'info',
      message: `${service}: the desired count is ${desiredCount} now`,
      data: { service, desiredCount },
    });
    this.#loop?.wake();
    this.#tellChange();
  }

  service(name: PipelineEnvironment): ServiceStatus {
    const state = this.#store.service(name);
    const tasks = this.#store.tasks(name).filter(({ status }) => status !== 'STOPPED');
    const listener = this.#listeners[name];
    return {
      name,
      url: `http://${listener.address}:${listener.port}`,
      ...(state.settled && { release: state.settled.release }),
      desired: targetOf(state) ? this.#reconciler.desiredCount(name) : 0,
      running: tasks.filter(({ status }) => status === 'RUNNING').length,
      pending: tasks.filter(({ status }) => ['PROVISIONING', 'PENDING', 'ACTIVATING'].includes(status))
        .length,
      healthyTargets: tasks.filter(
        task => isTarget(task) && this.#sync.target(task.id)?.health.state === 'healthy',
      ).length,
      ...(state.deployment && { deployment: this.#withWaiting(state.deployment) }),
      events: this.#store.events(name, EVENTS_SHOWN),
    };
  }

  tasks(service: PipelineEnvironment): Task[] {
    return this.#store.tasks(service).map(toTask);
  }

  releasesInUse(): ReadonlySet<Digest> {
    const digests = new Set(this.#store.liveTasks().map(({ release }) => release.digest));
    for (const name of PIPELINE_ENVIRONMENTS) {
      const state = this.#store.service(name);
      for (const release of [state.settled?.release, deploymentUnderWay(state)?.release]) {
        if (release) digests.add(release.digest);
      }
    }
    return digests;
  }

  onChange(listener: () => void): void {
    this.#changeListeners.push(listener);
  }

  async stopAllTasks(): Promise<void> {
    this.#allStopped ??= Promise.withResolvers();
    this.#loop?.wake();
    await this.#allStopped.promise;
  }

  #reconcile(loop: ReconcileLoop): void {
    const reports = this.#keeper.reports();
    const isStoppingAll = this.#allStopped !== undefined;
    const pass = this.#reconciler.pass({ reports, isStoppingAll });
    this.#keeper.forget(reports.length);
    for (const { effect, task } of pass.effects) this.#keeper.perform(effect, task);
    for (const event of pass.events) tell(this.#context.events, event);
    if (!isStoppingAll || this.#balancer.state() !== undefined) {
      void this.#sync.request(balancerConfig(this.#context, this.#listeners, pass.tasks));
    }
    if (pass.at !== undefined) loop.wakeAt(pass.at);
    if (pass.hasChanged) loop.wake();
    if (pass.hasChanged) this.#pruneWhatFellOutOfUse();
    if (pass.hasNews) this.#tellChange();
    if (isStoppingAll && pass.tasks.every(({ status }) => status === 'STOPPED')) this.#allStopped?.resolve();
  }

  #pruneWhatFellOutOfUse(): void {
    const inUse = [...this.releasesInUse()].sort().join(' ');
    if (inUse === this.#inUse) return;
    this.#inUse = inUse;
    this.#keeper.prune(() => this.releasesInUse());
  }

  #withWaiting(deployment: Deployment): Deployment {
    const waiting = this.#reconciler.waiting(deployment.service);
    const isUnderWay = !ENDED_DEPLOYMENT_STATUSES.has(deployment.status);
    const isCurrent = this.#store.service(deployment.service).deployment?.id === deployment.id;
    return isUnderWay && isCurrent && waiting ? { ...deployment, waiting } : deployment;
  }

  #tellChange(): void {
    for (const listener of this.#changeListeners) listener();
  }
}
