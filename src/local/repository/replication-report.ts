import { unreachable } from '../../core/assert.ts';
import type { RefSplit } from '../../control/replication/decide.ts';
import type { Notice, PeerCondition } from '../../control/replication/report.ts';
import { formatDuration } from '../../core/duration.ts';
import type { Instant } from '../../core/instant.ts';
import type { NewRegionEvent } from '../../model/event.ts';
import type { CommitId, RegionName } from '../../model/names.ts';
import type { RefSplit as ReportedSplit, ReplicationStatus } from '../../model/status.ts';

export interface Side {
  region: RegionName;
  gitUrl: string;
}

type Mend = ReportedSplit['mends'][number];

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
    splits: condition.splits.map(split => ({
      ref: split.ref,
      here: split.here ?? NO_COMMIT,
      there: split.there ?? NO_COMMIT,
      mends: mendsOf(split, own, peer),
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
        message: `${describeSplit(notice.split, facts.own, facts.peer)}. What mends it: tandem status`,
        data: { peer, ...notice.split, mends: mendsOf(notice.split, facts.own, facts.peer) },
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

function describeSplit({ ref, here, there }: RefSplit, own: Side, peer: Side): string {
  return (
    `${shortName(ref)} has split: ${own.region} has ${shortId(here)}, ${peer.region} has ${shortId(there)}, ` +
    'and neither contains the other; nothing is overwritten'
  );
}

/** For either side's value, and for both where both have one. */
function mendsOf({ ref, here, there }: RefSplit, own: Side, peer: Side): Mend[] {
  const mends = [
    { keeps: `what ${own.region} has`, command: overwrite(ref, here, own, peer) },
    { keeps: `what ${peer.region} has`, command: overwrite(ref, there, peer, own) },
  ];
  if (here === undefined || there === undefined || !ref.startsWith('refs/heads/')) return mends;
  const merge =
    `git fetch ${own.gitUrl} ${ref} && git checkout --detach FETCH_HEAD && ` +
    `git pull --no-rebase --no-edit ${peer.gitUrl} ${ref} && git push ${own.gitUrl} HEAD:${ref}`;
  return [...mends, { keeps: 'both, merged', command: merge }];
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
