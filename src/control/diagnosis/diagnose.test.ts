import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../core/duration.ts';
import type {
  Finding,
  PortsObservation,
  RegionObservation,
  ServiceObservation,
  TaskStop,
} from '../../model/diagnosis.ts';
import { diagnose } from './diagnose.ts';

const NOW = 1_000 * HOUR_MS;
const replicationCommands = { events: 'show-events', peer: 'show-peer', merge: 'how to merge' };

test('nothing is said of a region where all is well', () => {
  expect(diagnose(observed())).toEqual([]);
});

describe('an application that cannot be reached', () => {
  const sick = {
    healthyTargets: 0,
    otherTargets: [{ id: 'a', state: 'unhealthy', reason: 'Target.Timeout' }],
  };

  test('is explained by a closed security group before anything else', () => {
    const [finding] = of(
      'unreachable',
      service({ ...sick, running: 0, ports: ports({ areTasksOpen: false }) }),
    );
    expect(finding).toMatchObject({
      severity: 'error',
      cause:
        'the application cannot be reached: the tasks’ security group is closed to the load balancer on port 8080',
      evidence: [
        { what: 'targets', seen: '0 of 2 healthy; the others: Target.Timeout' },
        { what: 'security groups', seen: 'sg-tasks lets sg-balancer not in on port 8080' },
      ],
    });
    expect(finding!.mend).toContain('tandem drift');
  });

  test('is found closed from outside though every target is healthy', () => {
    const [finding] = of('unreachable', service({ ports: ports({ isBalancerOpen: false }) }));
    expect(finding).toMatchObject({ severity: 'error', evidence: [{}, { what: 'security groups' }] });
  });

  test('is explained by a load balancer that may not reach the tasks', () => {
    const [finding] = of('unreachable', service({ ...sick, ports: ports({ isBalancerOpenToTasks: false }) }));
    expect(finding!.evidence[1]!.seen).toBe('sg-balancer lets nothing out to sg-tasks on port 8080');
  });

  test('is told by its tasks alone where target health cannot be seen', () => {
    const { healthyTargets: _, ...unseen } = service({ running: 1 });
    expect(of('unreachable', unseen)[0]).toMatchObject({
      severity: 'warning',
      evidence: [{ what: 'tasks' }, {}],
    });
    expect(of('unreachable', { ...unseen, running: 2 })).toEqual([]);
  });

  test('is explained by its tasks, with what they said last, when nothing is closed', () => {
    const [finding] = of(
      'unreachable',
      service({
        ...sick,
        running: 0,
        ports: ports({}),
        stops: [stop('Essential container in task exited', { exitCode: 3 })],
        logs: ['starting', 'Error: the price list is missing', 'Node.js v24.0.0'],
      }),
    );
    expect(finding!.cause).toBe(
      'the application cannot be reached: its tasks end with exit code 3: Error: the price list is missing',
    );
    expect(finding!.evidence.map(({ what }) => what)).toEqual([
      'targets',
      'security groups',
      'tasks',
      'logs',
    ]);
  });

  test.each([
    ['Target.Timeout', 'its health check is not answered in time'],
    [
      'Target.ResponseCodeMismatch',
      'its health check is answered, but not as service.healthCheck.matcher says',
    ],
    ['Target.FailedHealthChecks', 'nothing listens on the port of the service'],
  ])('is explained by %s when its tasks run', (reason, cause) => {
    const [finding] = of(
      'unreachable',
      service({ ...sick, otherTargets: [{ id: 'a', state: 'unhealthy', reason }] }),
    );
    expect(finding!.cause).toBe(`the application cannot be reached: ${cause}`);
    expect(finding!.evidence.map(({ what }) => what)).toEqual(['targets', 'tasks', 'logs']);
  });

  test('is a warning while some tasks serve, and nothing where none are wanted', () => {
    expect(of('unreachable', service({ healthyTargets: 1 }))[0]).toMatchObject({
      severity: 'warning',
      cause: 'too few tasks serve: its tasks are not found healthy',
    });
    expect(of('unreachable', service({ desired: 0, running: 0, healthyTargets: 0 }))).toEqual([]);
  });
});

test.each([
  ['CannotPullContainerError: manifest for shop@sha256:1 not found', 'the image is not in the registry'],
  ['CannotPullContainerError: pull access denied: 403 Forbidden', 'refuses the task’s execution role'],
  [
    'CannotPullContainerError: dial tcp 10.0.0.1:443: i/o timeout',
    'cannot be reached from the private subnets',
  ],
  ['CannotPullContainerError: toomanyrequests: You have reached your pull rate limit', 'limits how often'],
  ['CannotPullContainerError: no matching manifest for linux/arm64', 'for other processors'],
  ['CannotPullContainerError: something new', 'their image cannot be pulled'],
])('an image pull that fails is explained: %s', (reason, cause) => {
  const [finding] = of('image-pull', service({ running: 0, healthyTargets: 0, stops: [stop(reason)] }));
  expect(finding!.severity).toBe('error');
  expect(finding!.cause).toContain(cause);
  expect(finding!.evidence[1]).toEqual({ what: 'newest', seen: reason });
});

test('kills for memory name the next size that can be had; old ones are forgotten', () => {
  const kill = stop('OutOfMemoryError: Container killed due to memory usage', { exitCode: 137 });
  const [finding] = of('memory', service({ stops: [kill, kill] }));
  expect(finding).toMatchObject({
    severity: 'error',
    cause: 'tasks are killed for using more than 512 MB of memory',
  });
  expect(finding!.mend).toContain('service.memoryMb to 1024');
  expect(of('memory', service({ stops: [{ ...kill, at: NOW - 2 * HOUR_MS }] }))).toEqual([]);
});

describe('a build', () => {
  const commands = { logs: 'show-logs', retry: 'retry', stop: 'stop' };
  const build = { id: '#7', startedAt: NOW - 25 * MINUTE_MS, timeoutMs: HOUR_MS, commands };

  test('that failed says why', () => {
    const [finding] = inRegion('build', { build: { ...build, status: 'failed', cause: 'npm test: exit 1' } });
    expect(finding).toMatchObject({
      severity: 'error',
      cause: 'the newest build failed: npm test: exit 1',
      mend: 'mend what the log names (`show-logs`), and push; `retry` if it was chance',
    });
  });

  test.each([
    ['takes three times as long as usual', { usualMs: 5 * MINUTE_MS }, 'the build is stuck'],
    ['has used most of its time', { startedAt: NOW - 50 * MINUTE_MS }, 'the build is stuck'],
    ['waits in the queue', { phase: 'QUEUED' }, 'the build is not begun'],
  ])('that %s is a warning', (_what, more, cause) => {
    expect(inRegion('build', { build: { ...build, status: 'running', ...more } })[0]).toMatchObject({
      severity: 'warning',
      cause,
    });
  });

  test.each([
    ['takes as long as it usually does', { usualMs: 20 * MINUTE_MS }],
    ['is the first, and not long under way', {}],
  ])('that %s is fine', (_what, more) => {
    expect(inRegion('build', { build: { ...build, status: 'running', ...more } })).toEqual([]);
  });
});

test.each([
  ['behind', 30_000, undefined],
  ['behind', 5 * MINUTE_MS, 'warning'],
  ['unreachable', 5 * MINUTE_MS, 'error'],
  ['split', 0, 'error'],
  ['in-sync', 0, undefined],
] as const)('replication %s for %d ms', (state, lagMs, severity) => {
  const splits = [{ ref: 'refs/heads/main', here: 'a', there: 'b', mends: [] }];
  const status = { peer: 'us-west-2', state, pendingRefs: 1, lagMs, splits, commands: replicationCommands };
  expect(inRegion('replication', { replication: [status] })[0]?.severity).toBe(severity);
});

test('replication that does not go through is called behind though nobody knows of a commit that waits', () => {
  const message = 'no round to us-west-2 has gone through ever';
  const status = {
    peer: 'us-west-2',
    state: 'behind' as const,
    pendingRefs: 0,
    lagMs: HOUR_MS,
    splits: [],
    message,
    commands: replicationCommands,
  };
  expect(inRegion('replication', { replication: [status] })[0]).toMatchObject({
    cause: 'nothing goes from us-east-1 to us-west-2: whether it lacks commits is not known',
    evidence: [{ what: 'said', seen: message }],
  });
});

test('a lock is somebody at work, until an hour has passed', () => {
  const lock = { stack: 'us-east-1', who: 'ada@laptop', operation: 'OperationTypeApply' };
  const [fresh] = inRegion('state-lock', { locks: [{ ...lock, since: NOW - 5 * MINUTE_MS }] });
  expect(fresh).toMatchObject({ severity: 'notice', mend: 'ask ada@laptop, or wait' });
  const [stale] = inRegion('state-lock', { locks: [{ ...lock, since: NOW - 3 * HOUR_MS }] });
  expect(stale).toMatchObject({ severity: 'error' });
  expect(stale!.mend).toContain('`tandem unlock us-east-1`');
});

test('NAT is worth a word where one gateway would do, and a warning where traffic costs more than gateways', () => {
  const nat = { gateways: 2, usdPerMonth: 73, usdPerGb: 0.045 };
  expect(inRegion('nat-cost', { nat })[0]).toMatchObject({
    severity: 'notice',
    cause: '2 gateways cost 73 USD a month before any traffic',
  });
  expect(inRegion('nat-cost', { nat: { ...nat, trafficGb: 4000 } })[0]).toMatchObject({
    severity: 'warning',
    cause: 'traffic through NAT costs 180 USD a month, more than the gateways',
  });
  expect(inRegion('nat-cost', { nat: { ...nat, gateways: 1, usdPerMonth: 36 } })).toEqual([]);
});

function observed(overrides: Partial<RegionObservation> = {}): RegionObservation {
  const healthy = {
    region: 'us-east-1',
    at: NOW,
    services: [service()],
    replication: [],
    locks: [],
    unseen: [],
  };
  return { ...healthy, ...overrides };
}

function service(overrides: Partial<ServiceObservation> = {}): ServiceObservation {
  return {
    environment: 'production',
    desired: 2,
    running: 2,
    memoryMb: 512,
    healthyTargets: 2,
    otherTargets: [],
    stops: [],
    logs: [],
    commands: { logs: 'show-logs', rollBack: 'go-back' },
    ...overrides,
  };
}

function ports(overrides: Partial<PortsObservation>): PortsObservation {
  return {
    isBalancerOpen: true,
    isBalancerOpenToTasks: true,
    areTasksOpen: true,
    port: 8080,
    balancerGroup: 'sg-balancer',
    tasksGroup: 'sg-tasks',
    ...overrides,
  };
}

function stop(reason: string, overrides: Partial<TaskStop> = {}): TaskStop {
  return { taskId: 'task', at: NOW - MINUTE_MS, reason, ...overrides };
}

function inRegion(name: Finding['case'], overrides: Partial<RegionObservation>): Finding[] {
  return diagnose(observed(overrides)).filter(finding => finding.case === name);
}

function of(name: Finding['case'], observation: ServiceObservation): Finding[] {
  return inRegion(name, { services: [observation] });
}
