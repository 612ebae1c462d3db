import { backoffDelayMs } from '../../core/backoff.ts';
import { errorMessage } from '../../core/error.ts';
import type { Timer } from '../../platform/clock.ts';
import type { Balancer, BalancerConfig, TargetStatus } from '../balancer/contract.ts';
import type { ServiceContext } from '../context.ts';
import { tell } from './tell.ts';

const RETRY_BACKOFF = { firstMs: 200, maximumMs: 10_000 };

/** Brings the balancer to the newest configuration, one change at a time, and knows which is in force. */
export class BalancerSync {
  readonly #balancer: Balancer;
  readonly #context: Pick<ServiceContext, 'clock' | 'random' | 'events'>;
  readonly #onChange: () => void;
  #wanted: BalancerConfig | undefined;
  #inForce: BalancerConfig | undefined;
  #isApplying = false;
  #failures = 0;
  #lastFailure: string | undefined;
  #retry: Timer | undefined;
  #isStopped = false;

  constructor(
    balancer: Balancer,
    context: Pick<ServiceContext, 'clock' | 'random' | 'events'>,
    onChange: () => void,
  ) {
    this.#balancer = balancer;
    this.#context = context;
    this.#onChange = onChange;
  }

  /**
   * The newest request wins; one that changes nothing costs nothing. Resolves after the first attempt to apply it,
   * whatever came of that: failures are told as events and tried again.
   */
  async request(config: BalancerConfig): Promise<void> {
    if (JSON.stringify(config) === JSON.stringify(this.#wanted)) return;
    this.#wanted = config;
    if (!this.#retry) await this.#applyNewest();
  }

  /** Whether the configuration in force sends requests to this task. False before any is known to be in force. */
  isRegistered(taskId: string): boolean {
    return this.#lists(taskId) === true;
  }

  /** It is known to get no new requests, and the balancer says that it has none left. */
  isDrained(taskId: string): boolean {
    return this.#lists(taskId) === false && this.isAnswering() && this.target(taskId) === undefined;
  }

  isAnswering(): boolean {
    return this.#balancer.state() !== undefined && this.#failures === 0;
  }

  target(taskId: string): TargetStatus | undefined {
    const groups = this.#balancer.state()?.targetGroups ?? [];
    for (const group of groups) {
      const target = group.targets.find(({ id }) => id === taskId);
      if (target) return target;
    }
    return undefined;
  }

  /** What is under way may still come into force; nobody is told. */
  stop(): void {
    this.#isStopped = true;
    this.#retry?.cancel();
  }

  #lists(taskId: string): boolean | undefined {
    return this.#inForce?.targetGroups.some(({ targets }) => targets.some(({ id }) => id === taskId));
  }

  async #applyNewest(): Promise<void> {
    if (this.#isApplying) return;
    this.#isApplying = true;
    while (!this.#isStopped && this.#wanted && this.#wanted !== this.#inForce) {
      const config = this.#wanted;
      try {
        await this.#balancer.apply(config);
        this.#inForce = config;
        this.#failures = 0;
        this.#lastFailure = undefined;
      } catch (error) {
        if (!this.#isStopped) this.#tryAgainLater(errorMessage(error));
        break;
      } finally {
        if (!this.#isStopped) this.#onChange();
      }
    }
    this.#isApplying = false;
  }

  #tryAgainLater(message: string): void {
    this.#failures += 1;
    if (message !== this.#lastFailure) {
      tell(this.#context.events, {
        source: 'compute',
        type: 'BalancerConfigurationFailed',
        severity: 'error',
        message: `The balancer did not take its configuration, which is tried again: ${message}`,
        data: {},
      });
    }
    this.#lastFailure = message;
    const { clock, random } = this.#context;
    this.#retry = clock.after(backoffDelayMs(RETRY_BACKOFF, this.#failures, random), () => {
      this.#retry = undefined;
      void this.#applyNewest();
    });
  }
}
