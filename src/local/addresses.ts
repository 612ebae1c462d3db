import { TandemError } from '../core/error.ts';
import { freePort, isFree } from '../platform/network.ts';
import type { RegionRecord } from './cloud-record.ts';

/** Ports of one region, as steps from the base: 8000 control, 8080 production, 8081 staging. */
const CONTROL_STEP = 0;
const PRODUCTION_STEP = 80;
const STAGING_STEP = 81;
/** Between two regions, where they share one address. */
const REGION_STEP = 1_000;

export interface AddressPlan {
  regions: readonly string[];
  /** 0: any free ports, kept from then on. */
  portBase: number;
  /** Linux answers on the whole of 127.0.0.0/8, so region N has an address of its own, 127.0.N.1. */
  addressPerRegion: boolean;
}

/** Gives every region its address and ports; a region that has some from an earlier run keeps them. */
export async function planAddresses(
  plan: AddressPlan,
  earlier: readonly RegionRecord[],
): Promise<RegionRecord[]> {
  const records: RegionRecord[] = [];
  for (const [index, region] of plan.regions.entries()) {
    const kept = earlier.find(record => record.region === region);
    records.push(kept ?? (await newAddress(plan, region, unusedIndex(index, earlier))));
  }
  return records;
}

/** The place of a new region: its own in the list, or the first that no earlier region holds. */
function unusedIndex(index: number, earlier: readonly RegionRecord[]): number {
  return earlier.length === 0 ? index : Math.max(index, earlier.length);
}

async function newAddress(plan: AddressPlan, region: string, index: number): Promise<RegionRecord> {
  const address = plan.addressPerRegion ? `127.0.${index + 1}.1` : '127.0.0.1';
  if (plan.portBase === 0) {
    const [controlPort, productionPort, stagingPort] = await threeFreePorts(address);
    return { region, address, controlPort, productionPort, stagingPort };
  }
  const base = plan.portBase + (plan.addressPerRegion ? 0 : index * REGION_STEP);
  return {
    region,
    address,
    controlPort: base + CONTROL_STEP,
    productionPort: base + PRODUCTION_STEP,
    stagingPort: base + STAGING_STEP,
  };
}

async function threeFreePorts(address: string): Promise<[number, number, number]> {
  const ports = new Set<number>();
  while (ports.size < 3) ports.add(await freePort(address));
  return [...ports] as [number, number, number];
}

/** Throws PORT_TAKEN, naming every port that somebody else listens on. */
export async function requireFree(
  endpoints: readonly { what: string; address: string; port: number }[],
): Promise<void> {
  const taken: string[] = [];
  for (const { what, address, port } of endpoints) {
    if (!(await isFree({ address, port }))) taken.push(`${address}:${port} (${what})`);
  }
  if (taken.length === 0) return;
  throw new TandemError(
    'PORT_TAKEN',
    `Another program listens on ${taken.join(', ')}. Stop it, or choose other ports: \`tandem up --port-base 9000\` ` +
      '(0 takes any that are free).',
    { data: { taken } },
  );
}
