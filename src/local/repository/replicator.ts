/**
 * Keeps one peer up to date. Level-triggered: a round looks at the refs on both sides as they are, asks
 * `decideReplication`, acts, and repeats until nothing is left to do; whatever wakes it (a push, a peer that comes
 * back, the idle check) only says that a round may be worth while. What the peer has is remembered between rounds,
 * so that a push here costs one `git push` there; every answer that does not fit makes it forget and look again.
 */
import {
  decideReplication,
  relationKey,
  type RefPush,
  type RefState,
  type RefStates,
  type Relation,
  type ReplicationDecision,
} from '../../control/replication/decide.ts';
import { NEW_PEER, reportRound, type RoundOutcome } from '../../control/replication/report.ts';
import { compareVersions, joinVersions } from '../../control/replication/version.ts';
import { backoffDelayMs } from '../../core/backoff.ts';
import { SECOND_MS } from '../../core/duration.ts';
import { TandemError, errorMessage } from '../../core/error.ts';
import type { Instant } from '../../core/instant.ts';
import type { ReplicationStatus } from '../../model/status.ts';
import type { Timer } from '../../platform/clock.ts';
import type { ServiceContext } from '../context.ts';
import { Exclusive } from './exclusive.ts';
import type { Git } from './git.ts';
import { hasObject, relationOf } from './objects.ts';
import { digestRefStates, encodeRefStates } from './peer-messages.ts';
import type { PeerClient } from './peer-client.ts';
import type { PlannedChange, RefStore } from './ref-store.ts';
import { noticeEvent, replicationStatus, succeededEvent } from './replication-report.ts';

const RETRY_BACKOFF = { firstMs: 200, maximumMs: 10 * SECOND_MS };

/** A peer may come back without a word to us. */
const IDLE_CHECK_MS = 30 * SECOND_MS;

/** At most this often does a sign of life cut the wait after a failure short. */
const SIGN_OF_LIFE_PAUSE_MS = SECOND_MS;

/** Bounds one git command's arguments. */
const REFS_PER_PUSH = 100;

/** More steps than this in one round mean that both sides keep changing: let others have a turn. */
const STEPS_PER_ROUND = 20;

export interface ReplicatorParts {
  context: ServiceContext;
  git: Git;
  store: RefStore;
  client: PeerClient;
}

export class Replicator {
  readonly #parts: ReplicatorParts;
  readonly #exclusive = new Exclusive();
  readonly #abort = new AbortController();
  #idleCheck: Timer | undefined;
  #timer: Timer | undefined;
  #isRoundWanted = false;
  #roundBeganAt: Instant = 0;

  /** What the peer is known to have; `undefined`: look. */
  #there: Map<string, RefState> | undefined;
  /** What it had when last seen, for the status while it cannot be asked. */
  #lastThere: RefStates = new Map();
  #relations = new Map<string, Relation>();
  #condition = NEW_PEER;
  #lastFailure: { message: string; isUnreachable: boolean } | undefined;
  /** Refs that the peer lacks, and since when. */
  readonly #pendingSince = new Map<string, Instant>();

  constructor(parts: ReplicatorParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#updatePending(this.#decide(this.#lastThere));
    this.wake();
    this.#idleCheck = this.#parts.context.clock.every(IDLE_CHECK_MS, () => this.#lookAgain(), { idle: true });
  }

  async stop(): Promise<void> {
    this.#abort.abort(new TandemError('REPOSITORY_STOPPED', 'the region is stopping', { kind: 'system' }));
    this.#idleCheck?.cancel();
    this.#timer?.cancel();
    await this.#exclusive.run(async () => undefined);
  }

  /** A ref changed here. While a retry is due, that is soon enough; rounds that wait their turn are one. */
  wake(): void {
    this.#updatePending(this.#decide(this.#there ?? this.#lastThere));
    const isRetryDue = this.#condition.failedAttempts > 0 && this.#timer !== undefined;
    if (!isRetryDue) this.#runRound();
  }

  /** Looks at the peer after `delayMs`, unless a round comes first: gives the change's own region time to reach it. */
  wakeLater(delayMs: number): void {
    if (this.#timer !== undefined || this.#isRoundWanted || this.#abort.signal.aborted) return;
    this.#lookAfter(delayMs);
  }

  /** The peer told us of these values: they are what it has. */
  learn(states: readonly { ref: string; id: string | undefined; version: RefState['version'] }[]): void {
    for (const { ref, id, version } of states) this.#there?.set(ref, { id, version });
    this.wake();
  }

  /** The peer asked us for something, so it is alive: a retry need not wait any longer. */
  noteSignOfLife(): void {
    if (this.#condition.failedAttempts === 0 || this.#timer === undefined) return;
    const { clock } = this.#parts.context;
    const pauseMs = this.#roundBeganAt + SIGN_OF_LIFE_PAUSE_MS - clock.now();
    this.#lookAfter(Math.max(0, pauseMs));
  }

  /** The peer told its state by its digest. Where we believed otherwise (it lost its disk, say) we look again. */
  noteState(digest: string): void {
    if (this.#there && digest !== digestRefStates(encodeRefStates(this.#there))) this.#lookAgain();
  }

  status(): ReplicationStatus {
    const { context, client } = this.#parts;
    return replicationStatus({
      own: { region: context.region, gitUrl: gitUrlOf(context) },
      peer: { region: client.peer.region, gitUrl: client.gitUrl },
      now: context.clock.now(),
      pendingSince: [...this.#pendingSince.values()],
      condition: this.#condition,
      lastFailure: this.#lastFailure,
    });
  }

  /**
   * Gives the peer changes that are not made here yet. Returns why it did not take some; throws where it cannot be
   * reached. Takes its turn with the rounds, so that the peer gets one push at a time.
   */
  secure(
    changes: readonly PlannedChange[],
    options: { atomic: boolean; signal: AbortSignal },
  ): Promise<Map<string, string>> {
    return this.#exclusive.run(async () => {
      const signal = AbortSignal.any([options.signal, this.#abort.signal]);
      const { client } = this.#parts;
      const there = await this.#look(signal);
      const refusals = new Map<string, string>();
      const pushes: RefPush[] = [];
      const agreed: RefPush[] = [];
      for (const { ref, after: id, version } of changes) {
        const theirs = there.get(ref) ?? { id: undefined, version: {} };
        const push = { ref, id, expected: theirs.id, version };
        if (theirs.id === id) agreed.push({ ...push, version: joinVersions(version, theirs.version) });
        else if (compareVersions(version, theirs.version) === 'after') pushes.push(push);
        else
          refusals.set(
            ref,
            `${client.peer.region} has another value of it that is not here yet; pull it first`,
          );
      }
      if (options.atomic && refusals.size > 0) return refusals;
      if (agreed.length > 0) await client.adopt(agreed, signal);
      for (let first = 0; first < pushes.length; first += REFS_PER_PUSH) {
        const batch = options.atomic ? pushes : pushes.slice(first, first + REFS_PER_PUSH);
        const refused = await this.#push(batch, { atomic: options.atomic, signal });
        for (const [ref, reason] of refused) refusals.set(ref, `${client.peer.region} refused it: ${reason}`);
        if (options.atomic) break;
      }
      return refusals;
    });
  }

  #lookAfter(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.context.clock.after(delayMs, () => this.#lookAgain(), { idle: true });
  }

  #lookAgain(): void {
    this.#there = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#runRound();
  }

  #runRound(): void {
    if (this.#isRoundWanted || this.#abort.signal.aborted) return;
    this.#isRoundWanted = true;
    void this.#exclusive.run(async () => {
      this.#isRoundWanted = false;
      if (this.#abort.signal.aborted) return;
      this.#roundBeganAt = this.#parts.context.clock.now();
      try {
        const decision = await this.#round();
        this.#lastFailure = undefined;
        this.#report({ kind: 'completed', splits: decision.splits });
      } catch (error) {
        if (!this.#abort.signal.aborted) this.#fail(error);
      }
    });
  }

  async #round(): Promise<ReplicationDecision> {
    for (let step = 0; step < STEPS_PER_ROUND; step += 1) {
      const isFresh = this.#there === undefined;
      const there = this.#there ?? (await this.#look(this.#abort.signal));
      const decision = this.#decide(there);
      const isInDoubt = decision.comparisons.length > 0 || decision.splits.length > 0;
      if (isInDoubt && !isFresh) {
        this.#there = undefined;
      } else if (decision.comparisons.length > 0) {
        await this.#compare(decision);
      } else if (!(await this.#carryOut(decision, there))) {
        this.#updatePending(decision);
        return decision;
      }
    }
    throw new TandemError('PEER_UNSETTLED', 'the refs kept changing on both sides', { kind: 'system' });
  }

  #decide(there: RefStates): ReplicationDecision {
    return decideReplication({ here: this.#parts.store.refs, there, relations: this.#relations });
  }

  async #look(signal: AbortSignal): Promise<Map<string, RefState>> {
    const { store, client } = this.#parts;
    const asked = new Map(store.refs);
    const digest = digestRefStates(encodeRefStates(asked));
    const there = new Map((await client.listRefs(digest, signal)) ?? asked);
    this.#there = there;
    this.#lastThere = there;
    return there;
  }

  /** A value that is not stored here has to be fetched before its history can be compared. */
  async #compare(decision: ReplicationDecision): Promise<void> {
    const { git, client } = this.#parts;
    const found = new Map<string, Relation>();
    for (const { here, there } of decision.comparisons) {
      if (!(await hasObject(git, there))) await client.fetch(there, this.#abort.signal);
      found.set(relationKey(here, there), await relationOf(git, here, there));
    }
    // Relations never change; those of the present splits are all that is worth keeping.
    const splits = new Set(decision.splits.map(({ here, there }) => relationKey(here ?? '', there ?? '')));
    const kept = [...this.#relations].filter(([key]) => splits.has(key));
    this.#relations = new Map([...kept, ...found]);
  }

  /** False where there was nothing to do. */
  async #carryOut(decision: ReplicationDecision, there: Map<string, RefState>): Promise<boolean> {
    const { store, client } = this.#parts;
    const { adoptHere, adoptThere, pushes } = decision;
    const signal = this.#abort.signal;
    store.adopt(adoptHere);
    if (adoptThere.length > 0) {
      await client.adopt(adoptThere, signal);
      for (const { ref, id, version } of adoptThere) there.set(ref, { id, version });
    }
    for (let first = 0; first < pushes.length; first += REFS_PER_PUSH) {
      const batch = pushes.slice(first, first + REFS_PER_PUSH);
      const refused = await this.#push(batch, { atomic: false, signal });
      this.#celebrate(batch.filter(({ ref }) => !refused.has(ref)));
      const isUnexplained = [...refused.values()].some(reason => !isOutdatedView(reason));
      if (isUnexplained) {
        const [ref, reason] = [...refused].find(([, reason]) => !isOutdatedView(reason))!;
        throw new TandemError('PEER_REFUSED', `${client.peer.region} refused ${ref}: ${reason}`, {
          kind: 'system',
        });
      }
    }
    return adoptHere.length + adoptThere.length + pushes.length > 0;
  }

  /** Pushes, and keeps in mind what the peer has now. */
  async #push(
    pushes: readonly RefPush[],
    options: { atomic: boolean; signal: AbortSignal },
  ): Promise<ReadonlyMap<string, string>> {
    const refused = await this.#parts.client.push(pushes, options).catch((error: unknown) => {
      this.#there = undefined;
      throw error;
    });
    for (const { ref, id, version } of pushes) {
      if (!refused.has(ref)) this.#there?.set(ref, { id, version });
    }
    if (refused.size > 0) this.#there = undefined;
    return refused;
  }

  #celebrate(pushed: readonly RefPush[]): void {
    if (pushed.length === 0) return;
    const { context, client } = this.#parts;
    const now = context.clock.now();
    const since = Math.min(...pushed.map(({ ref }) => this.#pendingSince.get(ref) ?? now));
    for (const { ref } of pushed) this.#pendingSince.delete(ref);
    const refs = pushed.map(({ ref }) => ref);
    context.events.append(succeededEvent(client.peer.region, refs, now - since));
  }

  #fail(error: unknown): void {
    const { context } = this.#parts;
    this.#there = undefined;
    this.#lastFailure = {
      message: errorMessage(error),
      isUnreachable: error instanceof TandemError && error.code === 'PEER_UNREACHABLE',
    };
    this.#updatePending(this.#decide(this.#lastThere));
    this.#report({ kind: 'failed' });
    const delayMs = backoffDelayMs(RETRY_BACKOFF, this.#condition.failedAttempts, context.random);
    this.#lookAfter(delayMs);
  }

  #report(outcome: RoundOutcome): void {
    const { context, client } = this.#parts;
    const { condition, notices } = reportRound(this.#condition, outcome, context.clock.now());
    this.#condition = condition;
    const own = { region: context.region, gitUrl: gitUrlOf(context) };
    const peer = { region: client.peer.region, gitUrl: client.gitUrl };
    for (const notice of notices) {
      context.events.append(noticeEvent(notice, { own, peer, error: this.#lastFailure?.message ?? '' }));
    }
  }

  #updatePending(decision: ReplicationDecision): void {
    const pending = new Set(decision.pushes.map(({ ref }) => ref));
    for (const ref of this.#pendingSince.keys()) if (!pending.has(ref)) this.#pendingSince.delete(ref);
    for (const ref of pending) {
      if (this.#pendingSince.has(ref)) continue;
      this.#pendingSince.set(ref, this.#parts.store.refs.get(ref)!.changedAt);
    }
  }
}

/** Refusals that a new look at the peer explains. */
function isOutdatedView(reason: string): boolean {
  return /stale info|has not seen the newest value|meanwhile|under way|does not exist|fetch first|atomic/.test(
    reason,
  );
}

function gitUrlOf(context: Pick<ServiceContext, 'endpoint' | 'config'>): string {
  return `${context.endpoint}/git/${context.config.application}.git`;
}
