import { describe, expect, test } from 'vitest';
import { configSchema, type DeploymentConfig } from '../../model/config/schema.ts';
import type { Release } from '../../model/release.ts';
import { failureThreshold } from './circuit-breaker.ts';
import { decide, type Action, type Decision } from './decide.ts';
import type { Observed, ObservedTask } from './observed.ts';
import { beginDeployment, newService, requestStop, type ServiceState } from './service-state.ts';

const FIRST = release('a');
const SECOND = release('b');

describe('a first deployment', () => {
  test('starts every task at once, spread over the zones', () => {
    const { actions, waiting } = decide(deploying(), observed([]), 0);
    expect(actions).toEqual([
      { kind: 'start-task', number: 1, deploymentId: 'd1', release: FIRST, zone: 'a' },
      { kind: 'start-task', number: 2, deploymentId: 'd1', release: FIRST, zone: 'b' },
    ]);
    expect(waiting?.for).toBe('0 of 2 new tasks healthy');
  });

  test('is steady when all are healthy, bakes, and then succeeds', () => {
    const tasks = [healthy('t1'), healthy('t2')];
    const steady = decide(deploying(), observed(tasks), 1_000);
    expect(kinds(steady)).toEqual(['deployment-steady', 'service-steady']);
    expect(steady.waiting).toEqual({ for: 'the bake to end', until: 6_000 });
    const baking = decide(steady.state, observed(tasks), 5_999);
    expect(baking.state.deployment?.status).toBe('IN_PROGRESS');
    const done = decide(baking.state, observed(tasks), 6_000);
    expect(done.state.deployment).toMatchObject({ status: 'SUCCESSFUL', steadyAt: 1_000, endedAt: 6_000 });
    expect(done.state.settled).toEqual({ deploymentId: 'd1', release: FIRST });
    expect(done.waiting).toBeUndefined();
  });

  test('bakes anew after a task failed in the bake: the release must stay healthy for the whole of it', () => {
    const steady = decide(deploying(), observed([healthy('t1'), healthy('t2')]), 1_000);
    const hit = decide(steady.state, observed([failed('t1', 'exited with code 1'), healthy('t2')]), 4_000);
    const tasks = [healthy('t2'), healthy('t3')];
    const atFirstEnd = decide(hit.state, observed(tasks), 6_000);
    expect(atFirstEnd.state.deployment?.status).toBe('IN_PROGRESS');
    expect(atFirstEnd.waiting).toEqual({ for: 'the bake to end', until: 9_000 });
    expect(decide(atFirstEnd.state, observed(tasks), 9_000).state.deployment?.status).toBe('SUCCESSFUL');
  });

  test('whose tasks keep failing ends in ROLLBACK_FAILED, says why, and stops what is left', () => {
    const failing = decide(
      deploying(),
      observed([
        failed('t1', 'exited with code 1: Error: no'),
        failed('t2', 'exited with code 1: Error: no'),
      ]),
      10,
    );
    expect(failing.state.deployment).toMatchObject({ status: 'IN_PROGRESS', failedTasks: 2 });
    const over = decide(
      failing.state,
      observed([failed('t3', 'exited with code 1: Error: no'), healthy('t4')]),
      20,
    );
    expect(over.state.deployment).toMatchObject({
      status: 'ROLLBACK_FAILED',
      failedTasks: 3,
      cause:
        '3 tasks in a row exited with code 1: Error: no; there is no earlier release to go back to, so its tasks were stopped',
    });
    expect(stopped(over)).toEqual(['t4']);
    expect(decide(over.state, observed([]), 30).actions).toEqual([]);
  });

  test('with a desired count of zero succeeds without a task', () => {
    const { state, actions } = decide(deploying(), observed([], { desiredCount: 0 }), 0);
    expect(actions).toEqual([]);
    expect(state.deployment?.status).toBe('SUCCESSFUL');
  });
});

describe('a rolling deployment', () => {
  const old = [healthy('o1'), healthy('o2', { zone: 'b' })];

  test('at 100/200 starts the new tasks beside the old ones and stops an old one for each healthy new one', () => {
    const begun = decide(deploying(SECOND), observed(old), 0);
    expect(begun.actions.map(({ kind }) => kind)).toEqual(['start-task', 'start-task']);
    const starting = [task('n1', { phase: 'starting' }), task('n2', { zone: 'b' })];
    expect(decide(begun.state, observed([...old, ...starting]), 1).actions).toEqual([]);
    const one = decide(begun.state, observed([...old, healthy('n1'), task('n2', { zone: 'b' })]), 2);
    expect(stopped(one)).toHaveLength(1);
    const both = decide(begun.state, observed([...old, healthy('n1'), healthy('n2')]), 3);
    expect(stopped(both)).toEqual(expect.arrayContaining(['o1', 'o2']));
    expect(both.actions[0]).toMatchObject({ reason: 'Scaling activity initiated by (deployment d2)' });
  });

  test('at 50/100 makes room first, never below half', () => {
    const narrow = { minimumHealthyPercent: 50, maximumPercent: 100 };
    const begun = decide(deploying(SECOND), observed(old, narrow), 0);
    expect(stopped(begun)).toHaveLength(1);
    expect(begun.actions.filter(({ kind }) => kind === 'start-task')).toHaveLength(1);
    const left = old.filter(({ id }) => !stopped(begun).includes(id));
    const next = decide(begun.state, observed([...left, task('n1')], narrow), 1);
    expect(next.actions).toEqual([]);
  });

  test('says so, once, when the percentages permit neither a stop nor a start', () => {
    const stuck = { minimumHealthyPercent: 100, maximumPercent: 150, desiredCount: 1 };
    const begun = decide(deploying(SECOND), observed(old.slice(0, 1), stuck), 0);
    expect(begun.actions).toEqual([]);
    expect(kinds(begun)).toEqual(['deployment-blocked']);
    expect(begun.waiting?.for).toContain('minimumHealthyPercent (100) or maximumPercent (150)');
    expect(kinds(decide(begun.state, observed(old.slice(0, 1), stuck), 1))).toEqual([]);
  });

  test('is not steady before the old tasks are gone, and tells what they still do', () => {
    const leaving = task('o1', { phase: 'stopping', requestsInFlight: 3 });
    const { state, waiting } = decide(
      deploying(SECOND),
      observed([leaving, healthy('n1'), healthy('n2')]),
      0,
    );
    expect(state.deployment?.steadyAt).toBeUndefined();
    expect(waiting?.for).toBe('1 old task draining: 3 requests in flight');
  });

  test('that fails too often goes back to the last good release, once its own tasks are gone', () => {
    let { state } = decide(deploying(SECOND), observed(old), 0);
    for (const [index, id] of ['n1', 'n2', 'n3'].entries()) {
      const tasks = [...old, failed(id, 'exited with code 1'), healthy('n4')];
      state = decide(state, observed(tasks), 10 + index).state;
    }
    expect(state.deployment).toMatchObject({
      status: 'ROLLBACK_IN_PROGRESS',
      cause: '3 tasks in a row exited with code 1',
    });
    const after = decide(state, observed(old), 20);
    expect(after.state.deployment).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL', failedTasks: 3 });
    expect(after.state.settled?.release).toEqual(FIRST);
    expect(after.actions).toEqual([]);
  });

  test('that becomes unhealthy while it bakes goes back, although replacements are healthy for a moment', () => {
    let { state } = decide(deploying(SECOND), observed([healthy('n1'), healthy('n2')]), 0);
    const sick = (id: string) => failing(id, 'did not answer health checks on /health');
    state = decide(state, observed([sick('n1'), sick('n2')]), 100).state;
    state = decide(state, observed([healthy('n3', { healthySince: 150 }), healthy('n4')]), 150).state;
    expect(state.deployment?.status).toBe('IN_PROGRESS');
    const { deployment } = decide(state, observed([sick('n3'), healthy('n4')]), 200).state;
    expect(deployment).toMatchObject({
      status: 'ROLLBACK_IN_PROGRESS',
      cause: '3 tasks in a row did not answer health checks on /health',
    });
  });

  test('without rollback stops in place: nothing new starts, nothing healthy is stopped', () => {
    const breaker = { enabled: true, rollback: false };
    let { state } = decide(deploying(SECOND), observed(old, { circuitBreaker: breaker }), 0);
    const failures = ['n1', 'n2', 'n3'].map(id => failed(id, 'exited with code 1'));
    const over = decide(state, observed([...old, ...failures], { circuitBreaker: breaker }), 1);
    expect(over.state.deployment).toMatchObject({
      status: 'STOPPED',
      cause: '3 tasks in a row exited with code 1',
    });
    ({ state } = over);
    expect(decide(state, observed([...old, healthy('n4')], { circuitBreaker: breaker }), 2).actions).toEqual(
      [],
    );
  });

  test('just after an outage takes away nothing that runs before its replacement is healthy', () => {
    const returned = [task('o1'), task('o2', { zone: 'b', phase: 'starting' })];
    const begun = decide(deploying(SECOND), observed(returned), 0);
    expect(begun.actions.map(({ kind }) => kind)).toEqual(['start-task', 'start-task']);
    const one = decide(begun.state, observed([...returned, healthy('n1'), task('n2', { zone: 'b' })]), 1);
    expect(stopped(one)).toEqual(['o2']);
    const left = [task('o1'), healthy('n1'), task('n2', { zone: 'b' })];
    expect(decide(one.state, observed(left), 2).actions).toEqual([]);
    expect(stopped(decide(one.state, observed([task('o1'), healthy('n1'), healthy('n2')]), 3))).toEqual([
      'o1',
    ]);
  });

  test('lets go at once of tasks that never were healthy where enough others are', () => {
    const superseding = beginDeployment(deploying(SECOND), revision('d3', SECOND), 5).state;
    expect(stopped(decide(superseding, observed([...old, task('n1'), task('n2')]), 6))).toEqual(
      expect.arrayContaining(['n1', 'n2']),
    );
  });

  test('gives way to a newer one', () => {
    const { state, superseded } = beginDeployment(deploying(SECOND), revision('d3', FIRST), 5);
    expect(superseded).toMatchObject({ id: 'd2', status: 'STOPPED', endedAt: 5 });
    expect(superseded?.cause).toContain('newer deployment');
    expect(state.deployment).toMatchObject({ id: 'd3', status: 'PENDING' });
  });
});

describe('stopping a deployment', () => {
  const old = [healthy('o1'), healthy('o2')];

  test('ABORT leaves everything as it is, and keeps the service at its desired count', () => {
    const aborted = decide(requestStop(deploying(SECOND), 'ABORT'), observed([...old, healthy('n1')]), 1);
    expect(aborted.actions).toEqual([]);
    expect(aborted.state.deployment?.status).toBe('STOPPED');
    const short = decide(aborted.state, observed([healthy('n1')]), 2);
    expect(short.actions).toEqual([expect.objectContaining({ kind: 'start-task', release: FIRST })]);
  });

  test('ROLLBACK goes back to the last good release', () => {
    const back = decide(requestStop(deploying(SECOND), 'ROLLBACK'), observed([...old, task('n1')]), 1);
    expect(back.state.deployment?.status).toBe('ROLLBACK_IN_PROGRESS');
    expect(stopped(back)).toEqual(['n1']);
    expect(decide(back.state, observed(old), 2).state.deployment?.status).toBe('ROLLBACK_SUCCESSFUL');
  });

  test('an ended deployment stays ended', () => {
    const ended = decide(requestStop(deploying(SECOND), 'ABORT'), observed(old), 1).state;
    expect(requestStop(ended, 'ROLLBACK')).toBe(ended);
  });
});

describe('a service between deployments', () => {
  test('replaces a failed task at once, and waits longer each time it fails again', () => {
    const state = settledOn(FIRST);
    const first = decide(state, observed([failed('t1', 'exited with code 1'), healthy('t2')]), 1_000);
    expect(first.actions).toHaveLength(1);
    const again = decide(
      first.state,
      observed([failed('t3', 'exited with code 1', 1_000), healthy('t2')]),
      1_100,
    );
    expect(again.actions).toEqual([]);
    expect(again.waiting).toMatchObject({ until: 1_300 });
    expect(decide(again.state, observed([healthy('t2')]), 1_300).actions).toHaveLength(1);
  });

  test('starts a replacement for an unhealthy task before it stops it', () => {
    const sick = failing('t1', 'did not answer');
    const first = decide(settledOn(FIRST), observed([sick, healthy('t2')]), 1);
    expect(first.actions.map(({ kind }) => kind)).toEqual(['start-task']);
    const then = decide(first.state, observed([sick, healthy('t2'), healthy('t3')]), 2);
    expect(then.actions).toEqual([{ kind: 'stop-task', taskId: 't1', reason: 'reason of t1' }]);
  });

  test('follows the desired count, keeping the spread over zones', () => {
    const tasks = [healthy('t1'), healthy('t2', { zone: 'b' }), healthy('t3'), healthy('t4', { zone: 'b' })];
    expect(stopped(decide(settledOn(FIRST), observed(tasks), 1))).toHaveLength(2);
    expect(decide(settledOn(FIRST), observed(tasks, { desiredCount: 6 }), 1).actions).toHaveLength(2);
    expect(stopped(decide(settledOn(FIRST), observed(tasks, { desiredCount: 0 }), 1))).toHaveLength(4);
  });

  test('stops nothing while nobody can tell how its tasks are', () => {
    const tasks = ['t1', 't2'].map(id => task(id, { healthySince: 1 }));
    expect(decide(settledOn(FIRST), observed(tasks), 10).actions).toEqual([]);
  });

  test('without a release places nothing', () => {
    expect(decide(newService('staging'), observed([]), 0)).toMatchObject({ actions: [], announcements: [] });
  });
});

test('the failure threshold is that of the ECS circuit breaker', () => {
  const threshold = (
    type: 'BOUNDED_PERCENT' | 'UNBOUNDED_PERCENT' | 'COUNT',
    value: number,
    desired: number,
  ) =>
    failureThreshold(
      { enabled: true, rollback: true, resetOnHealthyTask: true, threshold: { type, value } },
      desired,
    );
  expect([1, 25, 400, 1_000].map(desired => threshold('BOUNDED_PERCENT', 50, desired))).toEqual([
    3, 13, 200, 200,
  ]);
  expect(threshold('UNBOUNDED_PERCENT', 50, 1_000)).toBe(500);
  expect(threshold('COUNT', 7, 1)).toBe(7);
});

function release(letter: string): Release {
  return {
    commit: letter.repeat(40),
    digest: `sha256:${letter.repeat(64)}`,
    builtIn: 'us-east-1',
    builtAt: 0,
  };
}

function revision(deploymentId: string, of: Release) {
  return { deploymentId, release: of };
}

function settledOn(settled: Release): ServiceState {
  return { ...newService('staging'), settled: revision('d1', settled), steady: true };
}

/** Deployment `d1` of the first release, or `d2` of another after it. */
function deploying(to: Release = FIRST): ServiceState {
  if (to === FIRST) return beginDeployment(newService('staging'), revision('d1', FIRST), 0).state;
  return beginDeployment(settledOn(FIRST), revision('d2', to), 0).state;
}

type Settings = Partial<Omit<DeploymentConfig, 'circuitBreaker'>> & {
  circuitBreaker?: Partial<DeploymentConfig['circuitBreaker']>;
  desiredCount?: number;
};

function observed(
  tasks: ObservedTask[],
  { desiredCount = 2, circuitBreaker, ...rest }: Settings = {},
): Observed {
  const { deployment } = configSchema.parse({ application: 'storefront' });
  return {
    desiredCount,
    zones: ['a', 'b'],
    deployment: {
      ...deployment,
      ...rest,
      circuitBreaker: { ...deployment.circuitBreaker, ...circuitBreaker },
    },
    bakeTimeMs: 5_000,
    restartBackoff: { firstMs: 200, maximumMs: 30_000 },
    tasks,
  };
}

/** A task of deployment `d2` where its id begins with `n` (new), else of `d1`. */
function task(id: string, overrides: Partial<ObservedTask> = {}): ObservedTask {
  return {
    id,
    deploymentId: id.startsWith('n') ? 'd2' : 'd1',
    zone: 'a',
    phase: 'running',
    createdAt: 0,
    health: 'unknown',
    requestsInFlight: 0,
    ...overrides,
  };
}

function healthy(id: string, overrides: Partial<ObservedTask> = {}): ObservedTask {
  return task(id, { health: 'healthy', healthySince: 0, ...overrides });
}

function failing(id: string, phrase: string): ObservedTask {
  return task(id, { health: 'unhealthy', failure: { reason: `reason of ${id}`, phrase } });
}

function failed(id: string, phrase: string, createdAt = 0): ObservedTask {
  return task(id, { phase: 'stopped', createdAt, failure: { reason: 'stopped', phrase } });
}

function stopped({ actions }: { actions: Action[] }): string[] {
  return actions.flatMap(action => (action.kind === 'stop-task' ? [action.taskId] : []));
}

function kinds({ announcements }: Pick<Decision, 'announcements'>): string[] {
  return announcements.map(({ kind }) => kind);
}
