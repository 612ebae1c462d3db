import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomBelow, seededRandom, type Random } from '../../core/random.ts';
import { configSchema, type DeploymentConfig } from '../../model/config/schema.ts';
import { ENDED_DEPLOYMENT_STATUSES } from '../../model/deployment.ts';
import type { Release } from '../../model/release.ts';
import { failureThreshold } from './circuit-breaker.ts';
import { decide, type Decision } from './decide.ts';
import type { Observed, ObservedTask } from './observed.ts';
import {
  beginDeployment,
  deploymentUnderWay,
  newService,
  requestStop,
  targetOf,
  type ServiceState,
} from './service-state.ts';

/** How tasks of a release behave: well, dying at once, never answering, or well for a while and then dying. */
type Behaviour = 'good' | 'crash' | 'silent' | 'fades';

type Command =
  | { kind: 'deploy'; behaviour: Behaviour }
  | { kind: 'stop'; stopType: 'ABORT' | 'ROLLBACK' }
  | { kind: 'kill' }
  | { kind: 'scale'; desired: number }
  | { kind: 'balancer-silent'; isSilent: boolean };

/** `nextAt` is when something happens to it next. */
type SimulatedTask = ObservedTask & { behaviour: Behaviour; nextAt: number };

const behaviour = fc.constantFrom<Behaviour>('good', 'crash', 'silent', 'fades');
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ kind: fc.constant('deploy' as const), behaviour }),
  fc.record({ kind: fc.constant('stop' as const), stopType: fc.constantFrom('ABORT', 'ROLLBACK') }),
  fc.record({ kind: fc.constant('kill' as const) }),
  fc.record({ kind: fc.constant('scale' as const), desired: fc.nat(6) }),
  fc.record({ kind: fc.constant('balancer-silent' as const), isSilent: fc.boolean() }),
);
const percentages = fc
  .record({
    minimumHealthyPercent: fc.integer({ min: 0, max: 100 }),
    maximumPercent: fc.integer({ min: 100, max: 300 }),
  })
  .filter(({ minimumHealthyPercent, maximumPercent }) => minimumHealthyPercent < 100 || maximumPercent > 100);
const scenario = fc.record({
  seed: fc.integer(),
  desired: fc.nat(6),
  percentages,
  circuitBreaker: fc.record({
    enabled: fc.boolean(),
    rollback: fc.boolean(),
    resetOnHealthyTask: fc.boolean(),
  }),
  commands: fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), command), { maxLength: 12 }),
});

describe('whatever happens', { timeout: 120_000 }, () => {
  test('the controller keeps to the percentages, and settles when things behave', () => {
    fc.assert(
      fc.property(scenario, ({ seed, desired, percentages: wanted, circuitBreaker, commands }) => {
        const world = new World(seed, desired, { ...wanted, circuitBreaker });
        world.perform({ kind: 'deploy', behaviour: 'good' });
        for (const [ticks, next] of commands) {
          world.run(ticks);
          world.perform(next);
        }
        world.perform({ kind: 'balancer-silent', isSilent: false });
        world.perform({ kind: 'scale', desired: 4 });
        world.perform({ kind: 'deploy', behaviour: 'good' });
        world.settle();
        if (world.permitsSteps()) expect(world.state.deployment?.status).toBe('SUCCESSFUL');
      }),
      { numRuns: 150 },
    );
  });

  test('a deployment that can not work ends at the threshold, and the earlier release serves again', () => {
    fc.assert(
      fc.property(
        fc.record({ seed: fc.integer(), desired: fc.integer({ min: 1, max: 6 }), percentages }),
        fc.constantFrom<Behaviour>('crash', 'silent'),
        ({ seed, desired, percentages: wanted }, broken) => {
          const world = new World(seed, desired, wanted);
          world.perform({ kind: 'deploy', behaviour: 'good' });
          world.settle();
          if (!world.permitsSteps()) return;
          expect(world.state.deployment?.status).toBe('SUCCESSFUL');
          const good = world.state.settled;
          world.perform({ kind: 'deploy', behaviour: broken });
          world.settle();
          expect(world.state.deployment?.status).toBe('ROLLBACK_SUCCESSFUL');
          expect(world.state.settled).toEqual(good);
          // Tasks that fail in the same moment are counted together, so the count may pass the threshold a little.
          const threshold = failureThreshold(world.deployment.circuitBreaker, world.desired);
          expect(world.state.deployment?.failedTasks).toBeGreaterThanOrEqual(threshold);
          expect(world.failuresBeforeLast).toBeLessThan(threshold);
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** A simulated service: one seed decides how long everything takes. Checks every decision as it is applied. */
class World {
  state: ServiceState = newService('staging');
  desired: number;
  readonly deployment: DeploymentConfig;
  /** What the breaker had counted before its newest count. */
  failuresBeforeLast = 0;
  #now = 0;
  #releases = 0;
  #isSilent = false;
  #tasks: SimulatedTask[] = [];
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #random: Random;

  constructor(
    seed: number,
    desired: number,
    settings: Partial<Omit<DeploymentConfig, 'circuitBreaker'>> & {
      circuitBreaker?: Partial<DeploymentConfig['circuitBreaker']>;
    },
  ) {
    const { deployment } = configSchema.parse({ application: 'storefront' });
    const circuitBreaker = { ...deployment.circuitBreaker, ...settings.circuitBreaker };
    this.deployment = { ...deployment, ...settings, circuitBreaker };
    this.desired = desired;
    this.#random = seededRandom(seed);
  }

  /** Whether the percentages let a full service of this size be replaced at all. */
  permitsSteps(): boolean {
    const { minimumHealthyPercent, maximumPercent } = this.deployment;
    const minimum = Math.ceil((this.desired * minimumHealthyPercent) / 100);
    const maximum = Math.floor((this.desired * maximumPercent) / 100);
    return minimum < this.desired || maximum > this.desired;
  }

  perform(next: Command): void {
    if (next.kind === 'deploy') this.#deploy(next.behaviour);
    else if (next.kind === 'stop') this.state = requestStop(this.state, next.stopType);
    else if (next.kind === 'scale') this.desired = next.desired;
    else if (next.kind === 'balancer-silent') this.#isSilent = next.isSilent;
    else this.#kill();
  }

  run(ticks: number): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      this.#now += 50;
      for (const each of this.#tasks) this.#advance(each);
      this.#decideUntilQuiet();
      const isEnded = ENDED_DEPLOYMENT_STATUSES.has(this.state.deployment?.status ?? 'PENDING');
      if (isEnded && this.#tasks.every(({ phase }) => phase === 'running')) this.#checkSettled();
    }
  }

  /** Until the deployment has ended; what can not end runs long enough to show that it does not. */
  settle(): void {
    for (let tick = 0; tick < 3_000; tick += 1) {
      this.run(1);
      if (!deploymentUnderWay(this.state)) return;
    }
  }

  #decideUntilQuiet(): void {
    for (let round = 0; round < 20; round += 1) {
      const failuresBefore = this.state.attempt.failures;
      const before = this.#observe();
      const decision = decide(this.state, before, this.#now);
      if (
        decision.state.deployment?.status === 'ROLLBACK_IN_PROGRESS' ||
        decision.state.attempt.failures > failuresBefore
      ) {
        if (this.state.deployment?.status === 'IN_PROGRESS') this.failuresBeforeLast = failuresBefore;
      }
      this.#apply(decision);
      this.#apply(decision);
      this.#check(before, decision);
      const isQuiet =
        decision.actions.length === 0 && JSON.stringify(decision.state) === JSON.stringify(this.state);
      this.state = decision.state;
      this.#tasks = this.#tasks.filter(({ phase }) => phase !== 'stopped');
      if (isQuiet) return;
    }
    throw new Error('the controller never comes to rest');
  }

  #check(before: Observed, decision: Decision): void {
    const minimum = Math.ceil((this.desired * this.deployment.minimumHealthyPercent) / 100);
    const maximum = Math.floor((this.desired * this.deployment.maximumPercent) / 100);
    const live = this.#tasks.filter(({ phase }) => phase === 'starting' || phase === 'running');
    const starts = decision.actions.filter(({ kind }) => kind === 'start-task').length;
    if (starts > 0) expect(live.length).toBeLessThanOrEqual(maximum);
    const target = targetOf(decision.state);
    const kept = target ? minimum : 0;
    const healthyBefore = before.tasks.filter(({ health }) => health === 'healthy').length;
    const healthyAfter = live.filter(each => this.#healthOf(each) === 'healthy').length;
    if (!decision.state.held || target) {
      expect(healthyAfter).toBeGreaterThanOrEqual(Math.min(healthyBefore, kept));
    }
    // While too few are known to be healthy, what runs is what users reach.
    const running = before.tasks.filter(
      ({ phase, health }) => phase === 'running' && health !== 'unhealthy',
    ).length;
    const left = live.filter(each => each.phase === 'running' && this.#healthOf(each) !== 'unhealthy').length;
    expect(left).toBeGreaterThanOrEqual(Math.min(running, kept));
    if (!target || this.desired === 0) expect(starts).toBe(0);
    const underWay = deploymentUnderWay(decision.state);
    if (underWay && target && !decision.waiting) expect(underWay.steadyAt).toBeDefined();
  }

  /** With everything running and no deployment under way, only what the breaker could not replace may differ. */
  #checkSettled(): void {
    if (this.#isSilent || this.state.held || !this.state.settled) return;
    const healthy = this.#tasks.filter(each => this.#healthOf(each) === 'healthy').length;
    if (healthy === this.#tasks.length && this.state.steady) expect(healthy).toBe(this.desired);
  }

  #observe(): Observed {
    return {
      desiredCount: this.desired,
      zones: ['a', 'b'],
      deployment: this.deployment,
      bakeTimeMs: 1_000,
      restartBackoff: { firstMs: 200, maximumMs: 5_000 },
      tasks: this.#tasks.map(each => ({ ...each, health: this.#healthOf(each) })),
    };
  }

  #healthOf(each: ObservedTask): ObservedTask['health'] {
    return this.#isSilent || each.phase !== 'running' ? 'unknown' : each.health;
  }

  #deploy(kind: Behaviour): void {
    this.#releases += 1;
    const deploymentId = `d${this.#releases}`;
    this.#behaviours.set(deploymentId, kind);
    const release: Release = { commit: deploymentId, digest: deploymentId, builtIn: 'us-east-1', builtAt: 0 };
    this.state = beginDeployment(this.state, { deploymentId, release }, this.#now).state;
  }

  #kill(): void {
    const running = this.#tasks.filter(({ phase }) => phase === 'running');
    const victim = running[randomBelow(this.#random, Math.max(1, running.length))];
    if (victim) fail(victim, 'exited with code 137');
  }

  #apply(decision: Decision): void {
    for (const action of decision.actions) {
      if (action.kind === 'stop-task') {
        const found = this.#tasks.find(({ id }) => id === action.taskId);
        if (!found || found.phase === 'stopping' || found.phase === 'stopped') continue;
        found.phase = 'stopping';
        delete found.failure;
        found.nextAt = this.#soon(6);
      } else if (!this.#tasks.some(({ id }) => id === `t${action.number}`)) {
        this.#tasks.push({
          id: `t${action.number}`,
          deploymentId: action.deploymentId,
          zone: action.zone,
          phase: 'starting',
          createdAt: this.#now,
          health: 'unknown',
          requestsInFlight: 0,
          behaviour: this.#behaviours.get(action.deploymentId) ?? 'good',
          nextAt: this.#soon(6),
        });
      }
    }
  }

  #advance(each: SimulatedTask): void {
    if (this.#now < each.nextAt) return;
    each.nextAt = this.#soon(10);
    if (each.phase === 'starting') {
      if (each.behaviour === 'crash' && this.#random.next() < 0.5) fail(each, 'could not start');
      else each.phase = 'running';
    } else if (each.phase === 'stopping') {
      each.phase = 'stopped';
    } else if (each.phase === 'running') {
      this.#advanceRunning(each);
    }
  }

  #advanceRunning(each: SimulatedTask): void {
    if (each.behaviour === 'crash' || (each.behaviour === 'fades' && each.health === 'healthy')) {
      fail(each, 'exited with code 1');
    } else if (each.behaviour === 'silent') {
      each.health = 'unhealthy';
      each.failure = { reason: 'health', phrase: 'did not answer' };
    } else if (!this.#isSilent) {
      each.health = 'healthy';
      each.healthySince ??= this.#now;
    }
  }

  #soon(ticks: number): number {
    return this.#now + 50 * (1 + randomBelow(this.#random, ticks));
  }
}

function fail(each: ObservedTask, phrase: string): void {
  each.phase = 'stopped';
  each.failure = { reason: phrase, phrase };
}
