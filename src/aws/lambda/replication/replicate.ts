/*
 * One round of replication, from one region to another: see what both have, decide, write down what is about to be
 * pushed, push it. Only this direction is pushed; the other region's own function pushes the other way, and what came
 * from here is known there as such, so nothing goes round in circles.
 */
import {
  decideReplication,
  relationKey,
  type RefPush,
  type RefSplit,
  type Relation,
  type ReplicationDecision,
  type VersionAdoption,
} from '../../../control/replication/decide.ts';
import type { Instant } from '../../../core/instant.ts';
import type { CommitId } from '../../../model/names.ts';
import { copyRefs } from './git-remote.ts';
import { inParallel } from './in-parallel.ts';
import { observe, type Replica } from './observe.ts';
import type { RefRecord, RefTable } from './ref-table.ts';

export interface Round {
  here: Replica;
  there: Replica;
  /** Of a commit here to one there. */
  relate(here: CommitId, there: CommitId): Promise<Relation>;
  /** When what is new here was pushed, as far as is known. */
  changedAt: Instant;
  /** When what is new there was, of which nobody told: now. */
  now: Instant;
}

export interface RoundResult {
  landed: { ref: string; changedAt: Instant }[];
  refused: { ref: string; changedAt: Instant; reason: string }[];
  splits: RefSplit[];
}

/** One push may hold no more refs than this; CodeCommit's own limit is in the thousands. */
const REFS_A_PUSH = 500;

type Records = Map<string, RefRecord>;

export async function replicate(round: Round): Promise<RoundResult> {
  const { here, there } = round;
  const records = {
    here: await observe(here, round.changedAt),
    there: await observe(there, round.now),
  };
  const decision = await decide(round, records);
  const lost = await adopt(here.table, records.here, decision.adoptHere);
  await adopt(there.table, records.there, decision.adoptThere);
  const result: RoundResult = { landed: [], refused: [], splits: decision.splits };
  for (const { ref } of decision.pushes.filter(push => lost.has(push.ref))) {
    const { changedAt } = records.here.get(ref)!;
    result.refused.push({ ref, changedAt, reason: 'it is being changed here' });
  }
  const wanted = decision.pushes.filter(({ ref }) => !lost.has(ref));
  for (let start = 0; start < wanted.length; start += REFS_A_PUSH) {
    const pushes = wanted.slice(start, start + REFS_A_PUSH);
    const outcome = await push(round, records, pushes);
    result.landed.push(...outcome.landed);
    result.refused.push(...outcome.refused);
  }
  return result;
}

async function decide(
  { relate }: Round,
  records: { here: Records; there: Records },
): Promise<ReplicationDecision> {
  const relations = new Map<string, Relation>();
  for (;;) {
    const decision = decideReplication({ ...records, relations });
    if (decision.comparisons.length === 0) return decision;
    await inParallel(decision.comparisons, async ({ here, there }) =>
      relations.set(relationKey(here, there), await relate(here, there)),
    );
  }
}

/** Returns the refs that another function changed meanwhile: nothing that counts on the adoption may be pushed. */
async function adopt(
  table: RefTable,
  records: Records,
  adoptions: readonly VersionAdoption[],
): Promise<Set<string>> {
  const lost = new Set<string>();
  await inParallel(adoptions, async ({ ref, version }) => {
    const { intent: _intent, ...record } = records.get(ref)!;
    if (!(await table.put(ref, { ...record, version }))) lost.add(ref);
    records.set(ref, { ...record, version, revision: record.revision + 1 });
  });
  return lost;
}

/**
 * First the intent, then the push, then the record. Cut off in between, the value that is found there is known for what
 * it is; refused, because something else is there by now, the next round sees what.
 */
async function push(
  { here, there }: Round,
  records: { here: Records; there: Records },
  pushes: readonly RefPush[],
): Promise<Pick<RoundResult, 'landed' | 'refused'>> {
  const announced = await inParallel(pushes, async ({ ref, id, version, expected }) => {
    const record = records.there.get(ref) ?? { id: expected, version: {}, revision: 0, changedAt: 0 };
    return there.table.put(ref, { ...record, intent: { id, version } });
  });
  const outcome: Pick<RoundResult, 'landed' | 'refused'> = { landed: [], refused: [] };
  const changedAt = (ref: string) => records.here.get(ref)!.changedAt;
  const refuse = (ref: string, reason: string) =>
    outcome.refused.push({ ref, reason, changedAt: changedAt(ref) });
  const ready = pushes.filter((_push, index) => announced[index]);
  for (const { ref } of pushes.filter((_push, index) => !announced[index])) {
    refuse(ref, 'it is being changed by another region');
  }
  if (ready.length === 0) return outcome;
  const results = await copyRefs(
    here.git,
    there.git,
    ready.map(({ ref, id, expected }) => ({ ref, before: expected, after: id })),
  );
  const refusals = new Map(results.map(({ ref, refusal }) => [ref, refusal]));
  await inParallel(ready, async ({ ref, id, version }) => {
    const refusal = refusals.has(ref) ? refusals.get(ref) : 'the server did not say what became of it';
    if (refusal !== undefined) {
      refuse(ref, refusal);
      return;
    }
    const revision = (records.there.get(ref)?.revision ?? 0) + 1;
    await there.table.put(ref, { id, version, revision, changedAt: changedAt(ref) });
    outcome.landed.push({ ref, changedAt: changedAt(ref) });
  });
  return outcome;
}
