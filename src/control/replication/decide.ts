/**
 * What one region does about another one's refs. Each ref at each region has a value and a version; the versions
 * say which value supersedes which:
 *
 *   ours is newer       push it, whatever it does to the ref (forward, back, deletion)
 *   theirs is newer     wait: they push it to us
 *   both changed        ours contains theirs: take theirs as seen, then push; theirs contains ours: wait;
 *                       neither: a split history, which is reported and never overwritten
 *   same value          both sides take the joined version
 *
 * A region only ever writes to the other by a push that the other checks again (`receipt.ts`), so an outdated
 * view leads to a refused push, never to a lost change.
 */
import { assert } from '../../core/assert.ts';
import type { CommitId } from '../../model/names.ts';
import { compareVersions, joinVersions, type Version } from './version.ts';

export interface RefState {
  /** `undefined`: deleted, or never there. */
  id: CommitId | undefined;
  version: Version;
}

export type RefStates = ReadonlyMap<string, RefState>;

/** Of our value to theirs, by history: `diverged` where neither holds the other (or one is no commit). */
export type Relation = 'contains' | 'contained' | 'diverged';

export interface ReplicationObserved {
  here: RefStates;
  there: RefStates;
  /** What is known so far, by `relationKey`. */
  relations: ReadonlyMap<string, Relation>;
}

export interface RefPush {
  ref: string;
  /** `undefined`: delete it there. */
  id: CommitId | undefined;
  /** The value it must replace there. */
  expected: CommitId | undefined;
  version: Version;
}

export interface RefSplit {
  ref: string;
  here: CommitId | undefined;
  there: CommitId | undefined;
}

export interface VersionAdoption {
  ref: string;
  /** The adoption holds only while the ref has this value. */
  id: CommitId | undefined;
  version: Version;
}

export interface ReplicationDecision {
  /** To be stored here before any push of the same decision. */
  adoptHere: VersionAdoption[];
  /** To be told to the other region, which has the same value under an older version. */
  adoptThere: VersionAdoption[];
  pushes: RefPush[];
  /** Pairs whose relation decides; look them up and decide again. */
  comparisons: { ref: string; here: CommitId; there: CommitId }[];
  splits: RefSplit[];
}

const NEVER_THERE: RefState = { id: undefined, version: {} };

export function relationKey(here: CommitId, there: CommitId): string {
  return `${here} ${there}`;
}

export function decideReplication(observed: ReplicationObserved): ReplicationDecision {
  const decision: ReplicationDecision = {
    adoptHere: [],
    adoptThere: [],
    pushes: [],
    comparisons: [],
    splits: [],
  };
  const refs = new Set([...observed.here.keys(), ...observed.there.keys()]);
  for (const ref of [...refs].sort()) {
    const here = observed.here.get(ref) ?? NEVER_THERE;
    const there = observed.there.get(ref) ?? NEVER_THERE;
    if (here.id === there.id) decideSameValue(ref, here, there, decision);
    else decideDifferentValues(ref, here, there, observed.relations, decision);
  }
  return decision;
}

function decideSameValue(ref: string, here: RefState, there: RefState, decision: ReplicationDecision): void {
  const version = joinVersions(here.version, there.version);
  const adoption = { ref, id: here.id, version };
  if (compareVersions(version, here.version) === 'after') decision.adoptHere.push(adoption);
  if (compareVersions(version, there.version) === 'after') decision.adoptThere.push(adoption);
}

function decideDifferentValues(
  ref: string,
  here: RefState,
  there: RefState,
  relations: ReadonlyMap<string, Relation>,
  decision: ReplicationDecision,
): void {
  const causality = compareVersions(here.version, there.version);
  if (causality === 'before') return;
  if (causality === 'after') {
    decision.pushes.push({ ref, id: here.id, expected: there.id, version: here.version });
    return;
  }
  // Two values under one version come from a database that was put back to an earlier day. No push could be
  // told from the other, so only a person's push settles it.
  if (causality === 'equal' || here.id === undefined || there.id === undefined) {
    decision.splits.push({ ref, here: here.id, there: there.id });
    return;
  }
  const relation = relations.get(relationKey(here.id, there.id));
  if (relation === undefined) {
    decision.comparisons.push({ ref, here: here.id, there: there.id });
  } else if (relation === 'diverged') {
    decision.splits.push({ ref, here: here.id, there: there.id });
  } else if (relation === 'contains') {
    const version = joinVersions(here.version, there.version);
    assert(compareVersions(version, there.version) === 'after', 'a join of concurrent versions is newer');
    decision.adoptHere.push({ ref, id: here.id, version });
    decision.pushes.push({ ref, id: here.id, expected: there.id, version });
  }
}
