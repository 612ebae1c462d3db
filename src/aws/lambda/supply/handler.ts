/*
 * Copies images from public registries into the region's own, so that tasks need neither the internet nor another's registry
 * to start. Terraform calls it while it applies, and waits. An image that is there already is left as it is: what its tag
 * means was decided when it came.
 */
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { assert } from '../../../core/assert.ts';
import { backoffDelayMs } from '../../../core/backoff.ts';
import { errorMessage, TandemError } from '../../../core/error.ts';
import { delay, systemClock, type Clock } from '../../../platform/clock.ts';
import { sha256 } from '../../../platform/hash.ts';
import { writeOutput } from '../../../platform/process.ts';
import { systemRandom } from '../../../platform/random.ts';
import { parseManifest } from '../../../wire/oci/manifest.ts';
import { parseImageReference } from '../../../wire/oci/reference.ts';
import { setting } from '../settings.ts';
import { RegistryClient, type FetchedManifest } from './registry-client.ts';

export interface SupplySettings {
  /** Of the region's own registry, with what signs in there. */
  signIn(): Promise<{ endpoint: string; authorization: string }>;
  /** `http` in tests. */
  sourceProtocol: 'https' | 'http';
  clock: Clock;
  log(line: string): void;
}

export interface SupplyEvent {
  /** Into which repository. */
  repository: string;
  architecture: 'amd64' | 'arm64';
  images: readonly { /** With registry and tag. */ source: string; tag: string }[];
}

/** A role that was just made is not known everywhere at once (IAM: "Changes that I make are not always immediately visible"). */
const TRIES = 6;
const RETRY = { firstMs: 2_000, maximumMs: 15_000 };

export function createSupply(settings: SupplySettings) {
  const { clock, log } = settings;

  async function copyAll({ repository, architecture, images }: SupplyEvent): Promise<void> {
    const { endpoint, authorization } = await settings.signIn();
    const target = new RegistryClient(endpoint, repository, authorization);
    for (const { source, tag } of images) {
      if (await target.hasManifest(tag)) {
        log(`${repository}:${tag} is there already`);
      } else {
        const digest = await copy(source, target, { tag, architecture });
        log(`${source} is ${repository}:${tag} now, ${digest}`);
      }
    }
  }

  async function copy(
    source: string,
    target: RegistryClient,
    { tag, architecture }: { tag: string; architecture: string },
  ): Promise<string> {
    const { registry, repository, tag: sourceTag } = parseImageReference(source);
    assert(registry !== undefined && sourceTag !== undefined, `${source} lacks a registry or a tag`);
    const from = new RegistryClient(`${settings.sourceProtocol}://${registry}`, repository);
    const manifest = await manifestFor(from, { source, reference: sourceTag, architecture });
    const parsed = parseManifest(manifest.bytes, manifest.mediaType);
    assert(parsed.kind === 'manifest', `${source} has an index in its index`);
    for (const { digest } of [parsed.config, ...parsed.layers]) {
      if (!(await target.hasBlob(digest))) await target.putBlob(digest, await from.blob(digest));
    }
    await target.putManifest(tag, manifest);
    return `sha256:${sha256(manifest.bytes)}`;
  }

  return async function supply(event: SupplyEvent): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await copyAll(event);
      } catch (error) {
        if (attempt === TRIES) throw error;
        log(`attempt ${attempt} failed: ${errorMessage(error)}`);
        await delay(clock, backoffDelayMs(RETRY, attempt, systemRandom));
      }
    }
  };
}

/** Of an image of several processors, the one for Linux on this one. */
async function manifestFor(
  from: RegistryClient,
  { source, reference, architecture }: { source: string; reference: string; architecture: string },
): Promise<FetchedManifest> {
  const found = await from.manifest(reference);
  const parsed = parseManifest(found.bytes, found.mediaType);
  if (parsed.kind === 'manifest') return found;
  const chosen = parsed.manifests.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  );
  if (!chosen) {
    throw new TandemError('IMAGE_COPY_FAILED', `${source} has no image for Linux on ${architecture}`, {
      data: { source, architecture },
    });
  }
  const manifest = await from.manifest(chosen.digest);
  if (`sha256:${sha256(manifest.bytes)}` !== chosen.digest) {
    throw new TandemError('IMAGE_COPY_FAILED', `${source}: what came as ${chosen.digest} is something else`, {
      kind: 'system',
      data: { source, digest: chosen.digest },
    });
  }
  return manifest;
}

async function signInToEcr(): Promise<{ endpoint: string; authorization: string }> {
  const { authorizationData } = await new ECRClient({ region: setting('AWS_REGION') }).send(
    new GetAuthorizationTokenCommand(),
  );
  const { proxyEndpoint, authorizationToken } = authorizationData?.[0] ?? {};
  assert(proxyEndpoint !== undefined && authorizationToken !== undefined, 'ECR gave no token');
  return { endpoint: proxyEndpoint, authorization: `Basic ${authorizationToken}` };
}

/** What Lambda calls. */
export async function handler(event: SupplyEvent): Promise<Record<string, never>> {
  await createSupply({
    signIn: signInToEcr,
    sourceProtocol: 'https',
    clock: systemClock,
    log: line => writeOutput(`${line}\n`),
  })(event);
  return {};
}
