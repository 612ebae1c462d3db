import type { NewRegionEvent } from '../../model/event.ts';
import type { Execution } from '../../model/execution.ts';
import type { CommitId, Digest } from '../../model/names.ts';
import type { Commit } from '../../model/release.ts';

/** `3fa2c1d`: a commit as people say it. */
export function shortCommit(commit: CommitId): string {
  return commit.slice(0, 7);
}

/** `sha256:9f86d081884c`: enough of a digest to tell it from others. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, 19);
}

/** `3f2a9c1e`: an execution id as commands print and take it. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** `3fa2c1d "Fix the price"`, or the id alone while the commit has not been read. */
export function describeCommit(commit: Commit): string {
  return commit.subject === '' ? shortCommit(commit.id) : `${shortCommit(commit.id)} "${commit.subject}"`;
}

/** Causes come from builds, tasks and peers: one line, of a length that a terminal bears. */
export function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 500 ? `${line.slice(0, 499)}…` : line;
}

export function pipelineEvent(
  execution: Execution,
  type: string,
  severity: NewRegionEvent['severity'],
  message: string,
): NewRegionEvent {
  return {
    source: 'pipeline',
    type,
    severity,
    message,
    data: {
      executionId: execution.id,
      number: execution.number,
      commit: execution.commit.id,
      stage: execution.stage,
      status: execution.status,
    },
  };
}
