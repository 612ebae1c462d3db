import { join } from 'node:path';
import { DAY_MS, formatDuration } from '../../core/duration.ts';
import { errorMessage } from '../../core/error.ts';
import type { Build } from '../../model/build.ts';
import type { PipelineTiming } from '../../model/timing.ts';
import { mkdir, readdir } from '../../platform/files.ts';
import { endMarkedProcesses } from '../../platform/process-sweep.ts';
import type { ServiceContext } from '../context.ts';
import type { Registry } from '../registry/contract.ts';
import type { Repository } from '../repository/contract.ts';
import { ArtifactStore } from './artifacts.ts';
import { BuildLog } from './build-log.ts';
import { BuildAbort, BuildProgress } from './build-progress.ts';
import { MARK_VARIABLE, runBuild } from './build-run.ts';
import { BuildStore, type StoredBuild } from './build-store.ts';
import { BuildCache } from './cache.ts';
import { limitCompiledCode } from './compiled-code.ts';
import type { BuildRequest, BuildService, PrepareImageTools } from './contract.ts';
import { removeWorkspace } from './workspace.ts';

/** Further builds wait in phase QUEUED. */
const BUILDS_AT_ONCE = 2;

/** Artifacts and reports of the newest builds are kept, as long as logs are. */
const BUILDS_WITH_ARTIFACTS = 20;

export interface BuildServiceDependencies {
  repository: Pick<Repository, 'checkout' | 'commit'>;
  registry: Pick<Registry, 'manifest'>;
  prepareImageTools: PrepareImageTools;
  timing: PipelineTiming;
}

export function createBuildService(
  context: ServiceContext,
  dependencies: BuildServiceDependencies,
): BuildService {
  return new LocalBuildService(context, dependencies);
}

interface RunningBuild {
  aborter: AbortController;
  ended: Promise<void>;
}

class LocalBuildService implements BuildService {
  readonly #context: ServiceContext;
  readonly #dependencies: BuildServiceDependencies;
  readonly #store: BuildStore;
  readonly #artifacts: ArtifactStore;
  readonly #cache: BuildCache;
  readonly #workFolder: string;
  readonly #cacheFolder: string;
  readonly #listeners: ((build: Build) => void)[] = [];
  readonly #running = new Map<string, RunningBuild>();
  /** No build is begun twice in a process's life, even where its record could not be changed. */
  readonly #begun = new Set<string>();
  #isStarted = false;

  constructor(context: ServiceContext, dependencies: BuildServiceDependencies) {
    this.#context = context;
    this.#dependencies = dependencies;
    this.#store = new BuildStore(context.database);
    this.#artifacts = new ArtifactStore(join(context.folder, 'artifacts'));
    this.#cache = new BuildCache(join(context.folder, 'cache', 'files'));
    this.#workFolder = join(context.folder, 'work');
    this.#cacheFolder = join(context.folder, 'cache');
  }

  /** Ends what builds left that were under way when the region died, records them, then takes up the queue. */
  async start(): Promise<void> {
    await mkdir(this.#workFolder, { recursive: true });
    const interrupted = this.#store.unfinished().filter(({ build }) => !isQueued(build));
    for (const stored of interrupted) {
      await endMarkedProcesses({ variable: markOf(stored), leaders: stored.leaders });
      this.#recordInterruption(stored.build);
    }
    for (const name of await readdir(this.#workFolder)) await removeWorkspace(join(this.#workFolder, name));
    this.#isStarted = true;
    this.#takeUpQueue();
  }

  /** Ends the builds under way, as interrupted; those in the queue wait for the next start. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    const running = [...this.#running.values()];
    const reason = 'interrupted: the region was stopped while the build ran';
    for (const { aborter } of running) aborter.abort(new BuildAbort('FAULT', reason));
    await Promise.all(running.map(({ ended }) => ended));
  }

  startBuild(request: BuildRequest): Build {
    const { stored, isNew } = this.#store.begin(request, this.#context.clock.now());
    if (isNew) {
      this.#tell(
        stored.build,
        'BuildStarted',
        'info',
        `build ${stored.build.number} of ${short(request.commit)}`,
      );
      this.#notify(stored.build);
      this.#takeUpQueue();
    }
    return this.build(stored.build.id)!;
  }

  build(id: string): Build | undefined {
    return this.#store.byId(id)?.build;
  }

  stopBuild(id: string): void {
    const abort = new BuildAbort('STOPPED', 'the build was stopped');
    const running = this.#running.get(id);
    if (running !== undefined) return running.aborter.abort(abort);
    const build = this.build(id);
    if (build?.status === 'IN_PROGRESS') this.#end(build, abort);
  }

  onChange(listener: (build: Build) => void): void {
    this.#listeners.push(listener);
  }

  #takeUpQueue(): void {
    if (!this.#isStarted) return;
    for (const stored of this.#store.unfinished()) {
      if (this.#running.size >= BUILDS_AT_ONCE) return;
      if (isQueued(stored.build) && !this.#begun.has(stored.build.id)) this.#run(stored);
    }
  }

  #run(stored: StoredBuild): void {
    const { clock } = this.#context;
    const { id } = stored.build;
    this.#begun.add(id);
    const { buildTimeoutMs } = this.#dependencies.timing;
    const aborter = new AbortController();
    const timer = clock.after(buildTimeoutMs, () => {
      const limit = formatDuration(buildTimeoutMs);
      aborter.abort(new BuildAbort('TIMED_OUT', `the build ran longer than ${limit} (build.timeoutMinutes)`));
    });
    const ended = this.#execute(stored, aborter.signal)
      .catch((error: unknown) => this.#recordBug(id, error))
      .then(() => this.#prune())
      .catch(() => undefined)
      .finally(() => {
        timer.cancel();
        this.#running.delete(id);
        this.#takeUpQueue();
      });
    this.#running.set(id, { aborter, ended });
  }

  async #execute(stored: StoredBuild, signal: AbortSignal): Promise<void> {
    const { clock, logs } = this.#context;
    const { build } = stored;
    const log = new BuildLog(logs, build.logStream, clock);
    const onChange = (changed: Build) => {
      this.#store.save(changed);
      if (changed.status !== 'IN_PROGRESS') this.#tellEnd(changed);
      this.#notify(changed);
    };
    await runBuild({
      ...this.#dependencies,
      context: this.#context,
      stored,
      progress: new BuildProgress(build, { log, clock, signal, onChange }),
      log,
      artifacts: this.#artifacts,
      cache: this.#cache,
      signal,
      workFolder: this.#workFolder,
      cacheFolder: this.#cacheFolder,
      onLeader: identity => this.#store.addLeader(build.id, identity),
    });
  }

  #recordInterruption(build: Build): void {
    this.#end(build, new BuildAbort('FAULT', 'interrupted: the region died while the build ran'));
  }

  #recordBug(id: string, error: unknown): void {
    const build = this.build(id);
    if (build?.status === 'IN_PROGRESS') this.#end(build, new BuildAbort('FAULT', errorMessage(error)));
  }

  /** Ends a build that is not running. */
  #end(build: Build, abort: BuildAbort): void {
    const at = this.#context.clock.now();
    const phase = build.phases.at(-1)!;
    Object.assign(phase, { status: abort.status, endedAt: at, context: `${abort.status}: ${abort.message}` });
    build.phases.push({ name: 'COMPLETED', status: abort.status, startedAt: at, endedAt: at });
    Object.assign(build, { status: abort.status, cause: abort.message, endedAt: at });
    this.#store.save(build);
    this.#tellEnd(build);
    this.#notify(build);
  }

  #tellEnd(build: Build): void {
    const took = formatDuration((build.endedAt ?? build.startedAt) - build.startedAt);
    const what = `build ${build.number} of ${short(build.commit)}`;
    if (build.status === 'SUCCEEDED')
      this.#tell(build, 'BuildSucceeded', 'info', `${what} succeeded in ${took}`);
    else if (build.status === 'STOPPED') this.#tell(build, 'BuildStopped', 'warning', `${what} was stopped`);
    else this.#tell(build, 'BuildFailed', 'error', `${what} failed after ${took}: ${build.cause}`);
  }

  #tell(build: Build, type: string, severity: 'info' | 'warning' | 'error', message: string): void {
    const data = {
      buildId: build.id,
      executionId: build.executionId,
      commit: build.commit,
      status: build.status,
    };
    this.#context.events.append({ source: 'build', type, severity, message, data });
  }

  #notify(build: Build): void {
    for (const listener of this.#listeners) listener(structuredClone(build));
  }

  async #prune(): Promise<void> {
    const oldest = this.#context.clock.now() - this.#context.config.logs.retentionDays * DAY_MS;
    const kept = this.#store.newest(BUILDS_WITH_ARTIFACTS).filter(build => build.startedAt >= oldest);
    await this.#artifacts.keepOnly(new Set([...kept.map(({ id }) => id), ...this.#running.keys()]));
    await limitCompiledCode(this.#cacheFolder);
  }
}

function isQueued(build: Build): boolean {
  return build.phases.at(-1)?.name === 'QUEUED';
}

function markOf(stored: StoredBuild): string {
  return `${MARK_VARIABLE}=${stored.mark}`;
}

function short(commit: string): string {
  return commit.slice(0, 7);
}
