import {
  CommitDoesNotExistException,
  GetMergeConflictsCommand,
  InvalidCommitException,
  TipsDivergenceExceededException,
  type CodeCommitClient,
} from '@aws-sdk/client-codecommit';
import type { Relation } from '../../../control/replication/decide.ts';
import type { CommitId } from '../../../model/names.ts';

/**
 * How two commits stand to each other, asked of CodeCommit: one holds the other where the other is their merge base. A
 * region can only say so of commits that it has, so each is asked whether its own value holds the other's.
 */
export async function relationOf(
  repositoryName: string,
  here: { client: CodeCommitClient; id: CommitId },
  there: { client: CodeCommitClient; id: CommitId },
): Promise<Relation> {
  if (await holds(here.client, { repositoryName, commit: here.id, ancestor: there.id })) return 'contains';
  const isContained = await holds(there.client, { repositoryName, commit: there.id, ancestor: here.id });
  return isContained ? 'contained' : 'diverged';
}

async function holds(
  client: CodeCommitClient,
  { repositoryName, commit, ancestor }: { repositoryName: string; commit: CommitId; ancestor: CommitId },
): Promise<boolean> {
  try {
    const { baseCommitId } = await client.send(
      new GetMergeConflictsCommand({
        repositoryName,
        sourceCommitSpecifier: commit,
        destinationCommitSpecifier: ancestor,
        mergeOption: 'FAST_FORWARD_MERGE',
      }),
    );
    return baseCommitId === ancestor;
  } catch (error) {
    // Not here, or no commit, or too far apart to tell: then it is not shown to be safe.
    if (UNRELATED.some(kind => error instanceof kind)) return false;
    throw error;
  }
}

const UNRELATED = [CommitDoesNotExistException, InvalidCommitException, TipsDivergenceExceededException];
