import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideReplication, relationKey, type RefState, type Relation } from './decide.ts';
import { decideReceipt } from './receipt.ts';
import { ReplicationModel, type Fate, type PersonsChange } from './testing/model.ts';

const REFS = ['refs/heads/main', 'refs/tags/v1'];

describe('one ref', () => {
  test.each<[string, RefState | undefined, RefState | undefined, Relation | undefined, object]>([
    ['new here is pushed', at('a', 1, 0), undefined, undefined, { pushes: ['a over nothing'] }],
    ['newer here is pushed', at('b', 2, 0), at('a', 1, 0), undefined, { pushes: ['b over a'] }],
    ['moved back here is pushed', at('a', 3, 0), at('b', 2, 0), undefined, { pushes: ['a over b'] }],
    [
      'deleted here is deleted there',
      at(undefined, 2, 0),
      at('a', 1, 0),
      undefined,
      { pushes: ['nothing over a'] },
    ],
    ['newer there is awaited', at('a', 1, 0), at('b', 1, 1), undefined, {}],
    ['the same is left alone', at('a', 1, 0), at('a', 1, 0), undefined, {}],
    ['changed on both sides is compared', at('a', 1, 0), at('b', 0, 1), undefined, { comparisons: ['a b'] }],
    ['contained there is awaited', at('a', 1, 0), at('b', 0, 1), 'contained', {}],
    ['diverged is a split', at('a', 1, 0), at('b', 0, 1), 'diverged', { splits: ['a b'] }],
    [
      'deleted here and changed there is a split',
      at(undefined, 2, 0),
      at('b', 1, 1),
      undefined,
      { splits: ['nothing b'] },
    ],
    [
      'two values under one version are a split',
      at('a', 1, 1),
      at('b', 1, 1),
      'contains',
      { splits: ['a b'] },
    ],
    [
      'contained here is taken as seen, then pushed',
      at('b', 1, 0),
      at('a', 0, 1),
      'contains',
      { adoptHere: ['b as 1,1'], pushes: ['b over a'] },
    ],
    [
      'the same change made on both sides gets one version',
      at('a', 1, 0),
      at('a', 0, 1),
      undefined,
      { adoptHere: ['a as 1,1'], adoptThere: ['a as 1,1'] },
    ],
    [
      'a deletion the peer missed is told',
      at(undefined, 2, 0),
      undefined,
      undefined,
      { adoptThere: ['nothing as 2,0'] },
    ],
  ])('%s', (_name, here, there, relation, expected) => {
    expect(decisionText(here, there, relation)).toEqual(expected);
  });

  test.each<[string, RefState, RefState, string]>([
    ['what is newer is taken', at('a', 1, 0), at('b', 1, 1), 'apply'],
    ['what is there already is agreed to', at('a', 1, 0), at('a', 0, 1), 'agree'],
    ['what is older is refused', at('b', 2, 0), at('a', 1, 0), 'refuse'],
    ['what changed on both sides is refused', at('a', 1, 0), at('b', 0, 1), 'refuse'],
  ])('at the receiver: %s', (_name, own, incoming, expected) => {
    expect(decideReceipt(own, incoming).kind).toBe(expected);
  });
});

type Move =
  | { kind: 'change'; region: number; ref: string; change: PersonsChange }
  | { kind: 'step'; from: number; to: number; fates: Fate[] }
  | { kind: 'capture'; from: number; to: number }
  | { kind: 'deliver' }
  | { kind: 'lose-disk'; region: number };

describe('random histories of three regions', () => {
  test('no change is ever overwritten, and when the links heal, regions agree or report a split', () => {
    fc.assert(
      fc.property(fc.array(moves(3), { maxLength: 60, size: 'max' }), history => {
        const model = new ReplicationModel(3);
        play(model, history);
        const splits = settle(model);
        for (const ref of REFS) {
          const values = new Set(model.regions.map(region => region.refs.get(ref)?.id));
          expect(values.size > 1).toBe(splits.has(ref));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('a person who pushes one value everywhere ends every split', () => {
    fc.assert(
      fc.property(fc.array(moves(3), { maxLength: 40, size: 'max' }), fc.nat(), (history, choice) => {
        const model = new ReplicationModel(3);
        play(model, history);
        settle(model);
        for (const ref of REFS) {
          for (const region of model.regions.keys()) model.change(region, ref, { kind: 'force', to: choice });
        }
        expect([...settle(model)]).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

function play(model: ReplicationModel, history: readonly Move[]): void {
  const underWay: (() => void)[] = [];
  for (const move of history) {
    if (move.kind === 'change') model.change(move.region, move.ref, move.change);
    else if (move.kind === 'lose-disk') model.loseDisk(move.region);
    else if (move.kind === 'deliver') underWay.shift()?.();
    else if (move.from !== move.to) {
      if (move.kind === 'step') model.step(move.from, move.to, move.fates);
      else underWay.push(model.captureStep(move.from, move.to));
    }
  }
}

/** Lets every region act on every other until nobody has anything to do; the refs reported as split at the end. */
function settle(model: ReplicationModel): Set<string> {
  const count = model.regions.length;
  for (let round = 0; round < 50; round += 1) {
    const splits = new Set<string>();
    let acted = false;
    for (let from = 0; from < count; from += 1) {
      for (let to = 0; to < count; to += 1) {
        if (from === to) continue;
        const step = model.step(from, to);
        acted ||= step.acted;
        for (const { ref } of step.splits) splits.add(ref);
      }
    }
    if (!acted) return splits;
  }
  throw new Error('the regions never come to rest');
}

function moves(regions: number): fc.Arbitrary<Move> {
  const region = fc.nat(regions - 1);
  const ref = fc.constantFrom(...REFS);
  const change = fc.oneof<fc.Arbitrary<PersonsChange>[]>(
    fc.constant({ kind: 'commit' }),
    fc.record({ kind: fc.constant('merge'), other: fc.nat(20) }),
    fc.record({ kind: fc.constant('force'), to: fc.nat(20) }),
    fc.constant({ kind: 'delete' }),
  );
  const fates = fc.array(fc.constantFrom<Fate>('done', 'request-lost'), { maxLength: 4 });
  return fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('change'), region, ref, change }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('step'), from: region, to: region, fates }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('capture'), from: region, to: region }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('deliver') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose-disk'), region }) },
  );
}

function at(id: string | undefined, east: number, west: number): RefState {
  return { id, version: { east, west } };
}

function decisionText(
  here: RefState | undefined,
  there: RefState | undefined,
  relation: Relation | undefined,
) {
  const ref = 'refs/heads/main';
  const decision = decideReplication({
    here: new Map(here ? [[ref, here]] : []),
    there: new Map(there ? [[ref, there]] : []),
    relations: new Map(relation ? [[relationKey(here!.id!, there!.id!), relation]] : []),
  });
  const name = (id: string | undefined) => id ?? 'nothing';
  const version = ({ version }: { version: RefState['version'] }) => `${version['east']},${version['west']}`;
  const texts = {
    adoptHere: decision.adoptHere.map(adoption => `${name(adoption.id)} as ${version(adoption)}`),
    adoptThere: decision.adoptThere.map(adoption => `${name(adoption.id)} as ${version(adoption)}`),
    pushes: decision.pushes.map(push => `${name(push.id)} over ${name(push.expected)}`),
    comparisons: decision.comparisons.map(pair => `${pair.here} ${pair.there}`),
    splits: decision.splits.map(pair => `${name(pair.here)} ${name(pair.there)}`),
  };
  return Object.fromEntries(Object.entries(texts).filter(([, lines]) => lines.length > 0));
}
