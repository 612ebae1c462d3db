import { TandemError } from '../../core/error.ts';
import type { Cloud, EventQuery, LogQuery, RegionOperations, ReleaseRecord } from '../../model/cloud.ts';
import type { ServiceStatus } from '../../model/deployment.ts';
import type { LogEvent, RegionEvent } from '../../model/event.ts';
import type { Execution } from '../../model/execution.ts';
import type { RegionName } from '../../model/names.ts';
import type { RegionStatus } from '../../model/status.ts';
import { NOW, serviceOf } from './fixtures.ts';

/**
 * A region in memory. It does as it is told: `script` holds what an execution becomes, one step each time it has been
 * read; every change is an event, as in a real region.
 */
export class RegionDouble implements RegionOperations {
  readonly name: RegionName;
  readonly calls: string[] = [];
  held: Execution[] = [];
  services: ServiceStatus[] = [serviceOf('production'), serviceOf('staging')];
  releaseRecords: ReleaseRecord[] = [];
  statusOverrides: Partial<RegionStatus> = {};
  /** While true every question is answered by REGION_UNREACHABLE. */
  isUnreachable = false;
  /** How many of the next questions are answered by it, before contact is back. */
  refusals = 0;
  /** What a restart or scaling changes. */
  onServiceChange: () => void = () => undefined;
  readonly #events: RegionEvent[] = [];
  readonly #logs: LogEvent[] = [];
  readonly #scripts = new Map<string, (() => Partial<Execution>)[]>();
  #wake = new Set<() => void>();

  constructor(name: RegionName) {
    this.name = name;
  }

  /** What an execution becomes after it has been read once, twice… */
  script(id: string, ...steps: (Partial<Execution> | (() => Partial<Execution>))[]): void {
    this.#scripts.set(
      id,
      steps.map(step => (typeof step === 'function' ? step : () => step)),
    );
  }

  tell(message: string, overrides: Partial<RegionEvent> = {}): void {
    const event: RegionEvent = {
      sequence: this.#events.length + 1,
      at: NOW,
      region: this.name,
      source: 'pipeline',
      type: 'Told',
      severity: 'info',
      message,
      data: {},
      ...overrides,
    };
    this.#events.push(event);
    this.#wakeAll();
  }

  log(group: string, stream: string, message: string, at = NOW): void {
    this.#logs.push({ sequence: this.#logs.length + 1, at, group, stream, message });
    this.#wakeAll();
  }

  /** Cuts every stream that is being followed, and answers nothing more, as a region process that ended. */
  cutStreams(): void {
    this.isUnreachable = true;
    this.#wakeAll();
  }

  async status(): Promise<RegionStatus> {
    this.#requireContact();
    const execution = this.held[0];
    return {
      region: this.name,
      health: 'healthy',
      problems: [],
      endpoint: 'http://127.0.1.1:8000',
      gitUrl: 'http://127.0.1.1:8000/git/storefront.git',
      branch: 'main',
      services: this.services,
      ...(execution && { execution }),
      replication: [],
      ...this.statusOverrides,
    };
  }

  async executions({ limit = 20 }: { limit?: number }): Promise<Execution[]> {
    this.#requireContact();
    return this.held.slice(0, limit);
  }

  async execution(id: string): Promise<Execution> {
    this.#requireContact();
    const index = this.held.findIndex(execution => execution.id.startsWith(id));
    const execution = this.held[index];
    if (!execution) throw new TandemError('EXECUTION_UNKNOWN', `no execution begins with ${id}`);
    const step = this.#scripts.get(execution.id)?.shift();
    if (step) {
      this.held[index] = { ...execution, ...step() };
      this.tell(`execution ${execution.number} changed`);
    }
    return execution;
  }

  async approve({ executionId, by, comment }: { executionId: string; by: string; comment: string }) {
    return this.#decide(executionId, 'Approved', by, comment);
  }

  async reject({ executionId, by, comment }: { executionId: string; by: string; comment: string }) {
    return this.#decide(executionId, 'Rejected', by, comment);
  }

  async retry(executionId: string, by: string): Promise<Execution> {
    return this.#change(`retry ${executionId} by ${by}`, executionId, { status: 'InProgress' });
  }

  async stop(executionId: string, { abandon, by }: { abandon: boolean; by: string }): Promise<Execution> {
    const call = `stop ${executionId} by ${by}${abandon ? ', abandoning' : ''}`;
    return this.#change(call, executionId, { status: 'Stopping' });
  }

  async rollback({ to, by }: { to?: string; by: string }): Promise<Execution> {
    this.#requireContact();
    this.calls.push(`rollback to ${to ?? 'the last good one'} by ${by}`);
    return this.held[0]!;
  }

  async releases(): Promise<ReleaseRecord[]> {
    this.#requireContact();
    return this.releaseRecords;
  }

  async restart(service: string): Promise<void> {
    this.#requireContact();
    this.calls.push(`restart ${service}`);
    this.onServiceChange();
  }

  async scale(service: string, desiredCount: number): Promise<void> {
    this.#requireContact();
    this.calls.push(`scale ${service} ${desiredCount}`);
    this.onServiceChange();
  }

  events(query: EventQuery, signal?: AbortSignal): AsyncIterable<RegionEvent> {
    return this.#follow(query, this.#events, signal);
  }

  logs(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogEvent> {
    const matching = () =>
      this.#logs.filter(
        ({ group, stream, message, at }) =>
          (query.group === undefined || group === query.group) &&
          (query.stream === undefined || stream.startsWith(query.stream)) &&
          (query.contains === undefined || message.includes(query.contains)) &&
          (query.since === undefined || at >= query.since),
      );
    return this.#follow(query, matching, signal);
  }

  async *#follow<Item extends { sequence: number }>(
    { after, limit = 100, follow }: EventQuery,
    source: Item[] | (() => Item[]),
    signal?: AbortSignal,
  ): AsyncGenerator<Item> {
    const read = typeof source === 'function' ? source : () => source;
    let last = after ?? read().at(-limit - 1)?.sequence ?? 0;
    for (;;) {
      this.#requireContact();
      for (const item of read().filter(({ sequence }) => sequence > last)) {
        last = item.sequence;
        yield item;
      }
      if (!follow || signal?.aborted) return;
      this.#requireContact();
      await new Promise<void>(resolve => {
        this.#wake.add(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
      if (signal?.aborted) return;
    }
  }

  #decide(executionId: string, decision: 'Approved' | 'Rejected', by: string, comment: string): Execution {
    const status = decision === 'Approved' ? 'InProgress' : 'Failed';
    const approval = { decision, by, comment, at: NOW };
    return this.#change(`${decision} ${executionId} by ${by}: ${comment}`, executionId, { status, approval });
  }

  #change(call: string, executionId: string, patch: Partial<Execution>): Execution {
    this.#requireContact();
    this.calls.push(call);
    const index = this.held.findIndex(({ id }) => id === executionId);
    const changed = { ...this.held[index]!, ...patch };
    this.held[index] = changed;
    return changed;
  }

  #requireContact(): void {
    const isRefused = this.refusals > 0;
    if (isRefused) this.refusals -= 1;
    if (!isRefused && !this.isUnreachable) return;
    throw new TandemError('REGION_UNREACHABLE', `${this.name} does not answer`, { kind: 'system' });
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = new Set();
    for (const wake of waiting) wake();
  }
}

export interface CloudDouble extends Cloud {
  east: RegionDouble;
  west: RegionDouble;
}

/** Two regions, us-east-1 (primary) and us-west-2, both healthy and empty. */
export function cloudDouble(): CloudDouble {
  const east = new RegionDouble('us-east-1');
  const west = new RegionDouble('us-west-2');
  const doubles = [east, west];
  return {
    target: 'local',
    east,
    west,
    regions: () => doubles.map(({ name }) => name),
    region: name => doubles.find(double => double.name === name)!,
    status: () =>
      Promise.all(
        doubles.map(async double => {
          if (!double.isUnreachable) return double.status();
          double.isUnreachable = false;
          const status = await double.status();
          double.isUnreachable = true;
          return { ...status, health: 'unreachable' as const, problems: [`${double.name} does not answer`] };
        }),
      ),
  };
}
