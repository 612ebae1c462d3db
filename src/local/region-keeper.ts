import { join } from 'node:path';
import { backoffDelayMs } from '../core/backoff.ts';
import { TandemError } from '../core/error.ts';
import { delay, type Clock, type Timer } from '../platform/clock.ts';
import { closeSync, keepLogSmall, mkdirSync, openSync } from '../platform/files.ts';
import { httpRequest } from '../platform/network.ts';
import { environment, nodePath, sendSignal, spawn } from '../platform/process.ts';
import { daemonsUnder, endDaemons, waitForExit } from '../platform/process-table.ts';
import { systemRandom } from '../platform/random.ts';
import {
  controlEndpoint,
  livingRegionProcess,
  regionFolder,
  settingsDigest,
  type CloudRecord,
} from './cloud-record.ts';
import { fromSentError, type ProcessMessage } from './supervisor-messages.ts';

/** A region process that dies is started again at once, then ever more slowly while it keeps dying. */
const RESTART_BACKOFF = { firstMs: 100, maximumMs: 30_000 };
/** A process that lived this long has recovered: the next death counts as the first. */
const STABLE_AFTER_MS = 10_000;
const SHUT_DOWN_LIMIT_MS = 150_000;
const DETACH_LIMIT_MS = 15_000;
const COMING_UP_CHECK_MS = 200;
/** Killed, a process is gone when the kernel is done with it. */
const KILLED_LIMIT_MS = 5_000;

export interface RegionKeeperOptions {
  dataDir: string;
  record: CloudRecord;
  region: string;
  clock: Clock;
  /** The program's entry, to be run as `<node> <entry> internal region <data folder> <region>`. */
  entry: string;
  log(message: string): void;
}

/**
 * Keeps one region's control process running: adopts a living one (its supervisor may have been killed), replaces
 * one that was started with other settings, starts one where none lives, and again whenever it dies. Its death is
 * told by the end of a request that it never answers to the end.
 */
export class RegionKeeper {
  readonly #options: RegionKeeperOptions;
  #isStopping = false;
  #failures = 0;
  #restart: Timer | undefined;
  #starting: Promise<void> | undefined;

  constructor(options: RegionKeeperOptions) {
    this.#options = options;
  }

  /** Resolves when the region serves; rejects with the reason the process gave, and goes on trying all the same. */
  async start(): Promise<void> {
    this.#starting = this.#startOnce();
    try {
      await this.#starting;
    } catch (error) {
      this.#scheduleRestart();
      throw error;
    }
  }

  /**
   * Ends the region: requests in flight finish and tasks stop as ECS stops them; `force` ends all at once, as does a
   * disk on which the region can not start any more.
   */
  async shutDown(options: { force: boolean }): Promise<void> {
    this.#isStopping = true;
    this.#restart?.cancel();
    const { dataDir, region, log } = this.#options;
    if (!options.force) {
      await this.#endInOrder().catch((error: unknown) => log(`${region}: ending at once: ${String(error)}`));
    }
    await endDaemons(() => daemonsUnder(regionFolder(dataDir, region)), KILLED_LIMIT_MS);
  }

  async #endInOrder(): Promise<void> {
    const { dataDir, region } = this.#options;
    await this.#starting?.catch(() => undefined);
    // A region whose control process is down has tasks and a balancer all the same: only it knows how to end them.
    if (!(await livingRegionProcess(dataDir, region))) await this.#spawn();
    const living = await livingRegionProcess(dataDir, region);
    if (!living) return;
    await this.#request('POST', '/internal/region/shut-down').catch(() => undefined);
    await waitForExit(living.identity, SHUT_DOWN_LIMIT_MS);
  }

  async #startOnce(): Promise<void> {
    const { clock } = this.#options;
    const end = clock.monotonicMs() + DETACH_LIMIT_MS;
    for (;;) {
      try {
        await this.#adoptOrSpawn();
        this.#watch();
        return;
      } catch (error) {
        // The supervisor before us started one that is not up yet: it will be adopted.
        const isComingUp = error instanceof TandemError && error.code === 'REGION_RUNNING';
        if (!isComingUp || this.#isStopping || clock.monotonicMs() > end) throw error;
        await delay(clock, COMING_UP_CHECK_MS);
      }
    }
  }

  async #adoptOrSpawn(): Promise<void> {
    const { dataDir, region, record, log } = this.#options;
    const living = await livingRegionProcess(dataDir, region);
    if (living && living.settings === settingsDigest(record)) {
      log(`${region}: adopting process ${living.identity}`);
      return;
    }
    if (living) {
      log(`${region}: replacing process ${living.identity}, which runs with earlier settings`);
      sendSignal(Number(living.identity.split(':')[0]), 'SIGTERM');
      await this.#endProcess(living.identity);
    }
    await this.#spawn();
  }

  /** One that does not let go in time would keep the address from its successor. */
  async #endProcess(identity: string): Promise<void> {
    if (await waitForExit(identity, DETACH_LIMIT_MS)) return;
    sendSignal(Number(identity.split(':')[0]), 'SIGKILL');
    await waitForExit(identity, DETACH_LIMIT_MS);
  }

  #spawn(): Promise<void> {
    const { dataDir, region, entry } = this.#options;
    const folder = regionFolder(dataDir, region);
    mkdirSync(folder, { recursive: true });
    keepLogSmall(join(folder, 'region.log'));
    const output = openSync(join(folder, 'region.log'), 'a');
    const child = spawn(nodePath, [entry, 'internal', 'region', dataDir, region], {
      cwd: folder,
      env: environment,
      detached: true,
      stdio: ['ignore', output, output, 'ipc'],
    });
    closeSync(output);
    return new Promise((resolve, reject) => {
      child.on('message', (message: ProcessMessage) => {
        if (message.type === 'failed') reject(fromSentError(message.error));
        if (message.type !== 'ready') return;
        child.disconnect();
        child.unref();
        resolve();
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        const how = signal === null ? `exit code ${code}` : signal;
        reject(
          new TandemError(
            'REGION_START_FAILED',
            `${region} ended while starting (${how}); see ${join(folder, 'region.log')}.`,
            {
              kind: 'system',
            },
          ),
        );
      });
    });
  }

  #watch(): void {
    const since = this.#options.clock.monotonicMs();
    const onEnd = () => {
      if (this.#isStopping) return;
      if (this.#options.clock.monotonicMs() - since > STABLE_AFTER_MS) this.#failures = 0;
      this.#options.log(`${this.#options.region}: the region process is gone`);
      this.#scheduleRestart();
    };
    this.#request('GET', '/internal/region/alive').then(({ ended }) => void ended.then(onEnd), onEnd);
  }

  #scheduleRestart(): void {
    if (this.#isStopping) return;
    this.#failures += 1;
    const delayMs = this.#failures === 1 ? 0 : backoffDelayMs(RESTART_BACKOFF, this.#failures, systemRandom);
    this.#restart = this.#options.clock.after(delayMs, () => {
      this.#starting = this.#startOnce();
      this.#starting.catch((error: unknown) => {
        this.#options.log(`${this.#options.region}: ${String(error)}`);
        this.#scheduleRestart();
      });
    });
  }

  /** Resolves at the response's head; `ended` resolves at the end of its body, however it ends. */
  #request(method: string, path: string): Promise<{ ended: Promise<void> }> {
    const { record, region } = this.#options;
    const own = record.regions.find(candidate => candidate.region === region)!;
    return new Promise((resolve, reject) => {
      const request = httpRequest(`${controlEndpoint(own)}${path}`, {
        method,
        headers: { authorization: `Bearer ${record.internalToken}` },
      });
      request.once('error', reject);
      request.once('response', response => {
        response.resume();
        response.once('error', () => undefined);
        resolve({ ended: new Promise(end => response.once('close', () => end())) });
      });
      request.end();
    });
  }
}
