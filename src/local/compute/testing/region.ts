import { join } from 'node:path';
import type { ConfigInput } from '../../../model/config/schema.ts';
import type { Deployment } from '../../../model/deployment.ts';
import type { RegionEvent } from '../../../model/event.ts';
import type { PipelineEnvironment } from '../../../model/names.ts';
import type { Release } from '../../../model/release.ts';
import type { Task } from '../../../model/task.ts';
import { mkdir, mkdtemp, rm, tmpdir } from '../../../platform/files.ts';
import { freePort } from '../../../platform/network.ts';
import { newId } from '../../../platform/random.ts';
import { createBalancer } from '../../balancer/balancer.ts';
import type { Balancer } from '../../balancer/contract.ts';
import type { ServiceContext } from '../../context.ts';
import type { Registry } from '../../registry/contract.ts';
import { testContext } from '../../testing/context.ts';
import { createCompute } from '../compute.ts';
import type { Compute } from '../contract.ts';
import { ImageFolder } from './images.ts';
import { requestOnce, type Answer } from './traffic.ts';

type Listeners = Record<PipelineEnvironment, { address: string; port: number }>;

export interface TestRegionOptions {
  config?: Partial<ConfigInput>;
  /** Beyond what the schema allows, so that a test need not wait: shorter stop timeouts, smaller memory. */
  adjust?: (context: ServiceContext) => void;
  /** In place of the folder of images. */
  registry?: Pick<Registry, 'manifest' | 'blobPath'>;
}

/** Compute with a real balancer over a temporary folder. `restart` imitates the region process's end and return. */
export class TestRegion {
  readonly images: ImageFolder;
  readonly listeners: Listeners;
  readonly folder: string;
  readonly balancer: Balancer;
  readonly context: ServiceContext;
  compute: Compute;
  readonly #registry: Pick<Registry, 'manifest' | 'blobPath'>;

  static async start(options: TestRegionOptions = {}): Promise<TestRegion> {
    const { folder, listeners } = await TestRegion.place();
    return TestRegion.open(folder, listeners, options);
  }

  /** A folder and ports for a region that is opened later. */
  static async place(): Promise<{ folder: string; listeners: Listeners }> {
    const folder = await mkdtemp(join(tmpdir(), 'compute-'));
    await mkdir(join(folder, 'balancer'));
    const address = '127.0.0.1';
    const listeners = {
      staging: { address, port: await freePort(address) },
      production: { address, port: await freePort(address) },
    };
    return { folder, listeners };
  }

  /** The same region again, in this process or another. */
  static async open(folder: string, listeners: Listeners, options: TestRegionOptions): Promise<TestRegion> {
    const config = { deployment: { bakeTimeMinutes: 0 }, ...options.config };
    const context = testContext(folder, { config });
    options.adjust?.(context);
    const balancer = createBalancer({ ...context, folder: join(folder, 'balancer') });
    await balancer.start();
    const region = new TestRegion({ folder, listeners }, context, balancer, options.registry);
    await region.compute.start();
    return region;
  }

  private constructor(
    place: { folder: string; listeners: Listeners },
    context: ServiceContext,
    balancer: Balancer,
    registry: TestRegionOptions['registry'],
  ) {
    this.folder = place.folder;
    this.listeners = place.listeners;
    this.context = context;
    this.balancer = balancer;
    this.images = new ImageFolder(join(place.folder, 'images'));
    this.#registry = registry ?? this.images;
    this.compute = this.#createCompute();
  }

  deploy(release: Release, service: PipelineEnvironment = 'staging'): Deployment {
    return this.compute.startDeployment({ token: newId(), service, release, executionId: newId() });
  }

  /** The deployment when it has ended. */
  async ended({ id }: Deployment): Promise<Deployment> {
    await this.until(() => this.compute.deployment(id)?.endedAt !== undefined);
    return this.compute.deployment(id)!;
  }

  async deployed(release: Release, service: PipelineEnvironment = 'staging'): Promise<Deployment> {
    return this.ended(this.deploy(release, service));
  }

  /** Tasks that have not stopped. */
  tasks(service: PipelineEnvironment = 'staging'): Task[] {
    return this.compute.tasks(service).filter(({ status }) => status !== 'STOPPED');
  }

  stopped(service: PipelineEnvironment = 'staging'): Task[] {
    return this.compute.tasks(service).filter(({ status }) => status === 'STOPPED');
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if (condition()) resolve();
      };
      this.compute.onChange(look);
      look();
    });
  }

  async events(): Promise<RegionEvent[]> {
    const events: RegionEvent[] = [];
    for await (const event of this.context.events.read({ after: 0, limit: 1_000 })) events.push(event);
    return events;
  }

  /** What the region process does when it ends, and what happens when it is back; `meanwhile` in between. */
  async restart(meanwhile: () => Promise<void> | void = () => undefined): Promise<void> {
    await this.compute.stop();
    await meanwhile();
    this.compute = this.#createCompute();
    await this.compute.start();
  }

  url(service: PipelineEnvironment): string {
    const { address, port } = this.listeners[service];
    return `http://${address}:${port}`;
  }

  request(path = '/', service: PipelineEnvironment = 'staging'): Promise<Answer> {
    return requestOnce(this.url(service) + path);
  }

  async destroy(): Promise<void> {
    await this.balancer.shutDown(0);
    await this.compute.stopAllTasks();
    await this.compute.stop();
    this.context.database.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  #createCompute(): Compute {
    const computeFolder = join(this.folder, 'compute');
    return createCompute(
      { ...this.context, folder: computeFolder },
      { registry: this.#registry, balancer: this.balancer, listeners: this.listeners },
    );
  }
}
