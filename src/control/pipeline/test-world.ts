import { unreachable } from '../../core/assert.ts';
import type { Instant } from '../../core/instant.ts';
import type { Build } from '../../model/build.ts';
import { ENDED_DEPLOYMENT_STATUSES, type Deployment } from '../../model/deployment.ts';
import type { NewRegionEvent } from '../../model/event.ts';
import type { Execution } from '../../model/execution.ts';
import type { Commit, Release } from '../../model/release.ts';
import { approve, reject, retry, startExecution, startRollback, stop } from './commands.ts';
import { decide } from './decide.ts';
import type {
  Action,
  Decision,
  ExecutionRecord,
  LedgerEntry,
  Observation,
  Outcome,
  PipelineSettings,
} from './state.ts';
import type { Step } from './transitions.ts';

/**
 * Everything around the pipeline, as values that a test sets: builds and deployments start when the pipeline
 * wants them and end when the test says so. `tick` is what the region process does: observe, decide, store, act.
 */
export class World {
  now: Instant = 1_000_000;
  records: readonly ExecutionRecord[] = [];
  events: NewRegionEvent[] = [];
  ledger: LedgerEntry[] = [];
  lastDecision: Decision | undefined;
  readonly settings: PipelineSettings;
  readonly builds = new Map<string, Build>();
  readonly deployments = new Map<string, Deployment>();
  /** Asked of the world and not answered yet: commits, peers, pulls. */
  readonly questions = new Map<string, Action>();
  #outcomes = new Map<string, Outcome>();

  constructor(settings: Partial<PipelineSettings> = {}) {
    this.settings = {
      application: 'storefront',
      mode: 'SUPERSEDED',
      approvalRequired: true,
      approvalExpiresAfterMs: 60_000,
      buildTimeoutMs: 600_000,
      peers: ['us-west-2'],
      ...settings,
    };
  }

  get step(): Step {
    return { settings: this.settings, now: this.now, tell: event => this.events.push(event) };
  }

  get observed(): Observation {
    return {
      outcomes: this.#outcomes,
      build: id => this.builds.get(id),
      deployment: id => this.deployments.get(id),
      healthyTasks: () => 2,
      localRelease: commit => this.builtReleases().findLast(release => release.commit === commit),
    };
  }

  push(overrides: { commit?: string; replicatedFrom?: string } = {}): Execution {
    const number = this.records.length + 1;
    const from = overrides.replicatedFrom;
    const trigger =
      from === undefined
        ? ({ kind: 'push', by: 'ada', ref: 'refs/heads/main' } as const)
        : ({ kind: 'replication', by: from, ref: 'refs/heads/main' } as const);
    const commit = { ...commitOf(overrides.commit ?? `commit${number}`), subject: '' };
    const request = { id: idOf(number), number, region: 'us-east-1', trigger, commit };
    return this.#add(startExecution(request, this.step));
  }

  rollback(release: Release): Execution {
    const number = this.records.length + 1;
    const trigger = { kind: 'rollback', by: 'grace', ref: '' } as const;
    const commit = commitOf(release.commit);
    const request = { id: idOf(number), number, region: 'us-east-1', trigger, commit };
    return this.#add(startRollback(request, release, this.step));
  }

  approve(number: number): void {
    this.#put(approve(this.record(number), this.#answer(number), this.step));
  }

  reject(number: number): void {
    this.#put(reject(this.record(number), this.#answer(number), this.step));
  }

  stop(number: number, abandon = false): void {
    this.#put(stop(this.record(number), { abandon, by: 'ada' }));
  }

  retry(number: number, overtakenBy?: number): void {
    const facts = { overtakenBy, isImageAvailable: true };
    this.#put(retry(this.record(number), 'ada', facts, this.step));
  }

  /** Decides until nothing is left to be done at this moment. */
  tick(): void {
    for (;;) {
      const decision = decide(this.settings, { records: this.records }, this.observed, this.now);
      this.lastDecision = decision;
      this.records = decision.state.records;
      this.events.push(...decision.events);
      this.ledger.push(...decision.ledger);
      this.#outcomes = new Map();
      const isAnythingNew = decision.actions.map(action => this.#apply(action)).includes(true);
      if (!isAnythingNew) return;
    }
  }

  /** What the region process only holds in memory is gone. */
  crash(): void {
    this.#outcomes.clear();
    this.questions.clear();
  }

  answer(key: string, outcome: Outcome): void {
    this.questions.delete(key);
    this.#outcomes.set(key, outcome);
  }

  answerCommits(): void {
    for (const action of this.questions.values()) {
      if (action.kind === 'ReadCommit') {
        this.answer(action.key, { kind: 'commit', commit: commitOf(action.commit) });
      }
    }
    this.tick();
  }

  endBuild(id: string, status: Build['status'], cause?: string): void {
    const build = this.builds.get(id)!;
    const digest = `sha256:${id}`;
    const images = status === 'SUCCEEDED' ? [{ name: 'storefront', imageUri: 'uri', digest }] : [];
    const ended = { ...build, status, images, endedAt: this.now };
    this.builds.set(id, cause === undefined ? ended : { ...ended, cause });
  }

  endDeployment(id: string, status: Deployment['status'], cause?: string): void {
    const ended = { ...this.deployments.get(id)!, status, endedAt: this.now };
    this.deployments.set(id, cause === undefined ? ended : { ...ended, cause });
  }

  /** Builds, or deploys, with success whatever the execution's present stage runs. */
  succeed(number: number): void {
    const { stage, stages } = this.execution(number);
    const { buildId, deploymentId } = stages.find(candidate => candidate.name === stage)!;
    if (stage === 'Build') this.endBuild(buildId!, 'SUCCEEDED');
    else this.endDeployment(deploymentId!, 'SUCCESSFUL');
    this.tick();
  }

  /** Pushes, and goes on with success until the execution is in that stage. */
  pushUpTo(stage: Execution['stage']): Execution {
    const { number } = this.push();
    this.tick();
    this.answerCommits();
    while (this.execution(number).stage !== stage) {
      if (this.execution(number).status === 'Waiting') this.approve(number);
      else this.succeed(number);
      this.tick();
    }
    return this.execution(number);
  }

  record(number: number): ExecutionRecord {
    return this.records.find(record => record.execution.number === number)!;
  }

  execution(number: number): Execution {
    return this.record(number).execution;
  }

  builtReleases(): Release[] {
    return this.ledger.filter(entry => entry.kind === 'built').map(entry => entry.release);
  }

  eventTypes(): string[] {
    return this.events.map(event => event.type);
  }

  #answer(number: number) {
    return { executionId: idOf(number), by: 'grace', comment: 'looks good' };
  }

  #add(record: ExecutionRecord): Execution {
    this.records = [...this.records, record];
    return record.execution;
  }

  #put(changed: ExecutionRecord): void {
    this.records = this.records.map(record =>
      record.execution.id === changed.execution.id ? changed : record,
    );
  }

  /** True where it was not done before; the same key starts nothing twice. */
  #apply(action: Action): boolean {
    switch (action.kind) {
      case 'StartBuild':
        this.#outcomes.set(action.key, { kind: 'build', id: action.key });
        if (!this.builds.has(action.key)) this.builds.set(action.key, this.#newBuild(action));
        return true;
      case 'StartDeployment':
        this.#outcomes.set(action.key, { kind: 'deployment', id: action.key });
        this.#startDeployment(action);
        return true;
      case 'StopBuild':
        if (this.builds.get(action.buildId)?.status !== 'IN_PROGRESS') return false;
        this.endBuild(action.buildId, 'STOPPED');
        return true;
      case 'StopDeployment':
        if (ENDED_DEPLOYMENT_STATUSES.has(this.deployments.get(action.deploymentId)!.status)) return false;
        this.endDeployment(action.deploymentId, 'STOPPED', 'stopped on request');
        return true;
      case 'ReadCommit':
      case 'AskPeer':
      case 'PullImage':
        this.questions.set(action.key, action);
        return false;
      default:
        return unreachable(action);
    }
  }

  #newBuild(action: Extract<Action, { kind: 'StartBuild' }>): Build {
    return {
      id: action.key,
      number: this.builds.size + 1,
      commit: action.commit,
      executionId: action.executionId,
      status: 'IN_PROGRESS',
      phases: [],
      images: [],
      exportedVariables: {},
      reports: [{ group: 'unit', total: 12, passed: 12, failed: 0, skipped: 0 }],
      logStream: action.key,
      startedAt: this.now,
    };
  }

  #startDeployment(action: Extract<Action, { kind: 'StartDeployment' }>): void {
    const { key, service, release } = action;
    if (this.deployments.has(key)) return;
    for (const other of this.deployments.values()) {
      if (other.service !== service || ENDED_DEPLOYMENT_STATUSES.has(other.status)) continue;
      this.endDeployment(other.id, 'STOPPED', 'a newer deployment took over');
    }
    const startedAt = this.now;
    this.deployments.set(key, {
      id: key,
      service,
      release,
      status: 'IN_PROGRESS',
      failedTasks: 0,
      startedAt,
    });
  }
}

function commitOf(id: string): Commit {
  return { id, subject: `Change ${id}`, author: { name: 'Ada', email: 'ada@example.org' }, authoredAt: 1 };
}

function idOf(number: number): string {
  return `${String(number).padStart(8, '0')}-e7a1`;
}
