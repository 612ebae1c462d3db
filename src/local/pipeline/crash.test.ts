import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DAY_MS } from '../../core/duration.ts';
import { ENDED_EXECUTION_STATUSES } from '../../model/execution.ts';
import { systemClock } from '../../platform/clock.ts';
import { openDatabase, type Database } from '../../platform/database.ts';
import type { ServiceContext } from '../context.ts';
import { createEventLog } from '../telemetry/event-log.ts';
import { testContext } from '../testing/context.ts';
import type { Neighbours } from './action-doer.ts';
import type { Pipeline } from './contract.ts';
import { createPipeline } from './pipeline.ts';
import { testNeighbours, type TestNeighbours } from './test-doubles.ts';

/*
 * The pipeline dies before and after each thing that it does to the world or to its database, once per run, as kill
 * -9 would have it: from that moment it can neither act nor write. A new one on the same files must bring the
 * execution to its end, with one build and one deployment per environment.
 */

const COMMIT = 'c0de'.repeat(10);
const timing = { approvalExpiresAfterMs: 7 * DAY_MS, buildTimeoutMs: 60_000 };

test('whatever the moment of a crash, the next start goes on and nothing is done twice', async () => {
  let crashes = 0;
  for (let step = 1; ; step += 1) {
    const hasCrashed = await deliverWithCrashAt(step);
    if (!hasCrashed) break;
    crashes += 1;
  }
  expect(crashes).toBeGreaterThan(40);
});

async function deliverWithCrashAt(step: number): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-pipeline-'));
  const neighbours = testNeighbours();
  const log = openDatabase(join(folder, 'telemetry.db'), { durability: 'normal' });
  try {
    const isDead = await live(folder, log, neighbours, new Mortal(step));
    if (isDead) {
      await live(folder, log, neighbours, new Mortal(Number.POSITIVE_INFINITY));
      await check(folder, log, neighbours, `crash at step ${step}`);
    }
    return isDead;
  } finally {
    log.close();
    await rm(folder, { recursive: true });
  }
}

/** One life of the pipeline, to its death or the end of the execution. True where it died. */
async function live(
  folder: string,
  log: Database,
  neighbours: TestNeighbours,
  mortal: Mortal,
): Promise<boolean> {
  const context = mortalContext(folder, log, mortal);
  let pipeline: Pipeline | undefined;
  try {
    pipeline = createPipeline(context, { ...mortalNeighbours(neighbours, mortal), timing });
    await pipeline.start();
    // The repository tells a push again until it was taken without an error.
    pipeline.handleRefChange({ sequence: 1, ref: 'refs/heads/main', after: COMMIT, by: 'ada' });
    await Promise.race([mortal.death, deliver(pipeline, mortal)]);
  } catch (error) {
    if (!mortal.isDead) throw error;
  }
  await pipeline?.stop();
  if (!mortal.isDead) mortal.end();
  return mortal.isKilled;
}

function mortalContext(folder: string, log: Database, mortal: Mortal): ServiceContext {
  const base = testContext(folder);
  mortal.onEnd(() => base.database.close());
  const events = mortal.wrap(createEventLog(log, base.region, 30, systemClock));
  return { ...base, events, database: mortal.wrap(base.database) };
}

function mortalNeighbours(neighbours: TestNeighbours, mortal: Mortal): Neighbours {
  const { repository, build, registry, compute } = neighbours;
  return {
    repository: mortal.wrap(repository),
    build: mortal.wrap(build),
    registry: mortal.wrap(registry),
    compute: mortal.wrap(compute),
  };
}

/** Approves when asked, and resolves with the end of the execution. */
function deliver(pipeline: Pipeline, mortal: Mortal): Promise<void> {
  return new Promise((resolve, reject) => {
    const limit = systemClock.after(10_000, () => reject(new Error(JSON.stringify(pipeline.executions(1)))));
    mortal.onEnd(() => limit.cancel());
    const look = () => {
      const [newest] = pipeline.executions(1);
      if (newest?.status === 'Waiting') {
        pipeline.approve({ executionId: newest.id, by: 'grace', comment: '' });
      } else if (newest && ENDED_EXECUTION_STATUSES.has(newest.status)) {
        resolve();
      }
    };
    pipeline.onChange(() => {
      try {
        look();
      } catch {
        // Killed while it was looking: the death is told elsewhere.
      }
    });
    look();
  });
}

async function check(folder: string, log: Database, neighbours: TestNeighbours, when: string): Promise<void> {
  const context = testContext(folder);
  const pipeline = createPipeline(context, { ...neighbours, timing });
  const succeeded = { number: 1, status: 'Succeeded', commit: { id: COMMIT } };
  expect(pipeline.executions(10), when).toMatchObject([succeeded]);
  expect(pipeline.releases(), when).toHaveLength(1);
  context.database.close();
  expect(neighbours.builds.size, when).toBe(1);
  const services = [...neighbours.deployments.values()].map(deployment => deployment.service);
  expect(services, when).toEqual(['staging', 'production']);
  // A crash between the telling and the forgetting tells again what was told; by their messages they are the same.
  const told = new Map<string, string>();
  const events = createEventLog(log, context.region, 30, systemClock).read({ limit: 1_000 });
  for await (const { type, message } of events) if (type !== 'ReconcileFailed') told.set(message, type);
  expect([...told.values()], when).toEqual(EXPECTED_EVENTS);
}

/** Wraps what the pipeline uses; at the given step, before or after it was done, everything ends. */
class Mortal {
  isDead = false;
  isKilled = false;
  readonly death: Promise<void>;
  #left: number;
  #endings: (() => void)[] = [];
  #tell: () => void = () => undefined;

  constructor(step: number) {
    this.#left = step;
    this.death = new Promise(resolve => {
      this.#tell = resolve;
    });
  }

  onEnd(ending: () => void): void {
    this.#endings.push(ending);
  }

  end(): void {
    this.isDead = true;
    for (const ending of this.#endings) ending();
    this.#tell();
  }

  wrap<Target extends object>(target: Target): Target {
    return new Proxy(target, {
      get: (object, name) => {
        const member: unknown = Reflect.get(object, name, object);
        if (typeof member !== 'function') return member;
        const isStep = STEPS.has(String(name));
        return (...values: unknown[]) => {
          if (isStep) this.#step();
          if (this.isDead) throw new Error('killed');
          const result: unknown = Reflect.apply(member, object, values);
          if (isStep) this.#step();
          return result;
        };
      },
    });
  }

  #step(): void {
    this.#left -= 1;
    if (this.#left !== 0) return;
    this.isKilled = true;
    this.end();
    throw new Error('killed');
  }
}

/** What changes something: the database's transactions, the event log, and the neighbours' work. */
const STEPS = new Set(['exec', 'append', 'startBuild', 'startDeployment', 'commit', 'applyLifecycle']);

const EXPECTED_EVENTS = (
  'ExecutionStarted StageStarted StageSucceeded StageStarted StageSucceeded StageStarted StageSucceeded ' +
  'StageStarted ApprovalNeeded ApprovalGiven StageSucceeded StageStarted StageSucceeded ExecutionSucceeded'
).split(' ');
