import { unreachable } from '../../core/assert.ts';
import type { RefSplit } from '../../control/replication/decide.ts';
import type { Notice, PeerCondition } from '../../control/replication/report.ts';
import { formatDuration } from '../../core/duration.ts';
import type { Instant } from '../../core/instant.ts';
import type { NewRegionEvent } from '../../model/event.ts';
import type { CommitId, RegionName } from '../../model/names.ts';
import type { ReplicationStatus } from '../../model/status.ts';

export interface Side {
  region: RegionName;
  gitUrl: string;
}

export interface PeerFacts {
  own: Side;
  peer: Side;
  now: Instant;
  /** When each ref that the peer lacks changed. */
  pendingSince: readonly Instant[];
  condition: PeerCondition;
  lastFailure: { message: string; isUnreachable: boolean } | undefined;
}

/** What a side without the ref is shown to have, as git itself prints it. */
const NO_COMMIT: CommitId = '0'.repeat(40);

export function replicationStatus(facts: PeerFacts): ReplicationStatus {
  const { own, peer, now, pendingSince, condition, lastFailure } = facts;
  const messages = [
    ...(lastFailure === undefined ? [] : [`${lastFailure.message}; it is tried until it succeeds`]),
    ...condition.splits.map(split => describeSplit(split, own, peer)),
  ];
  return {
    peer: peer.region,
    state: stateOf(facts),
    pendingRefs: pendingSince.length,
    lagMs: pendingSince.length === 0 ? 0 : Math.max(0, now - Math.min(...pendingSince)),
    splits: condition.splits.map(({ ref, here, there }) => ({
      ref,
      here: here ?? NO_COMMIT,
      there: there ?? NO_COMMIT,
    })),
    ...(messages.length === 0 ? {} : { message: messages.join('\n') }),
  };
}

function stateOf({ condition, pendingSince, lastFailure }: PeerFacts): ReplicationStatus['state'] {
  if (lastFailure?.isUnreachable) return 'unreachable';
  if (condition.splits.length > 0) return 'split';
  return pendingSince.length > 0 || lastFailure !== undefined ? 'behind' : 'in-sync';
}

export function succeededEvent(peer: RegionName, refs: readonly string[], ms: number): NewRegionEvent {
  return {
    source: 'repository',
    type: 'ReplicationSucceeded',
    severity: 'info',
    message: `${peer} has ${listRefNames(refs)}, ${formatDuration(ms)} after the push`,
    data: { peer, refs, ms },
  };
}

export function noticeEvent(notice: Notice, facts: { own: Side; peer: Side; error: string }): NewRegionEvent {
  const peer = facts.peer.region;
  switch (notice.kind) {
    case 'outage':
      return {
        source: 'repository',
        type: 'ReplicationFailed',
        severity: 'warning',
        message: `Replication to ${peer} fails and is tried until it succeeds: ${facts.error}`,
        data: { peer, error: facts.error },
      };
    case 'split':
      return {
        source: 'repository',
        type: 'HistorySplit',
        severity: 'error',
        message: describeSplit(notice.split, facts.own, facts.peer),
        data: { peer, ...notice.split },
      };
    case 'mended':
      return {
        source: 'repository',
        type: 'HistoryMended',
        severity: 'info',
        message: `${notice.ref} is the same history again here and in ${peer}`,
        data: { peer, ref: notice.ref },
      };
    default:
      return unreachable(notice);
  }
}

/** What happened, and the commands that mend it: for either side's value, and for both where both have one. */
function describeSplit({ ref, here, there }: RefSplit, own: Side, peer: Side): string {
  const name = shortName(ref);
  const what =
    `${name} has split: ${own.region} has ${shortId(here)}, ${peer.region} has ${shortId(there)}, ` +
    'and neither contains the other. Nothing is overwritten.';
  const both =
    here === undefined || there === undefined || !ref.startsWith('refs/heads/')
      ? ''
      : ` To keep both, merge in a clone: git fetch ${own.gitUrl} ${ref} && git checkout --detach FETCH_HEAD && ` +
        `git pull --no-rebase --no-edit ${peer.gitUrl} ${ref} && git push ${own.gitUrl} HEAD:${ref}`;
  return (
    `${what} To keep ${own.region}'s: ${overwrite(ref, here, own, peer)}.` +
    ` To keep ${peer.region}'s: ${overwrite(ref, there, peer, own)}.${both}`
  );
}

function overwrite(ref: string, value: CommitId | undefined, from: Side, to: Side): string {
  return value === undefined
    ? `git push ${to.gitUrl} --delete ${ref}`
    : `git fetch ${from.gitUrl} ${ref} && git push --force ${to.gitUrl} FETCH_HEAD:${ref}`;
}

function shortId(id: CommitId | undefined): string {
  return id === undefined ? 'deleted it' : id.slice(0, 12);
}

function shortName(ref: string): string {
  return ref.replace(/^refs\/(?:heads|tags)\//, '');
}

function listRefNames(refs: readonly string[]): string {
  const shown = refs.slice(0, 3).map(shortName).join(', ');
  return refs.length > 3 ? `${shown} and ${refs.length - 3} more` : shown;
}
