import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChaosCloud } from './chaos-cloud.ts';
import { historyNow, type History, type Outage } from './history.ts';

const CLIENTS_PER_REGION = 2;
const PAUSE_MS = 20;

/** Users of production in every region, all the time; every request that is not answered with 200 is written down. */
export class Traffic {
  readonly #cloud: ChaosCloud;
  readonly #history: History;
  /** Those that last, and when the load balancer was gone. */
  readonly #outages = new Map<string, { outage: Outage; endedAt: number }>();
  readonly #clients: Promise<void>[];
  #isStopping = false;

  constructor(cloud: ChaosCloud, history: History) {
    this.#cloud = cloud;
    this.#history = history;
    this.#clients = cloud.regions.flatMap(region =>
      Array.from({ length: CLIENTS_PER_REGION }, () => this.#use(region, cloud.productionUrl(region))),
    );
  }

  /** Requests are lost from before a region's load balancer is ended, until the region is whole again. */
  interrupt(regions: readonly string[], endBalancers: () => void): void {
    for (const region of regions) {
      const open = this.#outages.get(region)?.outage;
      const outage = open ?? { region, from: historyNow(), until: Number.POSITIVE_INFINITY };
      if (!open) this.#history.outages.push(outage);
      this.#outages.set(region, { outage, endedAt: Number.POSITIVE_INFINITY });
    }
    endBalancers();
    for (const region of regions) this.#outages.get(region)!.endedAt = historyNow();
  }

  isOut(region: string): boolean {
    return this.#outages.has(region);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#clients);
  }

  async #use(region: string, url: string): Promise<void> {
    const agent = new Agent({ keepAlive: true });
    while (!this.#isStopping) {
      const sentAt = historyNow();
      try {
        await request(agent, url);
        this.#history.answered += 1;
        await this.#endOutage(region, sentAt);
      } catch (error) {
        const how = error instanceof Error ? error.message : String(error);
        this.#history.traffic.push({ region, sentAt, lostAt: historyNow(), how });
      }
      await delay(PAUSE_MS);
    }
    agent.destroy();
  }

  /** Over when users are answered again and every wanted task is healthy: until then any one may be the last. */
  async #endOutage(region: string, sentAt: number): Promise<void> {
    const interrupted = this.#outages.get(region);
    if (!interrupted || sentAt <= interrupted.endedAt) return;
    const status = await this.#cloud
      .region(region)
      .status()
      .catch(() => undefined);
    const production = status?.services.find(({ name }) => name === 'production');
    const isWhole = production !== undefined && production.healthyTargets >= production.desired;
    if (!isWhole || this.#outages.get(region) !== interrupted) return;
    interrupted.outage.until = historyNow();
    this.#outages.delete(region);
  }
}

function request(agent: Agent, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = get(url, { agent }, response => {
      response.resume();
      response.once('error', reject);
      response.once('close', () => {
        if (response.statusCode === 200 && response.complete) resolve();
        else reject(new Error(`status ${response.statusCode}, complete: ${response.complete}`));
      });
    });
    outgoing.setTimeout(15_000, () => outgoing.destroy(new Error('no answer within 15 s')));
    outgoing.once('error', reject);
  });
}
