import { assert } from '../../core/assert.ts';
import type { Random } from '../../core/random.ts';
import type { Clock, Timer } from '../../platform/clock.ts';
import type { BalancerConfig, BalancerCounters, BalancerState } from './contract.ts';
import { RESPONSE_TIME_BOUNDS_MS } from './counters.ts';
import { OutputSlab } from './output-slab.ts';
import type { ProxyContext } from './proxy-context.ts';
import { RequestLog } from './request-log.ts';
import { RunningListener } from './running-listener.ts';
import { RunningTargetGroup } from './target-group.ts';

/** Time limits are looked at this many times within the shortest of them. */
const SWEEPS_PER_LIMIT = 8;
const SHORTEST_SWEEP_MS = 10;
const LONGEST_SWEEP_MS = 1_000;

/** Before the first configuration nothing listens; these only have to be numbers. */
const NO_LIMITS = { idleTimeoutMs: 60_000, clientKeepAliveMs: 3_600_000, bodyBytes: Number.MAX_SAFE_INTEGER };

/** Everything that carries traffic: listeners, target groups, and the configuration that joins them. */
export class DataPlane {
  readonly requestLog: RequestLog;
  readonly #context: ProxyContext;
  /** Called after any change of health, draining or configuration. */
  readonly #onChange: () => void;
  readonly #startedAt: number;
  #listeners: RunningListener[] = [];
  /** No longer configured, with requests in flight. */
  readonly #closingListeners = new Set<RunningListener>();
  /** By name; the ones that are no longer configured stay until they have drained. */
  readonly #groups = new Map<string, RunningTargetGroup>();
  #configuredGroups: ReadonlySet<string> = new Set();
  #sweepTimer: Timer | undefined;

  constructor(clock: Clock, random: Random, onChange: () => void) {
    this.#onChange = onChange;
    this.#startedAt = clock.now();
    this.requestLog = new RequestLog(clock);
    this.#context = {
      clock,
      random,
      output: new OutputSlab(),
      limits: NO_LIMITS,
      requestLog: undefined,
      coarseNowMs: clock.monotonicMs(),
      sweepMs: LONGEST_SWEEP_MS,
      isClosing: false,
    };
  }

  /**
   * Puts a (valid) configuration in force: first everything that can fail, which is listening on new ports and
   * what `commit` does; then, in one go, everything else. Rejects with LISTENER_UNAVAILABLE and has changed
   * nothing then.
   */
  async apply(config: BalancerConfig, commit: () => void): Promise<void> {
    const opened = await this.#openNew(config);
    try {
      commit();
    } catch (error) {
      for (const listener of opened) void listener.close();
      throw error;
    }
    this.#context.limits = config.limits;
    this.#context.requestLog = config.logsRequests ? this.requestLog : undefined;
    this.#applyGroups(config);
    this.#applyListeners(config, opened);
    this.#restartSweeps();
    this.#onChange();
  }

  state(): BalancerState {
    const targetGroups = [...this.#groups.values()].map(group => ({
      name: group.name,
      targets: group.targets.map(target => target.status()),
    }));
    return { targetGroups };
  }

  counters(): BalancerCounters {
    return {
      startedAt: this.#startedAt,
      responseTimeBoundsMs: RESPONSE_TIME_BOUNDS_MS,
      listeners: this.#listeners.map(listener => listener.counter.snapshot(listener.name)),
      targetGroups: [...this.#groups.values()].map(group => group.counter.snapshot(group.name)),
    };
  }

  /** Takes no new connection, answers what is in flight with `connection: close`; after `graceMs` cuts what is left. */
  async close(graceMs: number): Promise<void> {
    this.#context.isClosing = true;
    const closing = this.#listeners.map(listener => this.#closeListener(listener));
    const deadline = this.#context.clock.after(graceMs, () => {
      for (const listener of this.#closingListeners) listener.cut();
    });
    await Promise.all(closing);
    deadline.cancel();
    this.#sweepTimer?.cancel();
    for (const group of this.#groups.values()) group.close();
  }

  async #closeListener(listener: RunningListener): Promise<void> {
    this.#closingListeners.add(listener);
    await listener.close();
    this.#closingListeners.delete(listener);
  }

  async #openNew(config: BalancerConfig): Promise<RunningListener[]> {
    const added = config.listeners.filter(({ address, port }) => this.#find(address, port) === undefined);
    const opened = added.map(endpoint => new RunningListener(endpoint, this.#context));
    const results = await Promise.allSettled(opened.map(listener => listener.open()));
    const failed = results.find(result => result.status === 'rejected');
    if (failed === undefined) return opened;
    await Promise.all(
      opened.filter((_, index) => results[index]!.status === 'fulfilled').map(listener => listener.close()),
    );
    throw failed.reason;
  }

  #applyGroups(config: BalancerConfig): void {
    const configured = new Set(config.targetGroups.map(({ name }) => name));
    this.#configuredGroups = configured;
    for (const group of this.#groups.values()) if (!configured.has(group.name)) group.retire();
    for (const settings of config.targetGroups) {
      const group = this.#groups.get(settings.name) ?? this.#addGroup(settings.name, settings);
      group.apply(settings);
    }
    for (const group of this.#groups.values()) {
      if (!configured.has(group.name) && group.isGone) this.#groups.delete(group.name);
    }
  }

  #addGroup(name: string, settings: BalancerConfig['targetGroups'][number]): RunningTargetGroup {
    const group = new RunningTargetGroup(settings, this.#context, () => {
      if (group.isGone && !this.#configuredGroups.has(name)) this.#groups.delete(name);
      this.#onChange();
    });
    this.#groups.set(name, group);
    return group;
  }

  #applyListeners(config: BalancerConfig, opened: readonly RunningListener[]): void {
    const groupOf = (name: string) => {
      const group = this.#groups.get(name);
      assert(group !== undefined, `listener forwards to the unknown target group ${name}`);
      return group;
    };
    const known = [...this.#listeners, ...opened];
    const kept = config.listeners.map(settings => {
      const listener = known.find(
        ({ address, port }) => address === settings.address && port === settings.port,
      );
      assert(listener !== undefined, `listener ${settings.name} is not open`);
      listener.forward(settings, groupOf);
      return listener;
    });
    for (const listener of this.#listeners) if (!kept.includes(listener)) void this.#closeListener(listener);
    this.#listeners = kept;
  }

  #restartSweeps(): void {
    const { idleTimeoutMs, clientKeepAliveMs } = this.#context.limits;
    const wantedMs = Math.min(idleTimeoutMs, clientKeepAliveMs) / SWEEPS_PER_LIMIT;
    const periodMs = Math.min(LONGEST_SWEEP_MS, Math.max(SHORTEST_SWEEP_MS, wantedMs));
    this.#context.sweepMs = periodMs;
    this.#sweepTimer?.cancel();
    this.#sweepTimer = this.#context.clock.every(periodMs, () => this.#sweep());
  }

  #sweep(): void {
    const nowMs = this.#context.clock.monotonicMs();
    this.#context.coarseNowMs = nowMs;
    for (const listener of this.#listeners) listener.sweep();
    for (const listener of this.#closingListeners) listener.sweep();
    for (const group of this.#groups.values()) for (const target of group.targets) target.sweep(nowMs);
  }

  #find(address: string, port: number): RunningListener | undefined {
    return this.#listeners.find(listener => listener.address === address && listener.port === port);
  }
}
