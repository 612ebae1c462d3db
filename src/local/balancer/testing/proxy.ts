import { seededRandom } from '../../../core/random.ts';
import { systemClock, type Clock } from '../../../platform/clock.ts';
import { freePort } from '../../../platform/network.ts';
import type { BalancerConfig, BalancerLimits, Listener, TargetGroup } from '../contract.ts';
import { DataPlane } from '../data-plane.ts';
import type { TargetAddress } from '../target.ts';

const ADDRESS = '127.0.0.1';

const LIMITS: BalancerLimits = {
  idleTimeoutMs: 60_000,
  clientKeepAliveMs: 3_600_000,
  bodyBytes: 10_485_760,
};

/** A target group of which a test names only what it is about. */
export function targetGroup(
  targets: readonly TargetAddress[],
  overrides: Partial<TargetGroup> = {},
): TargetGroup {
  return {
    name: 'blue',
    algorithm: 'round_robin',
    healthCheck: {
      path: '/health',
      intervalMs: 200,
      initialIntervalMs: 20,
      timeoutMs: 2_000,
      healthyThreshold: 2,
      unhealthyThreshold: 2,
      matcher: '200',
    },
    deregistrationDelayMs: 60_000,
    drainingEndsWhenIdle: true,
    slowStartMs: 0,
    targets,
    ...overrides,
  };
}

/** One listener, `port`, that forwards to all groups with the same weight. */
export function configOf(
  port: number,
  targetGroups: readonly TargetGroup[],
  overrides: {
    limits?: Partial<BalancerLimits>;
    listeners?: readonly Listener[];
    logsRequests?: boolean;
  } = {},
): BalancerConfig {
  const forward = targetGroups.map(({ name }) => ({ targetGroup: name, weight: 1 }));
  return {
    listeners: overrides.listeners ?? [{ name: 'production', address: ADDRESS, port, forward }],
    targetGroups,
    limits: { ...LIMITS, ...overrides.limits },
    ...(overrides.logsRequests !== undefined && { logsRequests: overrides.logsRequests }),
  };
}

export interface TestProxy {
  port: number;
  plane: DataPlane;
  apply(targetGroups: readonly TargetGroup[], overrides?: Parameters<typeof configOf>[2]): Promise<void>;
  /** Resolves when the condition holds; it is looked at after every change of health or draining. */
  until(condition: () => boolean): Promise<void>;
  /** Resolves when every registered target is healthy. */
  allHealthy(): Promise<void>;
  /** `blue: a healthy, b draining` */
  health(): Record<string, string>;
  close(): Promise<void>;
}

/** The data path in this process: the same code that the balancer process runs. */
export async function startProxy(
  targetGroups: readonly TargetGroup[],
  overrides: Parameters<typeof configOf>[2] = {},
  clock: Clock = systemClock,
): Promise<TestProxy> {
  const waiting = new Set<() => void>();
  const plane = new DataPlane(clock, seededRandom(1), () => waiting.forEach(look => look()));
  const port = await freePort(ADDRESS);
  const targets = () => plane.state().targetGroups.flatMap(group => group.targets);
  const proxy: TestProxy = {
    port,
    plane,
    apply: (groups, more = overrides) => plane.apply(configOf(port, groups, more), () => undefined),
    until: condition =>
      new Promise(resolve => {
        const look = () => {
          if (!condition()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    allHealthy: () => proxy.until(() => targets().every(({ health }) => health.state === 'healthy')),
    health: () => Object.fromEntries(targets().map(({ id, health }) => [id, health.state])),
    close: () => plane.close(0),
  };
  await proxy.apply(targetGroups);
  return proxy;
}
