import { join, relative, sep } from 'node:path';
import { TandemError, systemErrorCode } from '../core/error.ts';
import type { UpProgress } from '../model/cloud.ts';
import type { Config } from '../model/config/schema.ts';
import {
  AWS_FOLDER,
  type LocalLifecycle,
  type RunningCloud,
  type UpRequest,
} from '../model/local-lifecycle.ts';
import { systemClock } from '../platform/clock.ts';
import { closeSync, folderSize, mkdirSync, openSync, pathExists, readdir, rm } from '../platform/files.ts';
import {
  environment,
  nodePath,
  operatingSystem,
  runCommand,
  sendSignal,
  spawn,
  type ChildProcess,
} from '../platform/process.ts';
import { daemonsUnder, endDaemons, waitForExit } from '../platform/process-table.ts';
import { newToken } from '../platform/random.ts';
import { planAddresses, requireFree } from './addresses.ts';
import {
  livingRegionProcess,
  livingSupervisor,
  readCloudAddresses,
  readCloudRecord,
  regionFolder,
  supervisorFiles,
  writeCloudRecord,
  type CloudAddresses,
  type CloudRecord,
} from './cloud-record.ts';
import { createLocalCloud, type Connect } from './local-cloud.ts';
import { recordChanges } from './record-changes.ts';
import { RegionKeeper } from './region-keeper.ts';
import { fromSentError, type ProcessMessage } from './supervisor-messages.ts';

export interface LifecycleOptions {
  connect: Connect;
  /** Tandem itself; its entry is to be run as `<node> <entry> internal supervisor <data folder>`. */
  program: { version: string; entry: string };
}

const SHUT_DOWN_LIMIT_MS = 180_000;
const FORCED_LIMIT_MS = 10_000;
/** Ends a supervisor and nothing else, by the system's own default: so that every version of Tandem understands it. */
const TAKE_OVER_SIGNAL = 'SIGHUP';

export function createLifecycle(options: LifecycleOptions): LocalLifecycle {
  return {
    up: request => up(options, request),
    attach: async dataDir => {
      const addresses = await readCloudAddresses(dataDir);
      if (!addresses || !(await isRunning(dataDir, addresses))) return undefined;
      return createLocalCloud(addresses, options.connect);
    },
    down: (dataDir, onProgress) => down(options, dataDir, onProgress),
    destroy: async (dataDir, onProgress) => {
      await endAtOnce(dataDir, onProgress);
      onProgress({ message: `deleting ${dataDir}` });
      await deleteOwn(dataDir);
    },
    inventory: async dataDir => {
      // Even a record that cannot be read must not keep anybody from destroying the folder.
      const record = await readCloudRecord(dataDir).catch(() => undefined);
      return {
        ...(record === undefined ? {} : { application: record.config.application }),
        processes: ownDaemons(dataDir).map(({ pid, title, cwd }) => ({
          pid,
          title: titleOf(dataDir, cwd) ?? title,
          ...regionOf(dataDir, cwd),
        })),
        bytes: await folderSize(dataDir),
      };
    },
  };
}

/**
 * A cloud that runs with the same settings is left alone. With other ones, or by another version of Tandem, it is
 * taken over: its supervisor ends, a new one replaces the regions' control processes, and what serves users goes on.
 */
async function up(options: LifecycleOptions, request: UpRequest): Promise<RunningCloud> {
  const { dataDir } = request;
  await requireGit();
  const earlier = await readCloudRecord(dataDir);
  const isAlive = earlier !== undefined && (await isRunning(dataDir, earlier));
  const record = await recordFor(options, request, earlier, isAlive);
  await requireFree(await endpointsOfIdleRegions(dataDir, record));
  const supervisor = await livingSupervisor(dataDir);
  if (supervisor) {
    const changes =
      earlier?.config.application === record.config.application ? recordChanges(earlier, record) : [];
    if (changes.length === 0) throw alreadyRunning(dataDir, supervisor.identity);
    request.onProgress({
      message: `taking over the running cloud with ${changes.join(', ')}; its tasks and load balancers go on`,
    });
    sendSignal(Number(supervisor.identity.split(':')[0]), TAKE_OVER_SIGNAL);
    await waitForExit(supervisor.identity, FORCED_LIMIT_MS);
  }
  if (earlier && isAlive) await endDroppedRegions(options, request, earlier);
  writeCloudRecord(dataDir, record);
  return startSupervisor(options, request, record, isAlive);
}

function alreadyRunning(dataDir: string, identity: string): TandemError {
  return new TandemError(
    'LOCAL_CLOUD_RUNNING',
    `The local cloud in ${dataDir} is running already (supervisor process ${identity.split(':')[0]}). ` +
      '`tandem status` shows it, `tandem down` stops it, and `tandem up` after a change of tandem.config.ts applies ' +
      'the change; another cloud needs its own --data-dir and --port-base.',
    { data: { dataDir } },
  );
}

const DEFAULT_PORT_BASE = 8_000;

async function recordFor(
  { program }: LifecycleOptions,
  request: UpRequest,
  earlier: CloudRecord | undefined,
  isAlive: boolean,
): Promise<CloudRecord> {
  // A running cloud stays where it is; further regions come to stand beside the others.
  const isFixed = isAlive && earlier && request.portBase !== 0;
  const before = earlier?.regions[0]?.controlPort;
  const portBase = (isFixed ? before : (request.portBase ?? before)) ?? DEFAULT_PORT_BASE;
  return {
    version: 1,
    program,
    configPath: request.configPath,
    config: request.config,
    timing: request.timing,
    internalToken: earlier?.internalToken ?? newToken(),
    regions: await planAddresses(
      { regions: request.config.regions, portBase, addressPerRegion: operatingSystem === 'linux' },
      keptAddresses(earlier, portBase),
    ),
  };
}

/** Regions that the config no longer lists end as `tandem down` ends them; their data stays. */
async function endDroppedRegions(
  { program }: LifecycleOptions,
  { dataDir, config, onProgress }: UpRequest,
  earlier: CloudRecord,
): Promise<void> {
  const dropped = earlier.regions.map(({ region }) => region).filter(name => !isListed(config, name));
  await Promise.all(
    dropped.map(async region => {
      if (daemonsUnder(regionFolder(dataDir, region)).length === 0) return;
      onProgress({ region, message: 'not in the config any more; requests in flight finish, then it ends' });
      const { entry } = program;
      const log = (message: string) => onProgress({ region, message });
      const keeper = new RegionKeeper({ dataDir, record: earlier, region, clock: systemClock, entry, log });
      await keeper.shutDown({ force: false });
    }),
  );
}

function isListed(config: Config, region: string): boolean {
  return config.regions.some(listed => listed === region);
}

/** Addresses outlive a stop, so that Git remotes and bookmarks stay good, unless other ports are asked for. */
function keptAddresses(earlier: CloudRecord | undefined, portBase: number): CloudRecord['regions'] {
  if (!earlier) return [];
  const isSamePlan = portBase === 0 || earlier.regions.some(({ controlPort }) => controlPort === portBase);
  return isSamePlan ? earlier.regions : [];
}

/** A region whose processes outlived their supervisor holds its own ports: those are no obstacle. */
async function endpointsOfIdleRegions(dataDir: string, record: CloudRecord) {
  const endpoints: { what: string; address: string; port: number }[] = [];
  for (const own of record.regions) {
    const isIdle =
      daemonsUnder(regionFolder(dataDir, own.region)).length === 0 &&
      !(await livingRegionProcess(dataDir, own.region));
    if (!isIdle) continue;
    const { address, region } = own;
    endpoints.push(
      { what: `${region}'s control endpoint`, address, port: own.controlPort },
      { what: `${region}'s production listener`, address, port: own.productionPort },
      { what: `${region}'s staging listener`, address, port: own.stagingPort },
    );
  }
  return endpoints;
}

async function startSupervisor(
  options: LifecycleOptions,
  request: UpRequest,
  record: CloudRecord,
  isTakeover: boolean,
): Promise<RunningCloud> {
  const { dataDir, mode, onProgress, signal } = request;
  const child = spawnSupervisor(options.program.entry, dataDir, mode);
  const closed = new Promise<'ended' | 'taken-over'>(resolve =>
    child.once('exit', (_code, how) => resolve(how === TAKE_OVER_SIGNAL ? 'taken-over' : 'ended')),
  );
  const failures: { region: string; error: unknown }[] = [];
  const stop = async ({ force }: { force: boolean }) => {
    sendSignal(child.pid!, force ? 'SIGINT' : 'SIGTERM');
    await closed;
  };
  const ready = new Promise<void>((resolve, reject) => {
    child.on('message', (message: ProcessMessage) => {
      if (message.type === 'progress') onProgress(message);
      else if (message.type === 'failed' && message.region === undefined)
        reject(fromSentError(message.error));
      else if (message.type === 'failed')
        failures.push({ region: message.region!, error: fromSentError(message.error) });
      else if (message.region === undefined) resolve();
      else onProgress({ region: message.region, message: 'ready' });
    });
    child.once('error', reject);
    child.once('exit', () =>
      reject(
        new TandemError(
          'SUPERVISOR_START_FAILED',
          `The supervisor ended while starting; see ${supervisorFiles(dataDir).log}.`,
          {
            kind: 'system',
          },
        ),
      ),
    );
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  try {
    await ready;
    if (failures.length === record.regions.length) throw failures[0]!.error;
  } catch (error) {
    if (!isTakeover) await stop({ force: true });
    else sendSignal(child.pid!, TAKE_OVER_SIGNAL);
    await closed;
    throw isTakeover && signal.aborted ? takeoverInterrupted(dataDir) : error;
  }
  if (mode === 'detached') {
    child.disconnect();
    child.unref();
  }
  return { cloud: createLocalCloud(record, options.connect), failures, closed, stop };
}

function takeoverInterrupted(dataDir: string): TandemError {
  return new TandemError(
    'TAKEOVER_INTERRUPTED',
    `Interrupted while taking over the running cloud in ${dataDir}. Its tasks and load balancers go on without ` +
      'anybody who would start them again: `tandem up` completes the takeover, `tandem down` stops them.',
  );
}

/** A process of its own in either mode: what a region needs must not depend on a terminal. */
function spawnSupervisor(entry: string, dataDir: string, mode: 'foreground' | 'detached'): ChildProcess {
  mkdirSync(dataDir, { recursive: true });
  const output = openSync(supervisorFiles(dataDir).log, 'a');
  const child = spawn(nodePath, [entry, 'internal', 'supervisor', dataDir, mode], {
    cwd: dataDir,
    env: environment,
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  return child;
}

async function down(
  options: LifecycleOptions,
  dataDir: string,
  onProgress: (progress: UpProgress) => void,
): Promise<void> {
  const record = await readCloudRecord(dataDir);
  if (!record || !(await isRunning(dataDir, record))) return;
  // Regions without their supervisor are brought down by a new one: it finds them, and knows how to end each part.
  if (!(await livingSupervisor(dataDir))) {
    onProgress({ message: 'the supervisor is gone; starting one to stop the regions' });
    const child = spawnSupervisor(options.program.entry, dataDir, 'detached');
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: ProcessMessage) => message.region === undefined && resolve());
      child.once('error', reject);
      child.once('exit', () => resolve());
    });
    child.disconnect();
    child.unref();
  }
  const supervisor = await livingSupervisor(dataDir);
  if (!supervisor) return;
  onProgress({ message: 'requests in flight finish, then tasks stop' });
  sendSignal(Number(supervisor.identity.split(':')[0]), 'SIGTERM');
  if (await waitForExit(supervisor.identity, SHUT_DOWN_LIMIT_MS)) return;
  throw new TandemError(
    'DOWN_UNFINISHED',
    `The local cloud in ${dataDir} has not stopped; ${supervisorFiles(dataDir).log} says what it waits for. ` +
      '`tandem destroy` ends it at once and deletes its data.',
    { kind: 'system' },
  );
}

/** For destroy: nothing is worth waiting for. */
async function endAtOnce(dataDir: string, onProgress: (progress: UpProgress) => void): Promise<void> {
  const supervisor = await livingSupervisor(dataDir);
  if (supervisor) {
    onProgress({ message: 'ending every process' });
    sendSignal(Number(supervisor.identity.split(':')[0]), 'SIGINT');
    await waitForExit(supervisor.identity, FORCED_LIMIT_MS);
  }
  await endDaemons(() => ownDaemons(dataDir), FORCED_LIMIT_MS);
}

/** A Terraform that works on AWS is none of the local cloud's, though it works in the same data folder. */
function ownDaemons(dataDir: string): ReturnType<typeof daemonsUnder> {
  const ofAws = join(dataDir, AWS_FOLDER);
  return daemonsUnder(dataDir).filter(({ cwd }) => cwd !== ofAws && !cwd.startsWith(ofAws + sep));
}

/** All of the data folder but what belongs to AWS. */
async function deleteOwn(dataDir: string): Promise<void> {
  const names = (await pathExists(dataDir)) ? await readdir(dataDir) : [];
  if (!names.includes(AWS_FOLDER)) return rm(dataDir, { recursive: true, force: true });
  const own = names.filter(name => name !== AWS_FOLDER && name !== '.gitignore');
  await Promise.all(own.map(name => rm(join(dataDir, name), { recursive: true, force: true })));
}

async function isRunning(dataDir: string, record: CloudAddresses): Promise<boolean> {
  if (await livingSupervisor(dataDir)) return true;
  if (daemonsUnder(join(dataDir, 'regions')).length > 0) return true;
  const living = await Promise.all(record.regions.map(({ region }) => livingRegionProcess(dataDir, region)));
  return living.some(process => process !== undefined);
}

const SERVICE_TITLES: Record<string, string> = {
  balancer: 'load balancer',
  build: 'build',
  compute: 'task',
  repository: 'git',
};

/** What a process is to people, by the service in whose folder it works. */
function titleOf(dataDir: string, cwd: string): string | undefined {
  const [folder, , service] = relative(dataDir, cwd).split(sep);
  return folder === 'regions' && service !== undefined ? SERVICE_TITLES[service] : undefined;
}

function regionOf(dataDir: string, cwd: string): { region?: string } {
  const [folder, region] = relative(dataDir, cwd).split(sep);
  return folder === 'regions' && region !== undefined ? { region } : {};
}

/** The repository service needs what git 2.36 brought: `core.fsync`. */
const OLDEST_GIT = [2, 36] as const;

async function requireGit(): Promise<void> {
  const wanted = `git ${OLDEST_GIT.join('.')} or newer`;
  const install = 'Install it: https://git-scm.com/downloads';
  let answer: string;
  try {
    answer = (await runCommand('git', ['--version'])).stdout;
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    throw new TandemError(
      'GIT_MISSING',
      `Tandem needs the program ${wanted}, and there is none on the PATH. ${install}`,
      { cause: error },
    );
  }
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(answer)?.slice(1) ?? []).map(Number);
  if (major > OLDEST_GIT[0] || (major === OLDEST_GIT[0] && minor >= OLDEST_GIT[1])) return;
  throw new TandemError('GIT_MISSING', `Tandem needs ${wanted}; here is ${answer.trim()}. ${install}`);
}
