import { join } from 'node:path';
import { TandemError, errorMessage, systemErrorCode } from '../core/error.ts';
import { PIPELINE_ENVIRONMENTS } from '../model/names.ts';
import { pipelineTiming } from '../model/timing.ts';
import type { RegionOperations } from '../model/cloud.ts';
import type { Clock } from '../platform/clock.ts';
import { openDatabase, openLock, type Database } from '../platform/database.ts';
import { mkdirSync, writeFileDurably } from '../platform/files.ts';
import { equalSecrets } from '../platform/hash.ts';
import {
  createHttpServer,
  listen,
  type HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from '../platform/network.ts';
import { ownPid, processIdentity } from '../platform/process.ts';
import { systemRandom } from '../platform/random.ts';
import { createSteadyClock } from '../platform/steady-clock.ts';
import { createBalancer } from './balancer/balancer.ts';
import { createBuildService } from './build/build-service.ts';
import { prepareImageTools } from './build/docker/prepare-image-tools.ts';
import {
  controlEndpoint,
  regionFolder,
  regionProcessFile,
  settingsDigest,
  type CloudRecord,
  type RegionRecord,
} from './cloud-record.ts';
import { createCompute } from './compute/compute.ts';
import type { Service, ServiceContext } from './context.ts';
import { createPipeline } from './pipeline/pipeline.ts';
import { createRegionOperations } from './region-operations.ts';
import { createRegistry } from './registry/registry.ts';
import { createRepository } from './repository/repository.ts';
import { refuseForeignPages } from './request-guard.ts';
import { StartGate } from './start-gate.ts';
import { createEventLog, newestEventAt } from './telemetry/event-log.ts';
import { createLogStore } from './telemetry/log-store.ts';

type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface RegionOptions {
  dataDir: string;
  record: CloudRecord;
  region: string;
  clock: Clock;
  /** Serves `/api`; handed in, because the API knows nothing of the local cloud. */
  api(operations: RegionOperations): RequestHandler;
}

export interface RunningRegion {
  /** Resolves when the region was asked to shut down over HTTP and has done so. */
  closed: Promise<void>;
  /** Ends the control process only: balancer and tasks go on, and the next start adopts them. */
  detach(): Promise<void>;
  /** Ends everything: no new connections, requests in flight finish, tasks stop as ECS stops them. */
  shutDown(): Promise<void>;
}

/** How long `tandem down` lets requests in flight finish. */
const SHUT_DOWN_GRACE_MS = 10_000;

/** Puts the services of one region together and serves them on its control endpoint. */
export async function startRegion(options: RegionOptions): Promise<RunningRegion> {
  const { record } = options;
  const own = regionRecord(record, options.region);
  const folder = regionFolder(options.dataDir, options.region);
  mkdirSync(folder, { recursive: true });
  const lock = takeLock(folder, own.region);
  const database = openDatabase(join(folder, 'region.db'));
  const telemetry = openDatabase(join(folder, 'telemetry.db'), { durability: 'normal' });
  const context = regionContext(options, own, { folder, database, telemetry });
  const contextOf = (service: string): ServiceContext => ({
    ...context,
    folder: serviceFolder(folder, service),
  });

  const registry = createRegistry(contextOf('registry'));
  const repository = createRepository(contextOf('repository'));
  const balancer = createBalancer(contextOf('balancer'));
  const listeners = {
    staging: { address: own.address, port: own.stagingPort },
    production: { address: own.address, port: own.productionPort },
  };
  const compute = createCompute(contextOf('compute'), { registry, balancer, listeners });
  const timing = pipelineTiming(record.config);
  const build = createBuildService(contextOf('build'), { repository, registry, prepareImageTools, timing });
  const pipeline = createPipeline(contextOf('pipeline'), { repository, build, registry, compute, timing });
  const operations = createRegionOperations(context, { repository, compute, balancer, pipeline });

  const closing = Promise.withResolvers<void>();
  const api = options.api(operations);
  const serve: RequestHandler = (request, response) => {
    const isServed =
      repository.handle(request, response) ||
      registry.handle(request, response) ||
      pipeline.handle(request, response);
    if (!isServed) api(request, response);
  };
  const gate = new StartGate();
  const server = createHttpServer((request, response) => {
    if (refuseForeignPages(request, response) || handleInternal(request, response)) return;
    gate.pass(request, response, serve);
  });
  // Uploads of images and repositories may take as long as they take; what is idle is closed by their own limits.
  server.requestTimeout = 0;
  await listenForControl(server, own);

  const inOrder: Service[] = [registry, balancer, compute, build, pipeline, repository];
  for (const service of inOrder) await service.start();
  writeFileDurably(
    regionProcessFile(options.dataDir, own.region),
    JSON.stringify({ identity: processIdentity(ownPid), settings: settingsDigest(record) }),
  );
  context.events.append({
    source: 'region',
    type: 'RegionStarted',
    severity: 'info',
    message: `${own.region} is up at ${context.endpoint}`,
    data: { listeners, environments: PIPELINE_ENVIRONMENTS },
  });
  gate.open();

  async function stopServices(): Promise<void> {
    for (const service of inOrder.toReversed()) await service.stop();
    await closeServer(server);
    telemetry.close();
    database.close();
    lock.release();
  }

  async function shutDown(): Promise<void> {
    await pipeline.stop();
    await build.stop();
    await balancer.shutDown(SHUT_DOWN_GRACE_MS);
    await compute.stopAllTasks();
    await stopServices();
  }

  /** `alive` never answers to its end: its closing tells the supervisor, at once, that this process is gone. */
  function handleInternal(request: IncomingMessage, response: ServerResponse): boolean {
    if (!request.url?.startsWith('/internal/region/')) return false;
    if (!equalSecrets(request.headers.authorization ?? '', `Bearer ${record.internalToken}`)) {
      response.writeHead(403).end();
    } else if (request.url === '/internal/region/alive') {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.flushHeaders();
    } else if (request.url === '/internal/region/shut-down' && request.method === 'POST') {
      shutDown().then(
        () => closing.resolve(),
        (error: unknown) => closing.reject(error instanceof Error ? error : new Error(errorMessage(error))),
      );
      response.writeHead(202).end();
    } else {
      response.writeHead(404).end();
    }
    return true;
  }

  return { closed: closing.promise, detach: stopServices, shutDown };
}

/** Given back by the system when this process ends: two processes never work on one region's data. */
function takeLock(folder: string, region: string): { release(): void } {
  const lock = openLock(join(folder, 'region-lock.db'));
  if (lock) return lock;
  throw new TandemError(
    'REGION_RUNNING',
    `${region} has a region process already, which is starting or ending. ` +
      'It is waited for; where it hangs, end that process.',
    { kind: 'system', data: { region } },
  );
}

async function listenForControl(server: HttpServer, own: RegionRecord): Promise<void> {
  try {
    await listen(server, { address: own.address, port: own.controlPort });
  } catch (error) {
    if (systemErrorCode(error) !== 'EADDRINUSE') throw error;
    throw new TandemError(
      'PORT_TAKEN',
      `Another program listens on ${own.address}:${own.controlPort} (${own.region}'s control endpoint). ` +
        'Stop it, or after `tandem down` choose other ports: `tandem up --port-base 9000` (0 takes any that are free).',
      { cause: error },
    );
  }
}

function regionContext(
  options: RegionOptions,
  own: RegionRecord,
  stores: { folder: string; database: Database; telemetry: Database },
): ServiceContext {
  const { record } = options;
  const timeOfDay = options.clock;
  const { retentionDays } = record.config.logs;
  const events = createEventLog(stores.telemetry, own.region, retentionDays, timeOfDay);
  return {
    region: own.region,
    config: record.config,
    timing: record.timing,
    folder: stores.folder,
    database: stores.database,
    clock: createSteadyClock(timeOfDay, newestEventAt(stores.telemetry)),
    random: systemRandom,
    events,
    logs: createLogStore(stores.telemetry, retentionDays, timeOfDay),
    peers: record.regions
      .filter(({ region }) => region !== own.region)
      .map(peer => ({ region: peer.region, endpoint: controlEndpoint(peer) })),
    endpoint: controlEndpoint(own),
    internalToken: record.internalToken,
  };
}

function regionRecord(record: CloudRecord, region: string): RegionRecord {
  const own = record.regions.find(candidate => candidate.region === region);
  if (!own) throw new TandemError('REGION_UNKNOWN', `This local cloud has no region ${region}.`);
  return own;
}

function serviceFolder(folder: string, service: string): string {
  const path = join(folder, service);
  mkdirSync(path, { recursive: true });
  return path;
}

function closeServer(server: HttpServer): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
