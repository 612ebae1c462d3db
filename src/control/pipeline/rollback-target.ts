import { TandemError } from '../../core/error.ts';
import type { Digest } from '../../model/names.ts';
import { requireOneRelease } from '../../model/release-name.ts';
import type { Commit, Release } from '../../model/release.ts';
import { describeCommit, shortDigest } from './words.ts';

export interface LedgerRelease {
  release: Release;
  commit: Commit;
  isImageAvailable: boolean;
}

/**
 * The last good production release before the current one. `good` are the releases that production ran with
 * success, the latest first, without those that were rolled back from: going back twice goes back two releases.
 * `attempted` is what the latest deployment to production tried. Where that never became good (it runs, failed,
 * or was abandoned), the latest good release is the one to go back to.
 */
export function lastGoodRelease(
  good: readonly LedgerRelease[],
  attempted: Digest | undefined,
): LedgerRelease {
  const [latest, before] = good;
  if (!latest) {
    throw new TandemError(
      'ROLLBACK_IMPOSSIBLE',
      'Production can not be rolled back: no release has been deployed there with success yet',
    );
  }
  if (attempted !== undefined && attempted !== latest.release.digest) return requireImage(latest);
  if (!before) {
    throw new TandemError(
      'ROLLBACK_IMPOSSIBLE',
      `Production can not be rolled back: ${describeCommit(latest.commit)} is the first good release there. Name another release: tandem rollback <commit> (see tandem releases)`,
    );
  }
  return requireImage(before);
}

/** `matches`: the releases proved in staging or production whose commit or digest begins with `to`, newest first. */
export function namedRelease(
  to: string,
  matches: readonly LedgerRelease[],
  current: Digest | undefined,
): LedgerRelease {
  const [first] = matches;
  if (!first) {
    throw new TandemError(
      'RELEASE_UNKNOWN',
      `No release that succeeded in staging or production begins with '${to}'. See: tandem releases`,
      { data: { to } },
    );
  }
  requireOneRelease(
    to,
    matches.map(({ commit, release }) => ({
      commit: commit.id,
      digest: release.digest,
      subject: commit.subject,
    })),
  );
  const chosen = matches.find(match => match.isImageAvailable) ?? first;
  if (chosen.release.digest === current) {
    throw new TandemError(
      'ROLLBACK_IMPOSSIBLE',
      `Production runs ${describeCommit(chosen.commit)} (${shortDigest(chosen.release.digest)}) already`,
      { data: { digest: chosen.release.digest } },
    );
  }
  return requireImage(chosen);
}

function requireImage(target: LedgerRelease): LedgerRelease {
  if (target.isImageAvailable) return target;
  throw new TandemError(
    'ROLLBACK_IMPOSSIBLE',
    `The image of ${describeCommit(target.commit)} has been removed from the registry (registry.keepImages). Choose another release (tandem releases), or push the commit again to have it built`,
    { data: { digest: target.release.digest } },
  );
}
