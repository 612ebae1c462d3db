import { TandemError } from '../../../core/error.ts';
import { randomBelow, type Random } from '../../../core/random.ts';
import { isFree } from '../../../platform/network.ts';

/** Below every system's ephemeral ports, so that no outgoing connection takes one between choice and use. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;

/**
 * Ports for tasks. A port is tried before it is given out (other regions draw from the same range; each begins
 * at a random place, so that they hardly ever try the same one), and is not given out twice while it is held.
 */
export class PortPool {
  readonly #held = new Set<number>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  async take(): Promise<number> {
    const start = randomBelow(this.#random, PORTS);
    for (let step = 0; step < PORTS; step += 1) {
      const port = FIRST_PORT + ((start + step) % PORTS);
      if (this.#held.has(port)) continue;
      this.#held.add(port);
      // Most applications listen on all addresses, so the port must be free on all.
      if (await isFree({ address: '0.0.0.0', port })) return port;
      this.#held.delete(port);
    }
    throw new TandemError(
      'TASK_NOT_STARTABLE',
      `Every port from ${FIRST_PORT} to ${FIRST_PORT + PORTS - 1} is taken on this machine. End what listens there.`,
      { kind: 'system' },
    );
  }

  /** Holds the port of a task that runs already. */
  hold(port: number): void {
    this.#held.add(port);
  }

  release(port: number): void {
    this.#held.delete(port);
  }
}
