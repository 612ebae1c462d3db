import type { ConfigInput } from '../../model/config/schema.ts';
import { awsRegions } from '../../model/config/regions.ts';
import { isRecord, valueAt, type Manifest } from './manifest.ts';
import { ValueReader, show, type Tell } from './read-values.ts';

/** How many regions there are where none is named. */
const DEFAULT_REGIONS = 2;

type Region = (typeof awsRegions)[number];

/** What the manifest of Copilot's production environment says of the network. */
export function mapNetwork(
  environment: Manifest,
  regions: number,
  tell: Tell,
): NonNullable<ConfigInput['network']> {
  const values = new ValueReader(environment.value, tell);
  const cidr = values.text('network.vpc.cidr');
  const flowLogs = values.raw('network.vpc.flow_logs');
  return {
    ...(cidr !== undefined && mapBlock(cidr, 256 - Math.max(regions, DEFAULT_REGIONS), tell)),
    ...(flowLogs !== undefined && { flowLogs: flowLogs !== false }),
  };
}

/** Each region's network is the next block. */
function mapBlock(cidr: string, last: number, tell: Tell): { firstBlock?: number } {
  const block = Number(/^10\.(\d{1,3})\.\d{1,3}\.\d{1,3}\/\d{1,2}$/.exec(cidr)?.[1] ?? Number.NaN);
  if (Number.isNaN(block) || block > last) {
    tell(
      'left',
      'network.vpc.cidr',
      `Tandem’s networks are 10.<block>.0.0/16, ${show(cidr)} is not; choose network.firstBlock`,
    );
    return {};
  }
  tell(
    'changed',
    'network.vpc.cidr',
    `10.${block}.0.0/16, and the next block for the next region; where both networks are to be peered while you move, choose another network.firstBlock`,
  );
  return { firstBlock: block };
}

/** Regions that the environments' manifests give away, by zones or certificates: the workspace has them nowhere else. */
export function regionsNamed(environments: readonly Manifest[]): Region[] {
  const texts = environments.flatMap(({ value }) => [
    ...textsIn(valueAt(value, 'network')),
    ...textsIn(valueAt(value, 'http')),
  ]);
  const named = texts.flatMap(text =>
    awsRegions.filter(region => new RegExp(`\\b${region}(?:[a-f]\\b|:|$)`).test(text)),
  );
  return [...new Set(named)];
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isRecord(value) ? Object.values(value).flatMap(textsIn) : [];
}
