import { TandemError } from '../core/error.ts';
import type { CommitId, Digest } from './names.ts';

/** Shorter beginnings of a commit id or digest name too much by chance. */
export const SHORTEST_RELEASE_NAME = 4;

/**
 * Releases that one beginning fits must be one: the same image, or builds of the same commit. Asked before a person is,
 * and again where it is done. Throws RELEASE_AMBIGUOUS.
 *
 * @param matches releases deployed with success whose commit id or digest begins with `to`, newest first
 */
export function requireOneRelease(
  to: string,
  matches: readonly { commit: CommitId; digest: Digest; subject: string }[],
): void {
  const [first] = matches;
  const isOne = matches.every(({ commit, digest }) => commit === first!.commit || digest === first!.digest);
  if (isOne) return;
  const choices = matches.map(({ commit, subject }) =>
    subject === '' ? commit.slice(0, 7) : `${commit.slice(0, 7)} "${subject}"`,
  );
  const named = [...new Set(choices)].slice(0, 5).join(', ');
  throw new TandemError('RELEASE_AMBIGUOUS', `'${to}' may mean ${named}: give more of the commit id`, {
    data: { to },
  });
}

interface DeployedRelease {
  commit: CommitId;
  digest: Digest;
  subject: string;
  deployedAt: object;
}

/**
 * The one release that was deployed with success and whose commit id or digest (also without `sha256:`) begins so. Throws
 * RELEASE_UNKNOWN, RELEASE_AMBIGUOUS.
 *
 * @param releases newest first
 */
export function deployedRelease<Deployed extends DeployedRelease>(
  releases: readonly Deployed[],
  to: string,
): Deployed {
  const text = to.trim().toLowerCase();
  const matches = releases.filter(
    ({ commit, digest, deployedAt }) =>
      text.length >= SHORTEST_RELEASE_NAME &&
      Object.keys(deployedAt).length > 0 &&
      (commit.startsWith(text) || digest.startsWith(text) || digest.startsWith(`sha256:${text}`)),
  );
  const [found] = matches;
  requireOneRelease(to, matches);
  if (found) return found;
  throw new TandemError(
    'RELEASE_UNKNOWN',
    `no release that was deployed with success begins with '${to}' (at least ${SHORTEST_RELEASE_NAME} characters); \`tandem releases\` lists them`,
    { data: { to } },
  );
}
