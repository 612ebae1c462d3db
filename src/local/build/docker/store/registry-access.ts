import { join } from 'node:path';
import { TandemError } from '../../../../core/error.ts';
import { readFileSync, writeFileDurably } from '../../../../platform/files.ts';
import type { ImageReference } from '../../../../wire/oci/reference.ts';
import type { ToolSettings } from '../settings.ts';
import { RegistryClient, type Credentials } from './registry-client.ts';

type StoredCredentials = Record<string, Credentials>;

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?$/;

/** Runs `work` with a client of the registry that `reference` names, which must be one on this machine. */
export async function withRegistry<Result>(
  settings: ToolSettings,
  reference: ImageReference,
  signal: AbortSignal,
  work: (client: RegistryClient) => Promise<Result>,
): Promise<Result> {
  const host = localRegistry(settings, reference.registry);
  const client = new RegistryClient(host, readCredentials(settings)[host], signal);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** ECR's own name for the registry of an account in a region. */
const ECR = /^\d{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;

/**
 * Where to reach the registry called `host`: the region's own, also under the name that ECR would give it (build
 * specifications put that together from account and region), or another on this machine. Throws REGISTRY_FOREIGN.
 */
export function localRegistry(settings: ToolSettings, host: string | undefined): string {
  if (ECR.exec(host ?? '')?.[1] === settings.region) return settings.registryHost;
  if (host !== undefined && (host === settings.registryHost || LOOPBACK.test(host))) return host;
  throw new TandemError(
    'REGISTRY_FOREIGN',
    `${host ?? 'docker.io'} is not this region's registry: without a container engine, images go to and come from ${settings.registryHost} only. Name the image ${settings.registryHost}/…, or start Docker or Podman.`,
  );
}

export function keepCredentials(
  settings: ToolSettings,
  host: string,
  credentials: Credentials | undefined,
): void {
  const all = readCredentials(settings);
  if (credentials === undefined) delete all[host];
  else all[host] = credentials;
  writeFileDurably(credentialsPath(settings), JSON.stringify(all), 0o600);
}

function readCredentials(settings: ToolSettings): StoredCredentials {
  try {
    return JSON.parse(readFileSync(credentialsPath(settings), 'utf8')) as StoredCredentials;
  } catch {
    return {};
  }
}

function credentialsPath(settings: ToolSettings): string {
  return join(settings.folder, 'credentials.json');
}
