import { assert } from '../../core/assert.ts';
import { mkdirSync } from '../../platform/files.ts';
import type { ServiceContext } from '../context.ts';
import { BalancerKeeper } from './balancer-keeper.ts';
import type { Balancer, BalancerConfig, BalancerCounters, BalancerState } from './contract.ts';
import { mergeCounters, mergeStates } from './merged-view.ts';
import { processFolder, readNumberOfProcesses } from './process-files.ts';

/** The region's load balancer; see `Balancer`. */
export function createBalancer(context: ServiceContext): Balancer {
  return new RegionBalancer(context);
}

/**
 * One balancer process, or several on the same listeners: the system spreads connections over them (SO_REUSEPORT), so that
 * they use as many cores. Each checks its targets by itself, as every node of an Application Load Balancer does.
 */
class RegionBalancer implements Balancer {
  readonly #context: ServiceContext;
  readonly #listeners: (() => void)[] = [];
  #keepers: readonly BalancerKeeper[] = [];

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  async start(): Promise<void> {
    this.#keepers = await this.#makeKeepers();
    await Promise.all(this.#keepers.map(keeper => keeper.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#keepers.map(keeper => keeper.stop()));
  }

  async apply(config: BalancerConfig): Promise<void> {
    assert(this.#keepers.length > 0, 'the balancer was started before it is configured');
    const isShared = this.#keepers.length > 1;
    const listeners = isShared
      ? config.listeners.map(listener => ({ ...listener, isShared }))
      : config.listeners;
    await Promise.all(this.#keepers.map(keeper => keeper.apply({ ...config, listeners })));
  }

  /** Of the processes that answer: one that does not carries nothing. */
  state(): BalancerState | undefined {
    return mergeStates(this.#keepers.map(keeper => keeper.state()).filter(state => state !== undefined));
  }

  counters(): BalancerCounters | undefined {
    return mergeCounters(
      this.#keepers.map(keeper => keeper.counters()).filter(counters => counters !== undefined),
    );
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
    for (const keeper of this.#keepers) keeper.onChange(listener);
  }

  async shutDown(graceMs: number): Promise<void> {
    if (this.#keepers.length === 0) this.#keepers = await this.#makeKeepers();
    await Promise.all(this.#keepers.map(keeper => keeper.shutDown(graceMs)));
  }

  /** The number stays while a balancer is at work: a port cannot be shared with a process that has it alone. */
  async #makeKeepers(): Promise<BalancerKeeper[]> {
    const { folder, config } = this.#context;
    const number = (await readNumberOfProcesses(folder)) ?? config.local.balancerProcesses;
    return Array.from({ length: number }, (_, index) => {
      const own = processFolder(folder, index);
      mkdirSync(own, { recursive: true });
      const keeper = new BalancerKeeper({ ...this.#context, folder: own });
      for (const listener of this.#listeners) keeper.onChange(listener);
      return keeper;
    });
  }
}
