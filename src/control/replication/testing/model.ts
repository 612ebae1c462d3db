/**
 * A model of regions that replicate by the decisions under test, over links that lose requests and answers, with an
 * independent account of causes to judge by: each person's change is an event, and a value carries the events that
 * it knows of. Replication may replace a value only by one that knows all of its events.
 */
import { unreachable } from '../../../core/assert.ts';
import { decideReceipt } from '../receipt.ts';
import { decideReplication, relationKey, type RefSplit, type RefState, type Relation } from '../decide.ts';
import { joinVersions } from '../version.ts';

interface ModelRef extends RefState {
  /** Changes by people that led to this value, or that it was merged with. */
  known: ReadonlySet<number>;
}

interface ModelRegion {
  replica: string;
  counter: number;
  refs: Map<string, ModelRef>;
}

export type PersonsChange =
  | { kind: 'commit' }
  /** A merge of any existing commit. */
  | { kind: 'merge'; other: number }
  /** A forced update to any existing commit. */
  | { kind: 'force'; to: number }
  | { kind: 'delete' };

/** What becomes of one replication request. A lost answer is like `done`: the sender keeps no beliefs. */
export type Fate = 'done' | 'request-lost';

class OverwriteError extends Error {}

const NEVER: ModelRef = { id: undefined, version: {}, known: new Set() };

export class ReplicationModel {
  readonly regions: ModelRegion[];
  readonly #ancestors = new Map<string, ReadonlySet<string>>();
  readonly #commits: string[] = [];
  #events = 0;
  #replicas = 0;

  constructor(count: number) {
    this.regions = Array.from({ length: count }, () => this.#newRegion());
  }

  change(regionIndex: number, ref: string, change: PersonsChange): void {
    const region = this.regions[regionIndex]!;
    const own = region.refs.get(ref) ?? NEVER;
    const id = this.#valueAfter(own.id, change);
    if (id === own.id) return;
    region.counter += 1;
    this.#events += 1;
    region.refs.set(ref, {
      id,
      version: joinVersions(own.version, { [region.replica]: region.counter }),
      known: new Set([...own.known, this.#events]),
    });
  }

  /** The region's disk is gone; it comes back empty. */
  loseDisk(regionIndex: number): void {
    this.regions[regionIndex] = this.#newRegion();
  }

  /** One step of `from` towards `to`; true where there was something to do. `fates` are used up in order. */
  step(from: number, to: number, fates: readonly Fate[] = []): { acted: boolean; splits: RefSplit[] } {
    const here = this.regions[from]!;
    const there = this.regions[to]!;
    const decision = decideReplication({
      here: here.refs,
      there: there.refs,
      relations: this.#allRelations(here, there),
    });
    for (const { ref, id, version } of decision.adoptHere) this.#adopt(here, there, { ref, id, version });
    let next = 0;
    const deliver = (action: () => void) => {
      if (fates[next++] !== 'request-lost') action();
    };
    for (const adoption of decision.adoptThere) deliver(() => this.#adopt(there, here, adoption));
    for (const push of decision.pushes) {
      // The sender's value at the time of the decision travels, whatever it has become since.
      const sent = here.refs.get(push.ref)!;
      deliver(() => this.#receive(there, push.ref, { ...sent, version: push.version }, push.expected));
    }
    const acted = decision.adoptHere.length + decision.adoptThere.length + decision.pushes.length > 0;
    return { acted, splits: decision.splits };
  }

  /** A push that was decided on earlier and arrives now: what a slow network or a detour does. */
  captureStep(from: number, to: number): () => void {
    const here = this.regions[from]!;
    const there = this.regions[to]!;
    const decision = decideReplication({
      here: here.refs,
      there: there.refs,
      relations: this.#allRelations(here, there),
    });
    for (const adoption of decision.adoptHere) this.#adopt(here, there, adoption);
    const sent = decision.pushes.map(push => ({ push, value: here.refs.get(push.ref)! }));
    return () => {
      if (this.regions[to] !== there) return;
      for (const { push, value } of sent) {
        this.#receive(there, push.ref, { ...value, version: push.version }, push.expected);
      }
    };
  }

  #receive(region: ModelRegion, ref: string, incoming: ModelRef, expected: string | undefined): void {
    const own = region.refs.get(ref) ?? NEVER;
    if (own.id !== expected) return;
    const receipt = decideReceipt(own, incoming);
    if (receipt.kind === 'refuse') return;
    if (receipt.kind === 'apply') {
      const forgotten = [...own.known].filter(event => !incoming.known.has(event));
      if (forgotten.length > 0) throw new OverwriteError(`${ref}: lost changes ${forgotten.join(', ')}`);
    }
    const known = new Set([...own.known, ...incoming.known]);
    region.refs.set(ref, { id: incoming.id, version: receipt.version, known });
  }

  /** Adopting means: my value makes good for theirs, because it is the same or contains it. */
  #adopt(region: ModelRegion, other: ModelRegion, adoption: { ref: string } & RefState): void {
    const own = region.refs.get(adoption.ref) ?? NEVER;
    const theirs = other.refs.get(adoption.ref) ?? NEVER;
    if (own.id !== adoption.id) return;
    const makesGood = own.id === theirs.id || this.#relation(own.id, theirs.id) === 'contains';
    if (!makesGood) throw new OverwriteError(`${adoption.ref}: took for seen what it does not contain`);
    region.refs.set(adoption.ref, {
      id: own.id,
      version: joinVersions(own.version, adoption.version),
      known: new Set([...own.known, ...theirs.known]),
    });
  }

  #valueAfter(id: string | undefined, change: PersonsChange): string | undefined {
    switch (change.kind) {
      case 'commit':
        return this.#newCommit(id === undefined ? [] : [id]);
      case 'merge': {
        const other = this.#commits[change.other % Math.max(1, this.#commits.length)];
        return this.#newCommit([id, other].filter(parent => parent !== undefined));
      }
      case 'force':
        return this.#commits[change.to % Math.max(1, this.#commits.length)] ?? id;
      case 'delete':
        return undefined;
      default:
        return unreachable(change);
    }
  }

  #newCommit(parents: readonly string[]): string {
    const id = `commit-${this.#commits.length}`;
    this.#ancestors.set(id, new Set([id, ...parents.flatMap(parent => [...this.#ancestors.get(parent)!])]));
    this.#commits.push(id);
    return id;
  }

  #newRegion(): ModelRegion {
    this.#replicas += 1;
    return { replica: `replica-${this.#replicas}`, counter: 0, refs: new Map() };
  }

  #relation(here: string | undefined, there: string | undefined): Relation {
    if (here === undefined || there === undefined) return 'diverged';
    if (this.#ancestors.get(here)!.has(there)) return 'contains';
    return this.#ancestors.get(there)!.has(here) ? 'contained' : 'diverged';
  }

  #allRelations(here: ModelRegion, there: ModelRegion): Map<string, Relation> {
    const relations = new Map<string, Relation>();
    for (const [ref, { id: own }] of here.refs) {
      const theirs = there.refs.get(ref)?.id;
      if (own === undefined || theirs === undefined) continue;
      relations.set(relationKey(own, theirs), this.#relation(own, theirs));
    }
    return relations;
  }
}
