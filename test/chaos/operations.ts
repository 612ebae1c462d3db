import { setTimeout as delay } from 'node:timers/promises';
import { randomBelow, type Random } from '../../src/core/random.ts';
import type { ChaosCloud } from './chaos-cloud.ts';
import type { History } from './history.ts';

const OPERATION_KINDS = [
  'push',
  'approve',
  'reject',
  'retry',
  'rollback',
  'restart',
  'branch',
  'conflict',
] as const;
type OperationKind = (typeof OPERATION_KINDS)[number];

const WEIGHTS: Record<OperationKind, number> = {
  push: 5,
  approve: 8,
  reject: 1,
  retry: 2,
  rollback: 1,
  restart: 1,
  branch: 2,
  conflict: 1,
};
const LONGEST_PAUSE_MS = 600;

/**
 * People at work: pushing, approving, rolling back, one thing after another, whatever happens to the cloud meanwhile.
 * What was acknowledged is written down; what was refused or cut off promises nothing.
 */
export class Operations {
  readonly #cloud: ChaosCloud;
  readonly #history: History;
  readonly #random: Random;
  readonly #running: Promise<void>;
  #isStopping = false;
  #commits = 0;
  attempted = 0;

  constructor(cloud: ChaosCloud, history: History, random: Random) {
    this.#cloud = cloud;
    this.#history = history;
    this.#random = random;
    this.#running = this.#work();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #work(): Promise<void> {
    while (!this.#isStopping) {
      const kind = this.#choose();
      const region = this.#cloud.regions[randomBelow(this.#random, this.#cloud.regions.length)]!;
      this.attempted += 1;
      await this.#do(kind, region).catch(() => undefined);
      await delay(randomBelow(this.#random, LONGEST_PAUSE_MS));
    }
  }

  #choose(): OperationKind {
    let rest = randomBelow(
      this.#random,
      Object.values(WEIGHTS).reduce((sum, weight) => sum + weight),
    );
    for (const kind of OPERATION_KINDS) {
      rest -= WEIGHTS[kind];
      if (rest < 0) return kind;
    }
    return 'push';
  }

  #do(kind: OperationKind, region: string): Promise<void> {
    const deeds: Record<OperationKind, () => Promise<void>> = {
      push: () => this.#pushMain(region),
      branch: () => this.#pushBranch(region),
      conflict: () => this.#pushConflict(),
      approve: () => this.#decide(region, 'approve'),
      reject: () => this.#decide(region, 'reject'),
      retry: () => this.#retry(region),
      rollback: () => this.#rollback(region),
      restart: () => this.#cloud.region(region).restart('production'),
    };
    return deeds[kind]();
  }

  /** Main has one writer, who goes on from his own newest commit whichever region took the last. */
  async #pushMain(region: string): Promise<void> {
    this.#commits += 1;
    const commit = await this.#cloud.test.commit(`Change ${this.#commits}`);
    await this.#push(region, commit, 'refs/heads/main');
  }

  async #pushBranch(region: string): Promise<void> {
    this.#commits += 1;
    const head = await this.#cloud.test.git('rev-parse', 'HEAD');
    await this.#push(region, head, `refs/heads/branch-${this.#commits}`);
  }

  /** Two people give one branch different content in two regions at the same time. */
  async #pushConflict(): Promise<void> {
    this.#commits += 1;
    const ref = `refs/heads/conflict-${this.#commits}`;
    const tree = await this.#cloud.test.git('rev-parse', 'HEAD^{tree}');
    await Promise.all(
      this.#cloud.regions.map(async region => {
        const message = `${ref} in ${region}`;
        const commit = await this.#cloud.test.git('commit-tree', '-p', 'HEAD', '-m', message, tree);
        await this.#push(region, commit, ref);
      }),
    );
  }

  async #push(region: string, commit: string, ref: string): Promise<void> {
    const { exitCode } = await this.#cloud.push(region, commit, ref);
    if (exitCode === 0) this.#history.pushes.push({ region, ref, commit });
  }

  async #decide(region: string, kind: 'approve' | 'reject'): Promise<void> {
    const client = this.#cloud.region(region);
    const waiting = (await client.executions({ limit: 20 })).find(({ status }) => status === 'Waiting');
    if (!waiting) return;
    await client[kind]({ executionId: waiting.id, by: 'ann', comment: 'in the storm' });
    const decision = kind === 'approve' ? 'Approved' : 'Rejected';
    this.#history.decisions.push({ region, executionId: waiting.id, decision });
  }

  async #retry(region: string): Promise<void> {
    const client = this.#cloud.region(region);
    const failed = (await client.executions({ limit: 20 })).find(({ status }) => status === 'Failed');
    if (!failed) return;
    const { id } = await client.retry(failed.id, 'ann');
    this.#history.executions.push({ region, id });
  }

  async #rollback(region: string): Promise<void> {
    const { id } = await this.#cloud.region(region).rollback({ by: 'ann' });
    this.#history.executions.push({ region, id });
  }
}
