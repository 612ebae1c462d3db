import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { unreachable } from '../../core/assert.ts';
import { ENDED_DEPLOYMENT_STATUSES } from '../../model/deployment.ts';
import {
  ENDED_EXECUTION_STATUSES,
  type Execution,
  type ExecutionMode,
  type StageState,
} from '../../model/execution.ts';
import { STAGE_NAMES, type StageName } from '../../model/names.ts';
import { stageToRetry } from './commands.ts';
import { decide } from './decide.ts';
import type { Action, Outcome } from './state.ts';
import { World } from './test-world.ts';

/*
 * Random histories: pushes, replications, answers good and bad, approvals, stops, retries, rollbacks, crashes and
 * passing time in any order. After every turn the rules below hold; in the end the world answers all there is to
 * answer, and every execution ends.
 */

const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('push' as const), isReplicated: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('answer' as const), pick: fc.nat(), how: fc.nat() }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('build' as const), pick: fc.nat(), how: fc.nat() }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('deploy' as const), pick: fc.nat(), how: fc.nat() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('approve' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reject' as const), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('stop' as const), pick: fc.nat(), abandon: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retry' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollback' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('time' as const), passesMs: fc.nat(30_000) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

test.each<ExecutionMode>(['SUPERSEDED', 'QUEUED', 'PARALLEL'])(
  '%s: the rules hold in every history',
  mode => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(operation, { maxLength: 60, size: 'max' }),
        (approvalRequired, operations) => {
          const world = new World({ mode, approvalRequired, approvalExpiresAfterMs: 100_000 });
          const watch = new Watch(world);
          for (const next of operations) {
            perform(world, next);
            world.tick();
            watch.check();
          }
          heal(world, watch);
          for (const { execution } of world.records) {
            expect(ENDED_EXECUTION_STATUSES, `execution ${execution.number}`).toContain(execution.status);
          }
        },
      ),
      { numRuns: 150 },
    );
  },
);

function perform(world: World, next: Operation): void {
  switch (next.kind) {
    case 'push':
      world.push(next.isReplicated ? { replicatedFrom: 'us-west-2' } : {});
      break;
    case 'answer': {
      const question = pick([...world.questions.values()], next.pick);
      if (question) world.answer(question.key, answerTo(question, next.how));
      break;
    }
    case 'build': {
      const build = pick(runningBuilds(world), next.pick);
      const [status, cause] = BUILD_ENDS[next.how % BUILD_ENDS.length]!;
      if (build) world.endBuild(build.id, status, cause);
      break;
    }
    case 'deploy': {
      const deployment = pick(runningDeployments(world), next.pick);
      if (deployment) world.endDeployment(deployment.id, DEPLOYMENT_ENDS[next.how % DEPLOYMENT_ENDS.length]!);
      break;
    }
    case 'approve':
    case 'reject': {
      const asking = pick(
        world.records.filter(record => record.execution.status === 'Waiting'),
        next.pick,
      );
      if (!asking) break;
      world[next.kind](asking.execution.number);
      expect(() => world.approve(asking.execution.number), 'an approval counts once').toThrow();
      break;
    }
    case 'stop': {
      const record = pick(world.records, next.pick);
      if (record && !isEnded(record.execution)) world.stop(record.execution.number, next.abandon);
      break;
    }
    case 'retry':
      retryAny(world, next.pick);
      break;
    case 'rollback': {
      const release = pick(productionReleases(world), next.pick);
      if (release) world.rollback(release);
      break;
    }
    case 'crash':
      world.crash();
      break;
    case 'time':
      world.now += next.passesMs;
      break;
  }
}

const BUILD_ENDS = [
  ['SUCCEEDED', undefined],
  ['SUCCEEDED', undefined],
  ['SUCCEEDED', undefined],
  ['FAILED', 'exit status 1'],
  ['FAULT', 'interrupted: the region ended'],
  ['TIMED_OUT', undefined],
  ['STOPPED', undefined],
] as const;
const DEPLOYMENT_ENDS = [
  'SUCCESSFUL',
  'SUCCESSFUL',
  'SUCCESSFUL',
  'ROLLBACK_SUCCESSFUL',
  'ROLLBACK_FAILED',
  'STOPPED',
] as const;

function answerTo(question: Action, how: number): Outcome {
  const failed: Outcome = { kind: 'failed', failure: 'connect ECONNREFUSED' };
  switch (question.kind) {
    case 'ReadCommit':
      if (how % 8 === 0) return failed;
      if (how % 8 === 1) return { kind: 'commit-unknown', message: 'no such commit' };
      return {
        kind: 'commit',
        commit: { id: question.commit, subject: 'x', author: { name: 'a', email: 'b' }, authoredAt: 1 },
      };
    case 'AskPeer': {
      const release = {
        commit: question.commit,
        digest: `sha256:${question.key}`,
        builtIn: 'us-west-2',
        builtAt: 1,
      };
      const answers: Outcome[] = [
        { kind: 'peer', answer: { state: 'built', release } },
        { kind: 'peer', answer: { state: 'building' } },
        { kind: 'peer', answer: { state: 'absent' } },
        { kind: 'peer', answer: { state: 'failed', cause: 'exit status 1' } },
        failed,
      ];
      return answers[how % answers.length]!;
    }
    case 'PullImage':
      return how % 3 === 0 ? failed : { kind: 'pulled' };
    case 'StartBuild':
    case 'StopBuild':
    case 'StartDeployment':
    case 'StopDeployment':
      throw new Error(`${question.kind} is answered at once`);
    default:
      return unreachable(question);
  }
}

/** As the region process does: not once a newer execution has come to the stage. */
function retryAny(world: World, index: number): void {
  const record = pick(
    world.records.filter(({ execution }) => ['Failed', 'Stopped', 'RolledBack'].includes(execution.status)),
    index,
  );
  if (!record) return;
  const { execution } = record;
  const stage = STAGE_NAMES.indexOf(stageToRetry(execution));
  const overtaking = world.records.find(
    other =>
      other.execution.number > execution.number &&
      (other.execution.trigger.kind !== 'rollback' || stage === STAGE_NAMES.indexOf('Production')) &&
      other.execution.stages.findLastIndex(({ status }) => status !== 'NotStarted' && status !== 'Skipped') >=
        stage,
  );
  if (world.settings.mode === 'PARALLEL' || !overtaking) world.retry(execution.number);
}

/** The faults are over: every question is answered well, everything that runs succeeds, time passes. */
function heal(world: World, watch: Watch): void {
  for (let round = 0; round < 1_000; round += 1) {
    if (world.records.every(record => isEnded(record.execution))) return;
    for (const question of world.questions.values())
      world.answer(question.key, answerTo(question, 1_000 * 5 * 7 + 5));
    world.tick();
    for (const build of runningBuilds(world)) world.endBuild(build.id, 'SUCCEEDED');
    world.tick();
    for (const deployment of runningDeployments(world)) world.endDeployment(deployment.id, 'SUCCESSFUL');
    world.tick();
    world.now = world.lastDecision?.waiting?.until ?? world.now;
    world.tick();
    watch.check();
  }
}

/** What must be true after every turn, and between one turn and the next. */
class Watch {
  readonly #world: World;
  readonly #entered = new Map<StageName, number>();
  readonly #ended = new Map<string, Execution>();
  #seenEvents = 0;

  constructor(world: World) {
    this.#world = world;
  }

  check(): void {
    this.#decidingAgainChangesNothing();
    for (const { execution } of this.#world.records) {
      stagesAreInOrder(execution);
      deploysWhatWasBuilt(this.#world, execution);
      this.#endsOnce(execution);
    }
    if (this.#world.settings.mode !== 'PARALLEL') this.#stagesAreLocked();
    this.#olderNeverFollowsNewer();
  }

  #decidingAgainChangesNothing(): void {
    const { settings, records, observed, now, lastDecision } = this.#world;
    const again = decide(settings, { records }, observed, now);
    expect(again.state.records).toBe(records);
    expect(again.events).toEqual([]);
    expect(again.ledger).toEqual([]);
    expect(again.actions.map(action => action.key)).toEqual(lastDecision?.actions.map(action => action.key));
    expect(new Set(again.actions.map(action => action.key)).size).toBe(again.actions.length);
  }

  #stagesAreLocked(): void {
    for (const name of STAGE_NAMES) {
      const holders = this.#world.records.filter(({ execution }) => {
        const stage = execution.stages.find(candidate => candidate.name === name);
        return stage && HOLDING.has(stage.status);
      });
      expect(holders.length, `executions in ${name}`).toBeLessThanOrEqual(1);
    }
    for (const service of ['staging', 'production'] as const) {
      const running = runningDeployments(this.#world).filter(deployment => deployment.service === service);
      expect(running.length, `deployments to ${service}`).toBeLessThanOrEqual(1);
    }
  }

  /** Holds for rollbacks, too, except that a person may approve an older commit after a rollback. */
  #olderNeverFollowsNewer(): void {
    const fresh = this.#world.events.slice(this.#seenEvents);
    this.#seenEvents = this.#world.events.length;
    if (this.#world.settings.mode === 'PARALLEL') return;
    for (const event of fresh) {
      if (event.type !== 'StageStarted') continue;
      const number = Number(event.data['number']);
      const stage = event.data['stage'] as StageName;
      if (this.#world.execution(number).trigger.kind === 'rollback') continue;
      expect(number, `order in ${stage}`).toBeGreaterThanOrEqual(this.#entered.get(stage) ?? 0);
      this.#entered.set(stage, number);
    }
  }

  /** What has ended never changes, unless it is retried. */
  #endsOnce(execution: Execution): void {
    const before = this.#ended.get(execution.id);
    if (before && isEnded(execution)) {
      const attempts = (of: Execution) => of.stages.reduce((sum, stage) => sum + stage.attempt, 0);
      if (attempts(before) === attempts(execution) && before.endedAt === execution.endedAt) {
        expect(execution).toEqual(before);
      }
    }
    if (isEnded(execution)) this.#ended.set(execution.id, execution);
    else this.#ended.delete(execution.id);
    expect(isEnded(execution)).toBe(execution.endedAt !== undefined);
    expect(execution.cause === undefined).toBe(execution.status === 'Succeeded' || !isEnded(execution));
  }
}

const HOLDING: ReadonlySet<StageState['status']> = new Set(['InProgress', 'Waiting', 'Stopping']);
const DONE: ReadonlySet<StageState['status']> = new Set(['Succeeded', 'Skipped']);

function stagesAreInOrder(execution: Execution): void {
  const current = STAGE_NAMES.indexOf(execution.stage);
  execution.stages.forEach((stage, index) => {
    if (index < current) expect(DONE, `${stage.name} before ${execution.stage}`).toContain(stage.status);
    if (index > current) {
      const isUntouched = stage.status === 'NotStarted' || stage.name === 'Approval';
      expect(isUntouched, `${stage.name} is ${stage.status} after ${execution.stage}`).toBe(true);
    }
  });
  const isUnderWay = !isEnded(execution);
  const status = execution.stages[current]!.status;
  if (isUnderWay) expect(HOLDING.has(status) || status === 'Queued').toBe(true);
  if (execution.status === 'Succeeded')
    expect(execution.stages.every(stage => DONE.has(stage.status))).toBe(true);
}

function deploysWhatWasBuilt(world: World, execution: Execution): void {
  const deployments = [...world.deployments.values()].filter(({ id }) => id.startsWith(`${execution.id}/`));
  for (const deployment of deployments) expect(deployment.release).toEqual(execution.release);
  if (execution.trigger.kind === 'rollback') return;
  const production = deployments.find(deployment => deployment.service === 'production');
  const proof = deployments.find(
    deployment => deployment.service === 'staging' && deployment.status === 'SUCCESSFUL',
  );
  if (production) expect(proof?.release.digest).toBe(production.release.digest);
}

function runningBuilds(world: World) {
  return [...world.builds.values()].filter(build => build.status === 'IN_PROGRESS');
}

function runningDeployments(world: World) {
  return [...world.deployments.values()].filter(({ status }) => !ENDED_DEPLOYMENT_STATUSES.has(status));
}

function productionReleases(world: World) {
  return world.ledger
    .filter(entry => entry.kind === 'deployed' && entry.environment === 'production')
    .map(entry => entry.release);
}

function isEnded(execution: Execution): boolean {
  return ENDED_EXECUTION_STATUSES.has(execution.status);
}

function pick<Item>(items: readonly Item[], index: number): Item | undefined {
  return items.length === 0 ? undefined : items[index % items.length];
}
