import { join } from 'node:path';
import type { Relation } from '../../control/replication/decide.ts';
import { SECOND_MS } from '../../core/duration.ts';
import { TandemError } from '../../core/error.ts';
import type { CommitId } from '../../model/names.ts';
import type { Commit } from '../../model/release.ts';
import { mkdirSync, rm } from '../../platform/files.ts';
import { newToken } from '../../platform/random.ts';
import { gitComplaint, type Git } from './git.ts';

const COMMIT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const ABBREVIATED_ID = /^[0-9a-f]{4,64}$/;

/** Throws COMMIT_UNKNOWN. */
export async function readCommit(git: Git, id: CommitId): Promise<Commit> {
  await requireCommit(git, id);
  const format = '--format=%an%x00%ae%x00%at%x00%s';
  const text = await git.output(['log', '-1', '--no-walk', '--encoding=UTF-8', format, id]);
  const [name = '', email = '', authoredAt = '0', subject = ''] = text.replace(/\n$/, '').split('\0');
  return { id, subject, author: { name, email }, authoredAt: Number(authoredAt) * SECOND_MS };
}

/** The commit that a branch, tag, full ref name or (abbreviated) id names; an ambiguous one names none. */
export async function resolveRevision(git: Git, revision: string): Promise<CommitId | undefined> {
  if (!/^[^\s\p{Cc}]+$/u.test(revision)) return undefined;
  const candidates = [
    `refs/heads/${revision}`,
    `refs/tags/${revision}`,
    ...(revision.startsWith('refs/') ? [revision] : []),
    ...(ABBREVIATED_ID.test(revision) ? [revision] : []),
  ];
  const found = await describeObjects(
    git,
    candidates.map(candidate => `${candidate}^{commit}`),
  );
  return found.find(object => object?.type === 'commit')?.id;
}

/** Who made the commit that each id names (or, for a tag, points to), as `name <email>`. Others are left out. */
export async function readCommitters(git: Git, ids: readonly string[]): Promise<Map<string, string>> {
  const distinct = [...new Set(ids)];
  const [only] = distinct;
  // Most pushes change one ref, and git peels a single tag by itself.
  if (only !== undefined && distinct.length === 1) {
    const [line] = await listCommitters(git, distinct);
    return new Map(line === undefined ? [] : [[only, line.committer]]);
  }
  const peeled = await describeObjects(
    git,
    distinct.map(id => `${id}^{commit}`),
  );
  const lines = await listCommitters(
    git,
    peeled.flatMap(object => object?.id ?? []),
  );
  const byCommit = new Map(lines.map(({ commit, committer }) => [commit, committer]));
  return new Map(
    distinct.flatMap((id, index) => {
      const committer = byCommit.get(peeled[index]?.id ?? '');
      return committer === undefined ? [] : [[id, committer] as const];
    }),
  );
}

async function listCommitters(
  git: Git,
  ids: readonly string[],
): Promise<{ commit: CommitId; committer: string }[]> {
  if (ids.length === 0) return [];
  const argv = ['log', '--no-walk=unsorted', '--stdin', '--encoding=UTF-8', '--format=%H %cn <%ce>'];
  const { stdout } = await git.run(argv, { input: ids.join('\n') });
  const lines = stdout.split('\n').filter(line => line !== '');
  return lines.map(line => {
    const [commit, committer] = splitAt(line, line.indexOf(' '));
    return { commit, committer };
  });
}

/**
 * Writes a commit's files as a clone would (links, executable bits, line ends by attributes), through an index of
 * its own, so that any number of checkouts run side by side. The index has a folder of its own too: a git that is killed
 * leaves its lock beside it.
 */
export async function checkOut(
  git: Git,
  commit: CommitId,
  target: { folder: string; indexFolder: string },
): Promise<void> {
  await requireCommit(git, commit);
  const ownFolder = join(target.indexFolder, newToken(8));
  mkdirSync(ownFolder, { recursive: true });
  try {
    await git.output(
      ['-c', 'core.fsync=none', '-c', 'core.bare=false', 'read-tree', '--reset', '-u', commit],
      { environment: { GIT_INDEX_FILE: join(ownFolder, 'index'), GIT_WORK_TREE: target.folder } },
    );
  } finally {
    await rm(ownFolder, { recursive: true, force: true });
  }
}

/** How our value stands to theirs. Only commits have a history to compare; both must be stored here. */
export async function relationOf(git: Git, here: string, there: string): Promise<Relation> {
  const objects = await describeObjects(git, [here, there]);
  if (!objects.every(object => object?.type === 'commit')) return 'diverged';
  if (await isAncestor(git, there, here)) return 'contains';
  return (await isAncestor(git, here, there)) ? 'contained' : 'diverged';
}

export async function hasObject(git: Git, id: string): Promise<boolean> {
  const [object] = await describeObjects(git, [id]);
  return object !== undefined;
}

async function isAncestor(git: Git, ancestor: string, descendant: string): Promise<boolean> {
  const { exitCode, stderr } = await git.run(['merge-base', '--is-ancestor', ancestor, descendant]);
  if (exitCode === 0 || exitCode === 1) return exitCode === 0;
  throw new TandemError(
    'GIT_FAILED',
    `git could not compare ${ancestor} and ${descendant}: ${gitComplaint(stderr)}`,
    { kind: 'system' },
  );
}

async function requireCommit(git: Git, id: CommitId): Promise<void> {
  const [object] = COMMIT_ID.test(id) ? await describeObjects(git, [id]) : [];
  if (object?.type === 'commit') return;
  throw new TandemError(
    'COMMIT_UNKNOWN',
    `The repository has no commit ${JSON.stringify(id.slice(0, 80))}. It may have been pushed to another region ` +
      'only, or its branch was deleted long ago; push it here.',
    { data: { commit: id } },
  );
}

async function describeObjects(
  git: Git,
  names: readonly string[],
): Promise<({ id: string; type: string } | undefined)[]> {
  if (names.length === 0) return [];
  const text = await git.output(['cat-file', '--batch-check=%(objectname) %(objecttype)'], {
    input: `${names.join('\n')}\n`,
  });
  return text
    .split('\n')
    .slice(0, names.length)
    .map(line => {
      const [, id, type] = /^([0-9a-f]{40,64}) (commit|tag|tree|blob)$/.exec(line) ?? [];
      return id === undefined || type === undefined ? undefined : { id, type };
    });
}

function splitAt(line: string, position: number): [string, string] {
  return [line.slice(0, position), line.slice(position + 1)];
}
