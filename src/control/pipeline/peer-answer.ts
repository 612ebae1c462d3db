import type { Execution } from '../../model/execution.ts';
import type { RegionName } from '../../model/names.ts';
import type { Release } from '../../model/release.ts';
import type { ExecutionRecord, PeerAnswer } from './state.ts';
import { currentStage, hasEnded, stageOf } from './transitions.ts';

/** What this region knows of one commit. */
export interface CommitFacts {
  localRelease: Release | undefined;
  /** Every execution of the commit that is under way. */
  records: readonly ExecutionRecord[];
  /** The latest of the commit's executions that have ended. */
  latestEnded: Execution | undefined;
}

/**
 * What another region is told about the release of a commit. An execution that itself waits for the asking
 * region counts for nothing, so that two regions never wait for each other.
 */
export function answerPeer(asker: RegionName, facts: CommitFacts): PeerAnswer {
  if (facts.localRelease) return { state: 'built', release: facts.localRelease };
  if (facts.records.some(record => willBuild(record) && !dependsOn(record, asker))) {
    return { state: 'building' };
  }
  const build = facts.latestEnded && stageOf(facts.latestEnded, 'Build');
  if (build?.status === 'Failed') return { state: 'failed', cause: build.summary ?? 'no cause was given' };
  return { state: 'absent' };
}

function willBuild(record: ExecutionRecord): boolean {
  const { stage } = record.execution;
  return !hasEnded(record) && !record.stop && (stage === 'Source' || stage === 'Build');
}

function dependsOn(record: ExecutionRecord, region: RegionName): boolean {
  const { trigger, stage } = record.execution;
  if (trigger.kind !== 'replication' || trigger.by !== region) return false;
  const isFirstBuild = stage === 'Source' || currentStage(record).attempt === 1;
  return isFirstBuild && record.build?.step !== 'build';
}
