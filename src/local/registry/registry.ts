import { HOUR_MS } from '../../core/duration.ts';
import { errorMessage, TandemError } from '../../core/error.ts';
import { ManifestGraph } from '../../control/lifecycle/decide.ts';
import type { Timer } from '../../platform/clock.ts';
import { migrate } from '../../platform/database.ts';
import { isDigest } from '../../wire/oci/digest.ts';
import { RegistryError } from '../../wire/oci/registry-error.ts';
import type { ServiceContext } from '../context.ts';
import { BlobStore } from './blob-store.ts';
import type { Registry, StoredImage } from './contract.ts';
import { serveRegistry } from './http/serve.ts';
import { ImagePuller } from './image-puller.ts';
import { applyLifecycle } from './lifecycle.ts';
import { REGISTRY_LIMITS, type RegistryLimits } from './limits.ts';
import { ManifestStore } from './manifest-store.ts';
import { Metadata } from './metadata.ts';
import { REGISTRY_MIGRATIONS } from './schema.ts';
import { Uploads } from './uploads.ts';

const CLEAN_UP_EVERY_MS = HOUR_MS;

export function createRegistry(context: ServiceContext, limits: RegistryLimits = REGISTRY_LIMITS): Registry {
  const { clock, database, events, folder } = context;
  migrate(database, 'registry', REGISTRY_MIGRATIONS);
  const metadata = new Metadata(database);
  const blobs = new BlobStore(folder, database, clock);
  const uploads = new Uploads(folder, database, clock, blobs, limits);
  const manifests = new ManifestStore(metadata, blobs, clock);
  const puller = new ImagePuller({
    blobs,
    uploads,
    manifests,
    metadata,
    limits,
    clock,
    random: context.random,
  });
  const requests = new Map<Promise<void>, () => void>();
  let timer: Timer | undefined;
  let cleaning = Promise.resolve();

  async function cleanUp(): Promise<void> {
    try {
      await uploads.removeStale();
    } catch (error) {
      const message = `Stale uploads could not be removed: ${errorMessage(error)}`;
      events.append({ source: 'registry', type: 'CleanUpFailed', severity: 'warning', message, data: {} });
    }
  }

  return {
    async start() {
      await blobs.removeStrays();
      await cleanUp();
      timer = clock.every(
        CLEAN_UP_EVERY_MS,
        () => {
          cleaning = cleanUp();
        },
        { idle: true },
      );
    },

    async stop() {
      timer?.cancel();
      for (const cutOff of requests.values()) cutOff();
      await Promise.all([cleaning, puller.stop(), ...requests.keys()]);
    },

    handle(request, response) {
      if (!/^\/v2(?:[/?]|$)/.test(request.url ?? '')) return false;
      const served = serveRegistry(
        { blobs, uploads, manifests, metadata, limits, events },
        request,
        response,
      ).finally(() => requests.delete(served));
      requests.set(served, () => request.destroy());
      return true;
    },

    manifest(repository, reference) {
      const digest = isDigest(reference) ? reference : metadata.taggedDigest(repository, reference);
      return Promise.resolve(digest === undefined ? undefined : metadata.manifest(repository, digest));
    },

    async blobPath(digest) {
      if (!isDigest(digest)) return undefined;
      return (await blobs.sizeBytes(digest)) === undefined ? undefined : blobs.path(digest);
    },

    images: repository => listImages(metadata, repository),

    async pullFrom(endpoint, repository, digest, tag) {
      if (tag !== undefined) requireMovable(manifests, repository, tag, digest);
      const isHere = metadata.hasManifest(repository, digest);
      await puller.pull({ endpoint, repository, digest });
      if (tag !== undefined) {
        requireMovable(manifests, repository, tag, digest);
        metadata.setTag(repository, tag, digest);
      }
      if (isHere) return;
      events.append({
        source: 'registry',
        type: 'ImageReplicated',
        severity: 'info',
        message: `${repository}${tag === undefined ? '' : `:${tag}`} was copied from ${endpoint} (${digest})`,
        data: { repository, digest, endpoint, ...(tag === undefined ? {} : { tag }) },
      });
    },

    applyLifecycle(inUse) {
      const { keepImages } = context.config.registry;
      const parts = { database, metadata, blobs, events, clock, limits, keepImages };
      return Promise.resolve(applyLifecycle(parts, inUse));
    },
  };
}

function requireMovable(manifests: ManifestStore, repository: string, tag: string, digest: string): void {
  try {
    manifests.refuseMovedCommitTag(repository, tag, digest);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw new TandemError('TAG_IMMUTABLE', error.message, { data: error.detail, cause: error });
  }
}

/** Newest first; an index counts with all it names, a referrer not at all. */
function listImages(metadata: Metadata, repository: string): StoredImage[] {
  const facts = metadata.manifestFacts(repository);
  const graph = new ManifestGraph(facts);
  const byDigest = new Map(facts.map(manifest => [manifest.digest, manifest]));
  const blobSizes = new Map(metadata.blobFacts(repository).map(blob => [blob.digest, blob.sizeBytes]));
  const tags = metadata.tagsByDigest(repository);
  return facts
    .filter(manifest => graph.above(manifest.digest).length === 0 && manifest.subject === undefined)
    .map(({ digest, pushedAt }) => {
      const whole = graph.closure([digest], member => byDigest.get(member)?.children ?? []);
      const blobs = new Set([...whole].flatMap(member => byDigest.get(member)?.blobs ?? []));
      const manifestBytes = [...whole].reduce(
        (sum, member) => sum + (byDigest.get(member)?.sizeBytes ?? 0),
        0,
      );
      const blobBytes = [...blobs].reduce((sum, blob) => sum + (blobSizes.get(blob) ?? 0), 0);
      return { digest, tags: tags.get(digest) ?? [], pushedAt, sizeBytes: manifestBytes + blobBytes };
    })
    .sort((left, right) => right.pushedAt - left.pushedAt);
}
