import { BatchGetCommitsCommand, CodeCommitClient } from '@aws-sdk/client-codecommit';
import type { SourceRevision } from '@aws-sdk/client-codepipeline';
import { TandemError } from '../../../core/error.ts';
import type { CommitId } from '../../../model/names.ts';
import type { Commit } from '../../../model/release.ts';
import type { RegionCalls } from './region-calls.ts';

/** As many as one call gives. */
const BATCH = 100;

/** What is known of commits, kept: a commit never changes. */
export class CommitReader {
  readonly #calls: RegionCalls;
  readonly #repositoryName: string | undefined;
  readonly #known = new Map<CommitId, Commit>();

  /** @param repositoryName of CodeCommit; `undefined` where the repository is elsewhere. */
  constructor(calls: RegionCalls, repositoryName: string | undefined) {
    this.#calls = calls;
    this.#repositoryName = repositoryName;
  }

  /** Looks commits up. Who may not read the repository still sees what the pipeline says of them. */
  async lookUp(ids: readonly CommitId[]): Promise<void> {
    const repositoryName = this.#repositoryName;
    const commitIds = [...new Set(ids)].filter(id => id !== '' && !this.#known.has(id)).slice(0, BATCH);
    if (repositoryName === undefined || commitIds.length === 0) return;
    try {
      const { commits = [] } = await this.#calls.ask(CodeCommitClient, 'codecommit:BatchGetCommits', client =>
        client.send(new BatchGetCommitsCommand({ repositoryName, commitIds })),
      );
      for (const { commitId: id = '', message = '', author } of commits) {
        this.#known.set(id, {
          id,
          subject: firstLine(message),
          author: { name: author?.name ?? '', email: author?.email ?? '' },
          authoredAt: authoredAt(author?.date),
        });
      }
    } catch (error) {
      if (!(error instanceof TandemError) || error.code !== 'AWS_CALL_FAILED') throw error;
    }
  }

  /** As looked up, else as the pipeline tells it: with the subject, without the author. */
  of(id: CommitId, revision: SourceRevision | undefined): Commit {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    return { id, subject: subjectOf(revision), author: { name: '', email: '' }, authoredAt: 0 };
  }
}

/** CodeCommit has Git's own form, seconds and zone: `1764258000 +0100`. */
function authoredAt(date = ''): number {
  const [seconds = ''] = date.split(' ');
  return /^\d+$/.test(seconds) ? Number(seconds) * 1000 : 0;
}

/** A connection's revision is summarised as JSON (CodePipeline user guide, CodeStarSourceConnection). */
function subjectOf({ revisionSummary = '' }: Partial<SourceRevision> = {}): string {
  if (!revisionSummary.startsWith('{')) return firstLine(revisionSummary);
  try {
    const { CommitMessage = '' } = JSON.parse(revisionSummary) as { CommitMessage?: string };
    return firstLine(CommitMessage);
  } catch {
    return firstLine(revisionSummary);
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.trim();
}
