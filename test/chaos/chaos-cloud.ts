import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createRegionClient } from '../../src/api/region-client.ts';
import { readCloudRecord, serviceUrl, type CloudRecord } from '../../src/local/cloud-record.ts';
import type { RegionOperations } from '../../src/model/cloud.ts';
import { run, testEnvironment, type Output, type TestCloud } from '../end-to-end/test-cloud.ts';

/** A test cloud, and the direct line to each of its regions that clients have. */
export class ChaosCloud {
  readonly test: TestCloud;
  readonly record: CloudRecord;
  readonly #clients: Map<string, RegionOperations>;

  private constructor(test: TestCloud, record: CloudRecord) {
    this.test = test;
    this.record = record;
    this.#clients = new Map(
      record.regions.map(own => [own.region, createRegionClient(own.region, endpointOf(own))]),
    );
  }

  static async of(test: TestCloud): Promise<ChaosCloud> {
    const record = await readCloudRecord(test.dataDir);
    if (!record) throw new Error(`${test.dataDir} holds no cloud`);
    return new ChaosCloud(test, record);
  }

  get regions(): string[] {
    return this.record.regions.map(({ region }) => region);
  }

  region(name: string): RegionOperations {
    return this.#clients.get(name)!;
  }

  folder(region: string): string {
    return join(this.test.dataDir, 'regions', region);
  }

  productionUrl(region: string): string {
    return serviceUrl(this.#own(region), 'production');
  }

  /** `git push <region> <commit>:<ref>`. */
  push(region: string, commit: string, ref: string): Promise<Output> {
    const url = `${endpointOf(this.#own(region))}/git/${this.record.config.application}.git`;
    return run('git', ['push', '--porcelain', url, `${commit}:${ref}`], this.test.folder, {
      ...testEnvironment(),
      // A push through a paused region must end some time.
      GIT_HTTP_LOW_SPEED_LIMIT: '1',
      GIT_HTTP_LOW_SPEED_TIME: '20',
    });
  }

  /** Starts the supervisor again; regions that outlived it are adopted. */
  async up(): Promise<Output> {
    return this.test.tandem('up', '--detach', '--port-base', '0');
  }

  logs(): string {
    return ['supervisor.log', ...this.regions.map(region => join('regions', region, 'region.log'))]
      .map(name => `--- ${name}\n${readFileSync(join(this.test.dataDir, name), 'utf8').slice(-4_000)}`)
      .join('\n');
  }

  #own(region: string): CloudRecord['regions'][number] {
    return this.record.regions.find(own => own.region === region)!;
  }
}

function endpointOf(own: CloudRecord['regions'][number]): string {
  return `http://${own.address}:${own.controlPort}`;
}

/** Asks until the answer is `undefined` (nothing is missing any more), or gives what was missing last. */
export async function untilNothingIsMissing(
  limitMs: number,
  whatIsMissing: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const end = performance.now() + limitMs;
  for (;;) {
    const missing = await whatIsMissing().catch((error: unknown) => String(error));
    if (missing === undefined || performance.now() > end) return missing;
    await delay(100);
  }
}
