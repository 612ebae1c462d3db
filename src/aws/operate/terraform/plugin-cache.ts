import { join } from 'node:path';
import { delay, type Clock } from '../../../platform/clock.ts';
import { openLock } from '../../../platform/database.ts';
import { mkdir } from '../../../platform/files.ts';

const RETRY_MS = 250;

/**
 * Where providers are kept once for all stacks and applications (the AWS provider alone is 700 MB): the folder that
 * TF_PLUGIN_CACHE_DIR names, else one in the user's cache folder.
 */
export class PluginCache {
  readonly folder: string;
  readonly #clock: Clock;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(environment: Readonly<Record<string, string | undefined>>, clock: Clock) {
    const home =
      environment['XDG_CACHE_HOME'] ??
      join(environment['HOME'] ?? environment['USERPROFILE'] ?? '.', '.cache');
    this.folder = environment['TF_PLUGIN_CACHE_DIR'] || join(home, 'tandem', 'terraform-plugins');
    this.#clock = clock;
  }

  /**
   * Does something that may write to the cache, alone in this process and among all others of Tandem: Terraform gives
   * no guarantee where two of it fill the same cache at once.
   */
  async alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const before = this.#queue;
    const turn = before.then(async () => {
      await mkdir(this.folder, { recursive: true });
      const lock = await this.#lock();
      try {
        return await work();
      } finally {
        lock.release();
      }
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #lock(): Promise<{ release(): void }> {
    for (;;) {
      const lock = openLock(join(this.folder, '.tandem-lock'));
      if (lock !== undefined) return lock;
      await delay(this.#clock, RETRY_MS);
    }
  }
}
