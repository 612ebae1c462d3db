import { backoffDelayMs } from '../../core/backoff.ts';
import { errorMessage, TandemError } from '../../core/error.ts';
import { delay, type Timer } from '../../platform/clock.ts';
import { sendSignal } from '../../platform/process.ts';
import { waitForExit } from '../../platform/process-table.ts';
import type { ServiceContext } from '../context.ts';
import { AdminClient } from './admin-client.ts';
import type { Snapshot } from './admin-messages.ts';
import type { Balancer, BalancerConfig, BalancerCounters, BalancerState } from './contract.ts';
import { collectRequests } from './collect-requests.ts';
import { pidOf, readLivingRecord, type ProcessRecord } from './process-files.ts';
import { spawnBalancerProcess } from './spawn-process.ts';

const RESTART_BACKOFF = { firstMs: 100, maximumMs: 5_000 };
const RETRY_MS = 250;
/** A process that lived this long was no failed start: its death is mended at once. */
const SETTLED_MS = 10_000;
/** Heartbeats come every second; after this long without one the process is asked, and ended if it does not answer. */
const SILENCE_MS = 10_000;
/** What a process may take beyond the grace it was given, before it is killed. */
const SHUT_DOWN_MARGIN_MS = 5_000;

/** A running balancer process, and the line to it. */
interface Connection {
  client: AdminClient;
  record: ProcessRecord;
  /** Resolves when the process has ended, or the line was closed. */
  closed: Promise<void>;
}

/**
 * Keeps one balancer process running and tells it what to do. It is connected to by its record on disk, whoever
 * started it; the stream of its state is also how its death is noticed, at once, without being its parent.
 */
export class BalancerKeeper implements Balancer {
  readonly #context: ServiceContext;
  readonly #listeners: (() => void)[] = [];
  #connection: Promise<Connection> | undefined;
  #keeping: Promise<void> = Promise.resolve();
  #lastApply: Promise<void> = Promise.resolve();
  #snapshot: Snapshot | undefined;
  #health = '';
  #isStopped = true;
  /** Ends the wait before another start. */
  #wake: (() => void) | undefined;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  async start(): Promise<void> {
    this.#isStopped = false;
    this.#connection = this.#connect();
    const first = await this.#connection;
    this.#keeping = this.#keep(first);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake?.();
    const connection = await this.#connection?.catch(() => undefined);
    connection?.client.close();
    await this.#keeping;
  }

  apply(config: BalancerConfig): Promise<void> {
    const applied = this.#lastApply.then(() => this.#applyNow(config));
    this.#lastApply = applied.catch(() => undefined);
    return applied;
  }

  state(): BalancerState | undefined {
    return this.#snapshot?.state;
  }

  counters(): BalancerCounters | undefined {
    return this.#snapshot?.counters;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async shutDown(graceMs: number): Promise<void> {
    this.#isStopped = true;
    this.#wake?.();
    await this.#connection?.catch(() => undefined);
    const record = await readLivingRecord(this.#context.folder);
    if (record !== undefined) await this.#endProcess(record, graceMs);
    await this.stop();
  }

  async #endProcess(record: ProcessRecord, graceMs: number): Promise<void> {
    try {
      await new AdminClient(record.socketPath).shutDown(graceMs);
      if (await waitForExit(record.identity, graceMs + SHUT_DOWN_MARGIN_MS)) return;
    } catch {
      // It does not answer, or has ended meanwhile: the signal below settles either.
    }
    await this.#kill(record);
  }

  async #applyNow(config: BalancerConfig): Promise<void> {
    for (;;) {
      if (this.#isStopped || this.#connection === undefined) throw stopped();
      const connection = await this.#connection;
      try {
        this.#take(await connection.client.apply(config));
        return;
      } catch (error) {
        if (error instanceof TandemError) throw error;
        // The process died before it answered, or is too slow: it, or the next one, is told again.
        await Promise.race([connection.closed, delay(this.#context.clock, RETRY_MS)]);
      }
    }
  }

  /** Restarts the process whenever it ends, until stopped. */
  async #keep(first: Connection): Promise<void> {
    let connection = first;
    let failures = 0;
    while (!this.#isStopped) {
      const sinceMs = this.#context.clock.monotonicMs();
      const collected = collectRequests(connection.client, this.#context);
      await connection.closed;
      await collected;
      this.#forgetSnapshot();
      if (this.#isStopped) return;
      failures = this.#context.clock.monotonicMs() - sinceMs > SETTLED_MS ? 0 : failures + 1;
      this.#report(
        'warning',
        'BalancerDied',
        'The load balancer process ended unexpectedly; it is started again',
      );
      this.#connection = this.#reconnect(failures);
      const next = await this.#connection.catch(() => undefined);
      if (next === undefined) return;
      connection = next;
      this.#report('info', 'BalancerRestarted', 'The load balancer process is at work again');
    }
  }

  /** Tries until it works; rejects only once stopped. A first failure is mended at once, further ones after a wait. */
  async #reconnect(failures: number): Promise<Connection> {
    for (let attempt = failures; ; attempt += 1) {
      if (attempt > 1) await this.#pause(attempt - 1);
      if (this.#isStopped) throw stopped();
      try {
        return await this.#connect();
      } catch (error) {
        this.#report('error', 'BalancerStartFailed', errorMessage(error));
      }
    }
  }

  /** Adopts the process that runs, or starts one. */
  async #connect(): Promise<Connection> {
    while (!this.#isStopped) {
      const record = await readLivingRecord(this.#context.folder);
      if (record === undefined) {
        const outcome = await spawnBalancerProcess(this.#context.folder);
        if (outcome === 'locked') await this.#pause(1);
      } else {
        const connection = await this.#follow(record);
        if (connection !== undefined) return connection;
        await this.#kill(record);
      }
    }
    throw stopped();
  }

  /** Resolves after the first snapshot; `undefined` where none comes. */
  #follow(record: ProcessRecord): Promise<Connection | undefined> {
    return new Promise(resolve => {
      const client = new AdminClient(record.socketPath);
      let silence = this.#afterSilence(client, record);
      const closed = client.follow(snapshot => {
        silence.cancel();
        silence = this.#afterSilence(client, record);
        this.#take(snapshot);
        resolve({ client, record, closed });
      });
      void closed.then(() => {
        silence.cancel();
        resolve(undefined);
      });
    });
  }

  #afterSilence(client: AdminClient, record: ProcessRecord): Timer {
    return this.#context.clock.after(
      SILENCE_MS,
      () => {
        client.state().catch(() => {
          this.#report('error', 'BalancerHangs', 'The load balancer process does not answer; it is ended');
          sendSignal(pidOf(record), 'SIGKILL');
        });
      },
      { idle: true },
    );
  }

  async #kill(record: ProcessRecord): Promise<void> {
    if (await waitForExit(record.identity, 0)) return;
    sendSignal(pidOf(record), 'SIGKILL');
    await waitForExit(record.identity, SHUT_DOWN_MARGIN_MS);
  }

  #take(snapshot: Snapshot): void {
    if (this.#snapshot !== undefined && isOlder(snapshot, this.#snapshot)) return;
    this.#snapshot = snapshot;
    this.#tellIfChanged(
      JSON.stringify(
        snapshot.state.targetGroups.map(({ name, targets }) => [
          name,
          targets.map(({ id, health }) => [id, health]),
        ]),
      ),
    );
  }

  #forgetSnapshot(): void {
    this.#snapshot = undefined;
    this.#tellIfChanged('');
  }

  #tellIfChanged(health: string): void {
    if (health === this.#health) return;
    this.#health = health;
    for (const listener of this.#listeners) listener();
  }

  #pause(attempt: number): Promise<void> {
    return new Promise(resolve => {
      const delayMs = backoffDelayMs(RESTART_BACKOFF, attempt, this.#context.random);
      const timer = this.#context.clock.after(delayMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #report(severity: 'info' | 'warning' | 'error', type: string, message: string): void {
    this.#context.events.append({ source: 'balancer', type, severity, message, data: {} });
  }
}

function isOlder(snapshot: Snapshot, than: Snapshot): boolean {
  return snapshot.counters.startedAt === than.counters.startedAt && snapshot.sequence < than.sequence;
}

function stopped(): TandemError {
  return new TandemError(
    'BALANCER_STOPPED',
    'The load balancer is not kept by this process (any more), so its configuration cannot be changed here. ' +
      'Start the region again.',
    { kind: 'system' },
  );
}
