import { join } from 'node:path';
import { errorMessage } from '../../core/error.ts';
import { randomBelow } from '../../core/random.ts';
import { readdir } from '../../platform/files.ts';
import type { ServiceContext } from '../context.ts';
import type { Git } from './git.ts';

/** Each push stays a pack of its own until then. */
const PUSHES_PER_REPACK = 25;

/** Chance decides, so that the share holds however often the region restarts. */
const REPACKS_PER_COLLECTION = 40;

/** What a forced update or a deletion cut off can be fetched by its id, and so mended, this long. */
const UNREACHABLE_KEPT = '30.days.ago';

/**
 * Keeps the repository small and quick in the background: every few pushes the small packs are joined (geometric, so
 * that the cost is in proportion to what is new), and now and then unreachable objects past their time are removed.
 */
export class Maintenance {
  readonly #git: Git;
  readonly #context: Pick<ServiceContext, 'events' | 'random'>;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #pushes = 0;

  constructor(git: Git, context: Pick<ServiceContext, 'events' | 'random'>) {
    this.#git = git;
    this.#context = context;
  }

  async start(): Promise<void> {
    const names = await readdir(join(this.#git.repositoryPath, 'objects', 'pack'));
    this.#pushes = names.filter(name => name.endsWith('.pack')).length;
  }

  countPush(): void {
    this.#pushes += 1;
    if (this.#pushes < PUSHES_PER_REPACK || this.#running || this.#abort.signal.aborted) return;
    this.#pushes = 0;
    this.#running = this.#maintain().finally(() => {
      this.#running = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #maintain(): Promise<void> {
    const isCollection = randomBelow(this.#context.random, REPACKS_PER_COLLECTION) === 0;
    const steps = isCollection
      ? [['gc', '--quiet', `--prune=${UNREACHABLE_KEPT}`]]
      : [
          ['repack', '--quiet', '-d', '--geometric=2'],
          ['pack-refs', '--all'],
        ];
    try {
      for (const argv of steps) await this.#git.output(argv, { signal: this.#abort.signal });
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#context.events.append({
        source: 'repository',
        type: 'MaintenanceFailed',
        severity: 'warning',
        message: `The repository could not be tidied; it works, but grows: ${errorMessage(error)}`,
        data: {},
      });
    }
  }
}
