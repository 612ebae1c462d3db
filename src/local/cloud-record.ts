import { join } from 'node:path';
import { TandemError } from '../core/error.ts';
import type { Config } from '../model/config/schema.ts';
import type { TimingProfile } from '../model/timing.ts';
import { mkdirSync, readTextIfExists, writeFileDurably } from '../platform/files.ts';
import { sha256 } from '../platform/hash.ts';
import { processIdentity } from '../platform/process.ts';

/*
 * What a data folder holds:
 *
 *   cloud.json              this record: regions, addresses, settings, the internal token (mode 600)
 *   supervisor.db           held locked by the supervisor for as long as it lives
 *   supervisor.json, .log   who it is; what it said
 *   regions/<region>/       everything of one region; no other region reads or writes it
 */

export interface RegionRecord {
  region: string;
  address: string;
  controlPort: number;
  productionPort: number;
  stagingPort: number;
}

/** What is needed to talk to a running cloud. */
export interface CloudAddresses {
  config: Pick<Config, 'application' | 'pipeline'>;
  regions: RegionRecord[];
}

export interface CloudRecord extends CloudAddresses {
  /** The record's own format. */
  version: 1;
  /** The Tandem that runs the regions; absent in records of versions that did not note it. */
  program?: { version: string; entry: string } | undefined;
  configPath: string;
  config: Config;
  timing: TimingProfile;
  internalToken: string;
}

export const supervisorFiles = (dataDir: string) => ({
  lock: join(dataDir, 'supervisor.db'),
  record: join(dataDir, 'supervisor.json'),
  log: join(dataDir, 'supervisor.log'),
});

function recordFile(dataDir: string): string {
  return join(dataDir, 'cloud.json');
}

export function regionFolder(dataDir: string, region: string): string {
  return join(dataDir, 'regions', region);
}

export function controlEndpoint(region: RegionRecord): string {
  return `http://${region.address}:${region.controlPort}`;
}

export function serviceUrl(region: RegionRecord, service: 'staging' | 'production'): string {
  return `http://${region.address}:${service === 'staging' ? region.stagingPort : region.productionPort}`;
}

/** The record of a data folder, or `undefined` where no local cloud was ever set up there. */
export async function readCloudRecord(dataDir: string): Promise<CloudRecord | undefined> {
  const path = recordFile(dataDir);
  const text = await readTextIfExists(path);
  if (text === undefined) return undefined;
  // The schema, and what checks by it, takes longer to load than most commands take otherwise.
  const { cloudRecordSchema } = await import('./cloud-record-schema.ts');
  try {
    return cloudRecordSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new TandemError(
      'DATA_FOLDER_INVALID',
      `${path} is not a record that this version of Tandem can read. ` +
        'Use the version that made it, or start afresh with `tandem destroy` or another --data-dir.',
      { data: { path }, cause: error },
    );
  }
}

/**
 * The same as far as it is needed to talk to the regions, without the check of the whole record, which whoever wrote it
 * and whoever runs by it has made.
 */
export async function readCloudAddresses(dataDir: string): Promise<CloudAddresses | undefined> {
  const text = await readTextIfExists(recordFile(dataDir));
  return text === undefined ? undefined : (addressesIn(text) ?? readCloudRecord(dataDir));
}

function addressesIn(text: string): CloudAddresses | undefined {
  try {
    const record = JSON.parse(text) as Partial<CloudRecord> | null;
    if (record?.version !== 1 || !record.config || !record.regions) return undefined;
    return { config: record.config, regions: record.regions };
  } catch {
    return undefined;
  }
}

export function writeCloudRecord(dataDir: string, record: CloudRecord): void {
  mkdirSync(dataDir, { recursive: true });
  writeFileDurably(recordFile(dataDir), `${JSON.stringify(record, null, 2)}\n`, 0o600);
}

/** Differs between two records exactly where a region process started with the one must be replaced for the other. */
export function settingsDigest(record: CloudRecord): string {
  return sha256(JSON.stringify(record));
}

/** The process that serves a region's control endpoint, written by itself once it is up. */
export interface RegionProcessRecord {
  identity: string;
  settings: string;
}

export function regionProcessFile(dataDir: string, region: string): string {
  return join(regionFolder(dataDir, region), 'region.json');
}

/** The recorded region process, if it is still that very process that runs. */
export async function livingRegionProcess(
  dataDir: string,
  region: string,
): Promise<RegionProcessRecord | undefined> {
  return livingProcess(regionProcessFile(dataDir, region)) as Promise<RegionProcessRecord | undefined>;
}

/** The supervisor of a data folder, if it runs. */
export async function livingSupervisor(dataDir: string): Promise<{ identity: string } | undefined> {
  return livingProcess(supervisorFiles(dataDir).record);
}

async function livingProcess(path: string): Promise<{ identity: string } | undefined> {
  const text = await readTextIfExists(path);
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as { identity: string };
    return processIdentity(Number(record.identity.split(':')[0])) === record.identity ? record : undefined;
  } catch {
    return undefined;
  }
}
