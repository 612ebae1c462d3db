import { decideRetention } from '../../control/lifecycle/decide.ts';
import type { Digest } from '../../model/names.ts';
import { transaction, type Database } from '../../platform/database.ts';
import type { Clock } from '../../platform/clock.ts';
import type { EventLog } from '../telemetry/contract.ts';
import type { BlobStore } from './blob-store.ts';
import type { RegistryLimits } from './limits.ts';
import type { Metadata } from './metadata.ts';

export interface LifecycleParts {
  database: Database;
  metadata: Metadata;
  blobs: BlobStore;
  events: EventLog;
  clock: Clock;
  limits: RegistryLimits;
  keepImages: number;
}

/** Reads, decides and deletes within one tick of the event loop: no request can come in between. */
export function applyLifecycle(
  parts: LifecycleParts,
  inUse: ReadonlySet<Digest>,
): { expired: Digest[]; freedBytes: number } {
  const expired: Digest[] = [];
  let freedBytes = 0;
  for (const repository of parts.metadata.repositoriesWithContent()) {
    const decision = decideRetention({
      manifests: parts.metadata.manifestFacts(repository),
      blobs: parts.metadata.blobFacts(repository),
      inUse,
      keepImages: parts.keepImages,
      graceMs: parts.limits.graceMs,
      now: parts.clock.now(),
    });
    if (decision.expired.length > 0) expire(parts, repository, decision.expired);
    expired.push(...decision.expired);
    freedBytes += parts.blobs.unlink(repository, decision.freed);
  }
  return { expired, freedBytes };
}

function expire(parts: LifecycleParts, repository: string, digests: readonly Digest[]): void {
  transaction(parts.database, () => {
    parts.metadata.deleteManifests(repository, digests);
    parts.events.append({
      source: 'registry',
      type: 'ImagesExpired',
      severity: 'info',
      message: `${digests.length} ${digests.length === 1 ? 'manifest' : 'manifests'} of ${repository} expired: only the newest ${parts.keepImages} images are kept, besides those in use`,
      data: { repository, digests },
    });
  });
}
