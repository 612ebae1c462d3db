import type { RefSplit } from '../../../control/replication/decide.ts';
import { formatInstant, type Instant } from '../../../core/instant.ts';
import type { RegionName } from '../../../model/names.ts';
import { metricLine } from '../metrics.ts';
import type { PeerRecord, RefRecord } from './ref-table.ts';
import type { RoundResult } from './replicate.ts';

export interface Direction {
  repository: string;
  here: RegionName;
  there: RegionName;
}

/** The age of the oldest change that took part, landed or not; 0 where there was none. */
export function lagOfRound({ landed, refused }: RoundResult, now: Instant): number {
  return lagMs(
    [...landed, ...refused].map(({ changedAt }) => changedAt),
    now,
  );
}

/** The same where no round went through: of all that changed since the last one that did. */
export function lagOfFailure(records: Iterable<RefRecord>, peer: PeerRecord, now: Instant): number {
  return lagMs(
    [...records].map(({ changedAt }) => changedAt).filter(changedAt => changedAt >= peer.roundStartedAt),
    now,
  );
}

function lagMs(changes: readonly Instant[], now: Instant): number {
  return changes.reduce((longest, changedAt) => Math.max(longest, now - changedAt), 0);
}

export function replicationMetrics(
  { repository, there }: Direction,
  { lag, splits, now }: { lag: number; splits: number; now: Instant },
): string {
  return metricLine(
    now,
    { Repository: repository, Peer: there },
    {
      ReplicationLag: { value: Math.round(lag / 1000), unit: 'Seconds' },
      SplitReferences: { value: splits, unit: 'Count' },
    },
  );
}

/** What people are told of splits that are new. */
export function splitNotice(
  { repository, here, there }: Direction,
  splits: readonly RefSplit[],
  now: Instant,
): { subject: string; message: string } {
  const lines = splits.map(
    split =>
      `  ${split.ref}\n    ${here}: ${split.here ?? 'deleted'}\n    ${there}: ${split.there ?? 'deleted'}\n`,
  );
  return {
    subject: `Split history in ${repository}`.slice(0, 100),
    message: `The repository ${repository} was changed in ${here} and in ${there}, and neither change knows of the other:

${lines.join('\n')}
Nothing was overwritten: each region keeps what it has, and all other branches and tags go on being replicated.
To mend it, push to one region what shall be in both: a merge of the two, or one of them. Seen at ${formatInstant(now)}.
`,
  };
}
