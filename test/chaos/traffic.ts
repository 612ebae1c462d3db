import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Instant } from '../../src/core/instant.ts';
import type { ChaosCloud } from './chaos-cloud.ts';
import { historyNow, type History, type Outage } from './history.ts';

const CLIENTS_PER_REGION = 2;
const PAUSE_MS = 20;

/** Users of production in every region, all the time; every request that is not answered with 200 is written down. */
export class Traffic {
  readonly #history: History;
  /** Those that last, and when the load balancer was gone. */
  readonly #outages = new Map<string, { outage: Outage; endedAt: Instant }>();
  readonly #clients: Promise<void>[];
  readonly #pauseMs: number;
  /** How many more requests there may be. */
  #budget: number;
  #isStopping = false;

  constructor(
    cloud: ChaosCloud,
    history: History,
    { pauseMs = PAUSE_MS, budget = Number.POSITIVE_INFINITY } = {},
  ) {
    this.#history = history;
    this.#pauseMs = pauseMs;
    this.#budget = budget;
    this.#clients = cloud.regions.flatMap(region =>
      Array.from({ length: CLIENTS_PER_REGION }, () => this.#use(region, cloud.productionUrl(region))),
    );
  }

  /** Requests are lost from before a region's load balancer is ended, until users are answered again. */
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

  grant(requests: number): void {
    this.#budget += requests;
  }

  /** Resolves when as many requests were made as were granted. */
  async spend(): Promise<void> {
    while (this.#budget > 0) await delay(PAUSE_MS);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#clients);
  }

  async #use(region: string, url: string): Promise<void> {
    const agent = new Agent({ keepAlive: true });
    while (!this.#isStopping) {
      if (this.#budget <= 0) {
        await delay(PAUSE_MS);
        continue;
      }
      this.#budget -= 1;
      const sentAt = historyNow();
      try {
        await request(agent, url);
        this.#history.answered += 1;
        this.#endOutage(region, sentAt);
      } catch (error) {
        const how = error instanceof Error ? error.message : String(error);
        this.#history.traffic.push({ region, sentAt, lostAt: historyNow(), how });
      }
      if (this.#pauseMs > 0) await delay(this.#pauseMs);
    }
    agent.destroy();
  }

  /** From then on nothing excuses a lost request: what has begun to serve is not taken away before others do. */
  #endOutage(region: string, sentAt: Instant): void {
    const interrupted = this.#outages.get(region);
    if (!interrupted || sentAt <= interrupted.endedAt) return;
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
