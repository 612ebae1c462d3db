import { TandemError } from '../../core/error.ts';
import type { Build } from '../../model/build.ts';
import { ENDED_DEPLOYMENT_STATUSES, type Deployment } from '../../model/deployment.ts';
import type { Digest, PipelineEnvironment } from '../../model/names.ts';
import type { Release } from '../../model/release.ts';
import { systemClock } from '../../platform/clock.ts';
import { sha256 } from '../../platform/hash.ts';
import type { BuildRequest, BuildService } from '../build/contract.ts';
import type { Compute, DeploymentRequest } from '../compute/contract.ts';
import type { Registry } from '../registry/contract.ts';
import type { RefChange, RefChangeListener, Repository } from '../repository/contract.ts';
import type { Neighbours } from './action-doer.ts';

/**
 * The pipeline's neighbours in a few lines each: they keep their state over a restart of the pipeline, as the real
 * ones do on disk, and end what was started in a later turn of the event loop, unless a test holds it.
 */
export interface TestNeighbours extends Neighbours {
  push(commit: string, overrides?: Partial<RefChange>): readonly string[];
  builds: Map<string, Build>;
  deployments: Map<string, Deployment>;
  /** Digests in the registry. */
  images: Set<Digest>;
  lifecycles: ReadonlySet<Digest>[];
  pulls: string[];
  /** What the next builds and deployments come to; `hold` leaves them running. */
  next: {
    build: Build['status'] | 'hold';
    deployment: Deployment['status'] | 'hold';
    pull: 'works' | 'fails';
  };
  endBuild(id: string, status: Build['status'], cause?: string): void;
  endDeployment(id: string, status: Deployment['status'], cause?: string): void;
}

export function testNeighbours(registries: Map<string, Set<Digest>> = new Map()): TestNeighbours {
  const images = new Set<Digest>();
  const builds = new Map<string, Build>();
  const deployments = new Map<string, Deployment>();
  const tokens = new Map<string, string>();
  const lifecycles: ReadonlySet<Digest>[] = [];
  const pulls: string[] = [];
  const next: TestNeighbours['next'] = { build: 'SUCCEEDED', deployment: 'SUCCESSFUL', pull: 'works' };
  const inService = new Map<PipelineEnvironment, Release>();
  const refListeners: RefChangeListener[] = [];
  const buildListeners: ((build: Build) => void)[] = [];
  const computeListeners: (() => void)[] = [];
  let sequence = 0;
  let now = 1_000;

  const endBuild = (id: string, status: Build['status'], cause?: string) => {
    const build = builds.get(id);
    if (build?.status !== 'IN_PROGRESS') return;
    const digest = digestOf(id);
    const ended: Build = { ...build, status, endedAt: (now += 10) };
    if (status === 'SUCCEEDED') {
      images.add(digest);
      ended.images = [{ name: 'storefront', imageUri: 'uri', digest }];
    }
    if (cause !== undefined) ended.cause = cause;
    builds.set(id, ended);
    for (const listener of buildListeners) listener(ended);
  };

  const endDeployment = (id: string, status: Deployment['status'], cause?: string) => {
    const deployment = deployments.get(id);
    if (!deployment || ENDED_DEPLOYMENT_STATUSES.has(deployment.status)) return;
    const ended: Deployment = { ...deployment, status, endedAt: (now += 10) };
    if (cause !== undefined) ended.cause = cause;
    deployments.set(id, ended);
    if (status === 'SUCCESSFUL') inService.set(deployment.service, deployment.release);
    for (const listener of computeListeners) listener();
  };

  const build: BuildService = {
    ...service,
    startBuild(request: BuildRequest) {
      const known = builds.get(tokens.get(request.token) ?? '');
      if (known) return known;
      const number = builds.size + 1;
      const { commit, executionId } = request;
      const id = `storefront:${number}:${commit}`;
      const started: Build = {
        id,
        number,
        commit,
        executionId,
        status: 'IN_PROGRESS',
        phases: [],
        images: [],
        reports: [],
        exportedVariables: {},
        logStream: id,
        startedAt: (now += 10),
      };
      builds.set(id, started);
      tokens.set(request.token, id);
      const ending = next.build;
      if (ending !== 'hold') later(() => endBuild(id, ending, `build ${number} ${ending}`));
      return started;
    },
    build: id => builds.get(id),
    stopBuild: id => later(() => endBuild(id, 'STOPPED', 'stopped on request')),
    onChange: listener => void buildListeners.push(listener),
  };

  const compute: Compute = {
    ...service,
    startDeployment(request: DeploymentRequest) {
      const known = deployments.get(tokens.get(request.token) ?? '');
      if (known) return known;
      if (!images.has(request.release.digest)) throw new Error(`image ${request.release.digest} is not here`);
      for (const other of deployments.values()) {
        if (other.service === request.service)
          endDeployment(other.id, 'STOPPED', 'a newer deployment took over');
      }
      const id = `deployment-${deployments.size + 1}`;
      const { service: name, release } = request;
      const started: Deployment = {
        id,
        service: name,
        release,
        status: 'IN_PROGRESS',
        failedTasks: 0,
        startedAt: (now += 10),
        waiting: { for: '0 of 2 tasks healthy' },
      };
      deployments.set(id, started);
      tokens.set(request.token, id);
      const ending = next.deployment;
      if (ending !== 'hold') later(() => endDeployment(id, ending, ending));
      return started;
    },
    deployment: id => deployments.get(id),
    stopDeployment: id => later(() => endDeployment(id, 'STOPPED', 'stopped on request')),
    restart: unused,
    scale: () => undefined,
    service(name) {
      const release = inService.get(name);
      const counts = { desired: 2, running: 2, pending: 0, healthyTargets: 2 };
      return { name, url: 'http://127.0.0.1:1', ...counts, events: [], ...(release ? { release } : {}) };
    },
    tasks: () => [],
    releasesInUse: () => new Set([...inService.values()].map(release => release.digest)),
    onChange: listener => void computeListeners.push(listener),
    stopAllTasks: unused,
  };

  const registry: Registry = {
    ...service,
    handle: () => false,
    manifest: unused,
    blobPath: unused,
    images: () => [...images].map(digest => ({ digest, tags: [], pushedAt: 1, sizeBytes: 1 })),
    async pullFrom(endpoint, _repository, digest, tag) {
      pulls.push(`${digest} ${tag}`);
      await new Promise<void>(later);
      if (next.pull === 'fails' || !registries.get(endpoint)?.has(digest)) {
        throw new TandemError('IMAGE_UNAVAILABLE', `${endpoint} lacks ${digest}`);
      }
      images.add(digest);
    },
    async applyLifecycle(inUse) {
      lifecycles.push(inUse);
      return { expired: [], freedBytes: 0 };
    },
  };

  const repository: Repository = {
    ...service,
    handle: () => false,
    onRefChange: listener => void refListeners.push(listener),
    async commit(id) {
      if (id.startsWith('dead')) throw new TandemError('COMMIT_UNKNOWN', `commit ${id} is not here`);
      const author = { name: 'Ada', email: 'ada@example.org' };
      return { id, subject: `Change ${id.slice(0, 4)}`, author, authoredAt: 1 };
    },
    resolve: unused,
    checkout: unused,
    replication: () => [],
  };

  return {
    repository,
    build,
    registry,
    compute,
    builds,
    deployments,
    images,
    lifecycles,
    pulls,
    next,
    endBuild,
    endDeployment,
    push(commit, overrides = {}) {
      sequence += 1;
      const change = { sequence, ref: 'refs/heads/main', after: commit, by: 'ada', ...overrides };
      return refListeners.flatMap(listener => listener(change));
    },
  };
}

export function digestOf(text: string): Digest {
  return `sha256:${sha256(text)}`;
}

/** In a later turn of the event loop. */
function later(callback: () => void): void {
  systemClock.after(0, callback);
}

const service = { start: async () => undefined, stop: async () => undefined };

function unused(): never {
  throw new Error('the pipeline does not ask this');
}
