import { errorMessage } from '../../core/error.ts';
import type { Digest } from '../../model/names.ts';
import type { ServiceContext } from '../context.ts';
import type { Registry } from '../registry/contract.ts';

/**
 * Has the registry expire old images after there are new ones. Never while an image is being made: it is in the
 * registry before any execution claims it.
 */
export class ImageLifecycle {
  readonly #events: ServiceContext['events'];
  readonly #registry: Registry;
  #isDue = false;
  #running: Promise<void> | undefined;

  constructor(events: ServiceContext['events'], registry: Registry) {
    this.#events = events;
    this.#registry = registry;
  }

  /** `inUse` is called at the moment of need. */
  apply(
    situation: { hasNewImages: boolean; isMakingImages: boolean },
    inUse: () => ReadonlySet<Digest>,
  ): void {
    this.#isDue ||= situation.hasNewImages;
    if (!this.#isDue || situation.isMakingImages || this.#running) return;
    this.#isDue = false;
    this.#running = this.#run(inUse()).finally(() => {
      this.#running = undefined;
    });
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  async #run(inUse: ReadonlySet<Digest>): Promise<void> {
    try {
      await this.#registry.applyLifecycle(inUse);
    } catch (error) {
      this.#tellFailure(errorMessage(error));
    }
  }

  /** The event log may share the disk that is the trouble; nobody waits for this outcome. */
  #tellFailure(cause: string): void {
    const message = `Old images could not be removed; the next release tries again: ${cause}`;
    try {
      this.#events.append({
        source: 'pipeline',
        type: 'ImageLifecycleFailed',
        severity: 'warning',
        message,
        data: {},
      });
    } catch {
      // The next release tries again, and tells again.
    }
  }
}
