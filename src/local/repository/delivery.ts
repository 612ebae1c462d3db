import { backoffDelayMs } from '../../core/backoff.ts';
import { errorMessage } from '../../core/error.ts';
import type { Timer } from '../../platform/clock.ts';
import type { ServiceContext } from '../context.ts';
import type { RefChangeListener } from './contract.ts';
import type { RefStore } from './ref-store.ts';

const RETRY_BACKOFF = { firstMs: 200, maximumMs: 30_000 };

/**
 * Tells the listeners of recorded changes, in order, each until all of them took it. A listener that throws holds up
 * the later changes and is tried again; while there is no listener, changes wait.
 */
export class Delivery {
  readonly #store: RefStore;
  readonly #context: Pick<ServiceContext, 'clock' | 'random' | 'events'>;
  readonly #listeners: RefChangeListener[] = [];
  #failures = 0;
  #retry: Timer | undefined;
  #isOpen = false;

  constructor(store: RefStore, context: Pick<ServiceContext, 'clock' | 'random' | 'events'>) {
    this.#store = store;
    this.#context = context;
  }

  add(listener: RefChangeListener): void {
    this.#listeners.push(listener);
    this.deliver();
  }

  open(): void {
    this.#isOpen = true;
  }

  close(): void {
    this.#isOpen = false;
    this.#retry?.cancel();
  }

  /** Returns what the listeners said, by the change's sequence. Never throws. */
  deliver(): Map<number, string[]> {
    const lines = new Map<number, string[]>();
    if (!this.#isOpen || this.#listeners.length === 0) return lines;
    this.#retry?.cancel();
    for (const change of this.#store.unhandled()) {
      try {
        lines.set(
          change.sequence,
          this.#listeners.flatMap(listener => listener(change)),
        );
        this.#store.markHandled(change.sequence);
        this.#failures = 0;
      } catch (error) {
        const reason = errorMessage(error);
        lines.set(change.sequence, [`stored, but not acted on yet (it will be tried again): ${reason}`]);
        this.#retryLater(change.ref, reason);
        break;
      }
    }
    return lines;
  }

  #retryLater(ref: string, reason: string): void {
    this.#failures += 1;
    if (this.#failures === 1) {
      this.#context.events.append({
        source: 'repository',
        type: 'RefChangeNotHandled',
        severity: 'error',
        message: `A push to ${ref} is stored but not acted on yet; trying again: ${reason}`,
        data: { ref },
      });
    }
    const delayMs = backoffDelayMs(RETRY_BACKOFF, this.#failures, this.#context.random);
    this.#retry = this.#context.clock.after(delayMs, () => this.deliver(), { idle: true });
  }
}
