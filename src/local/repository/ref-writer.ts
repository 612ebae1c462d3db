/**
 * The one writer of the repository's refs. Pushes arrive from any number of receive-pack processes at once; here
 * they take their turn: noted as intended, made by git in one transaction, recorded, told to the listeners, and only
 * then acknowledged.
 */
import { decideReceipt, type Receipt } from '../../control/replication/receipt.ts';
import type { Version } from '../../control/replication/version.ts';
import type { RegionName } from '../../model/names.ts';
import type { Clock } from '../../platform/clock.ts';
import type { CommandResult, RefCommand } from '../../wire/git/proc-receive.ts';
import { listRefs, removeLocks, SHARED_NAMESPACES } from './bare-repository.ts';
import type { Delivery } from './delivery.ts';
import { Exclusive } from './exclusive.ts';
import { gitComplaint, type Git } from './git.ts';
import { readCommitters } from './objects.ts';
import type { NewChange, PlannedChange, RefStore } from './ref-store.ts';

export type PushOrigin =
  | { kind: 'client'; address: string }
  | { kind: 'region'; region: RegionName; versions: ReadonlyMap<string, Version> };

export interface Push {
  origin: PushOrigin;
  commands: readonly RefCommand[];
  atomic: boolean;
  /** Aborted when the client is gone: what has not begun then does not begin. */
  signal: AbortSignal;
}

export interface PushOutcome {
  results: CommandResult[];
  /** What the listeners say to the pusher. */
  lines: string[];
}

/** Gets changes to another region before they are made here: for each ref that none took, the reason. */
export type SecureElsewhere = (
  changes: readonly PlannedChange[],
  options: { atomic: boolean; signal: AbortSignal },
) => Promise<ReadonlyMap<string, string>>;

export interface RefWriterParts {
  git: Git;
  clock: Clock;
  replica: string;
  store: RefStore;
  delivery: Delivery;
  /** Only with synchronous replication. */
  secureElsewhere?: SecureElsewhere;
  /** Called after changes were recorded, in order. */
  onRecorded(changes: readonly PlannedChange[]): void;
}

/** As git words it: `Unable to create '<path>/refs/heads/main.lock': File exists.` */
const LOCKED = /\.lock': File exists/;

export class RefWriter {
  readonly #parts: RefWriterParts;
  readonly #writes = new Exclusive();
  /** With synchronous replication clients' pushes take turns as a whole; other regions' never wait for them. */
  readonly #clientPushes = new Exclusive();
  /** Refs whose new value is on its way to another region: nobody else may move them meanwhile. */
  readonly #inFlight = new Set<string>();

  constructor(parts: RefWriterParts) {
    this.#parts = parts;
  }

  async apply(push: Push): Promise<PushOutcome> {
    const { origin } = push;
    if (origin.kind === 'region') return this.#writes.run(() => this.#applyFromRegion(push, origin));
    const { secureElsewhere } = this.#parts;
    const named = await this.#nameAuthors(push.commands, `a client at ${origin.address}`);
    return secureElsewhere
      ? this.#clientPushes.run(() => this.#applySecured(push, named, secureElsewhere))
      : this.#writes.run(() => this.#applyFromClient(push, named));
  }

  /**
   * Brings the records in line with what git has: after a crash between the two, or when somebody changed refs in
   * the folder by hand. `intended` changes are completed under the name and version they were noted with.
   */
  reconcile(): Promise<void> {
    return this.#writes.run(async () => {
      const { git, store, replica } = this.#parts;
      const actual = await listRefs(git);
      const interrupted = store.intended().filter(({ ref }) => !this.#inFlight.has(ref));
      const wasMade = ({ ref, before, after }: PlannedChange) =>
        actual.get(ref) === after && store.refs.get(ref)?.id === before;
      const made = interrupted.filter(wasMade);
      store.abandon(interrupted.filter(change => !made.includes(change)));
      this.#record(made);

      const refs = new Set([...actual.keys(), ...store.refs.keys()]);
      const unknown = [...refs]
        .sort()
        .filter(ref => actual.get(ref) !== store.refs.get(ref)?.id && !this.#inFlight.has(ref))
        .map(ref => ({ ref, before: store.refs.get(ref)?.id, after: actual.get(ref) }));
      if (unknown.length > 0) {
        this.#record(store.intend(replica, await this.#nameAuthors(unknown, 'somebody with disk access')));
      }
      this.#parts.delivery.deliver();
    });
  }

  /** Resolves when the present change is complete. */
  finish(): Promise<void> {
    return this.#writes.run(async () => undefined);
  }

  async #applyFromClient(push: Push, named: readonly NewChange[]): Promise<PushOutcome> {
    const refusals = this.#checkCommands(push);
    const planned = this.#plan(named, refusals);
    await this.#update(planned, push.atomic, refusals);
    return this.#finish(push, planned, refusals);
  }

  async #applySecured(
    push: Push,
    named: readonly NewChange[],
    secureElsewhere: SecureElsewhere,
  ): Promise<PushOutcome> {
    const { refusals, planned } = await this.#writes.run(async () => {
      const refusals = this.#checkCommands(push);
      const planned = this.#plan(named, refusals);
      for (const { ref } of planned) this.#inFlight.add(ref);
      return { refusals, planned };
    });
    try {
      if (planned.length > 0) {
        const unsecured = await secureElsewhere(planned, push);
        for (const [ref, reason] of unsecured) refusals.set(ref, reason);
        if (push.atomic && refusals.size > 0) refuseTheRest(push.commands, refusals);
      }
      return await this.#writes.run(async () => {
        this.#parts.store.abandon(planned.filter(({ ref }) => refusals.has(ref)));
        const secured = planned.filter(({ ref }) => !refusals.has(ref));
        await this.#update(secured, push.atomic, refusals);
        return this.#finish(push, secured, refusals);
      });
    } finally {
      for (const { ref } of planned) this.#inFlight.delete(ref);
    }
  }

  async #applyFromRegion(push: Push, origin: PushOrigin & { kind: 'region' }): Promise<PushOutcome> {
    const { store, replica } = this.#parts;
    const refusals = this.#checkCommands(push);
    const changes: NewChange[] = [];
    for (const command of push.commands.filter(({ ref }) => !refusals.has(ref))) {
      const receipt = this.#receiptOf(command, origin);
      if (receipt.kind === 'refuse')
        refusals.set(command.ref, `${origin.region} has not seen the newest value`);
      if (receipt.kind === 'agree') {
        store.adopt([{ ref: command.ref, id: command.after, version: receipt.version }]);
      }
      if (receipt.kind === 'apply') {
        const replicated = { from: origin.region, version: receipt.version };
        changes.push({ ...command, by: origin.region, replicated });
      }
    }
    if (push.atomic && refusals.size > 0) refuseTheRest(push.commands, refusals);
    const accepted = changes.filter(({ ref }) => !refusals.has(ref));
    const planned = accepted.length === 0 ? [] : store.intend(replica, accepted);
    await this.#update(planned, push.atomic, refusals);
    return this.#finish(push, planned, refusals);
  }

  #receiptOf(command: RefCommand, origin: PushOrigin & { kind: 'region' }): Receipt {
    const own = this.#parts.store.refs.get(command.ref) ?? { id: undefined, version: {} };
    const version = origin.versions.get(command.ref);
    return version === undefined ? { kind: 'refuse' } : decideReceipt(own, { id: command.after, version });
  }

  /** What can be refused without asking git, by ref. An atomic push with one refusal is refused as a whole. */
  #checkCommands(push: Push): Map<string, string> {
    const refusals = new Map<string, string>();
    for (const { ref, before, after } of push.commands) {
      const known = this.#parts.store.refs.get(ref)?.id;
      if (push.signal.aborted) refusals.set(ref, 'the client is gone');
      else if (!SHARED_NAMESPACES.some(namespace => ref.startsWith(namespace))) {
        refusals.set(
          ref,
          'only branches (refs/heads/), tags (refs/tags/) and notes (refs/notes/) can be pushed',
        );
      } else if (this.#inFlight.has(ref)) refusals.set(ref, 'another push to it is under way; try again');
      else if (known !== before && known !== after) {
        refusals.set(ref, 'it was changed by another push meanwhile; pull, then push again');
      }
    }
    if (push.atomic && refusals.size > 0) refuseTheRest(push.commands, refusals);
    return refusals;
  }

  /** What is there already (the same push reached another region first) is done. */
  #plan(named: readonly NewChange[], refusals: ReadonlyMap<string, string>): PlannedChange[] {
    const { store, replica } = this.#parts;
    const wanted = named.filter(({ ref, after }) => !refusals.has(ref) && store.refs.get(ref)?.id !== after);
    return wanted.length === 0 ? [] : store.intend(replica, wanted);
  }

  async #nameAuthors(commands: readonly RefCommand[], otherwise: string): Promise<NewChange[]> {
    const ids = commands.flatMap(({ after }) => after ?? []);
    const committers = await readCommitters(this.#parts.git, ids);
    return commands.map(command => ({
      ...command,
      by: (command.after && committers.get(command.after)) ?? otherwise,
    }));
  }

  /** Lets git move the refs: all in one transaction, or, where that fails, one by one to find the culprit. */
  async #update(
    planned: readonly PlannedChange[],
    atomic: boolean,
    refusals: Map<string, string>,
  ): Promise<void> {
    if (planned.length === 0) return;
    const complaint = await this.#updateInGit(planned);
    if (complaint === undefined) return;
    if (atomic || planned.length === 1) {
      for (const { ref } of planned) refusals.set(ref, complaint);
    } else {
      for (const change of planned) {
        const reason = await this.#updateInGit([change]);
        if (reason !== undefined) refusals.set(change.ref, reason);
      }
    }
    this.#parts.store.abandon(planned.filter(({ ref }) => refusals.has(ref)));
  }

  /**
   * All refs are moved here, one push at a time, so a lock that stands in the way and stays is of a git that was killed:
   * an earlier push's, or one that joined packs.
   */
  async #updateInGit(changes: readonly PlannedChange[]): Promise<string | undefined> {
    const complaint = await this.#tryInGit(changes);
    if (complaint === undefined || !LOCKED.test(complaint)) return complaint;
    await removeLocks(this.#parts.git.repositoryPath, this.#parts.clock);
    return this.#tryInGit(changes);
  }

  /** `start` and `commit`: cut off in the middle by a crash, git changes nothing. */
  async #tryInGit(changes: readonly PlannedChange[]): Promise<string | undefined> {
    const updates = changes.map(({ ref, before, after }) => {
      const zero = '0'.repeat((after ?? before)!.length);
      return `update ${ref}\0${after ?? zero}\0${before ?? zero}\0`;
    });
    const input = `start\0${updates.join('')}prepare\0commit\0`;
    const { exitCode, stderr } = await this.#parts.git.run(['update-ref', '-z', '--stdin'], { input });
    return exitCode === 0 ? undefined : gitComplaint(stderr);
  }

  #finish(push: Push, planned: readonly PlannedChange[], refusals: ReadonlyMap<string, string>): PushOutcome {
    const made = planned.filter(({ ref }) => !refusals.has(ref));
    this.#record(made);
    const lines = this.#parts.delivery.deliver();
    const sequences = new Set(made.map(({ sequence }) => sequence));
    return {
      results: push.commands.map(({ ref }) => {
        const refusal = refusals.get(ref);
        return refusal === undefined ? { ref } : { ref, refusal };
      }),
      lines: [...lines].flatMap(([sequence, said]) => (sequences.has(sequence) ? said : [])),
    };
  }

  #record(changes: readonly PlannedChange[]): void {
    if (changes.length === 0) return;
    this.#parts.store.record(changes);
    this.#parts.onRecorded(changes);
  }
}

function refuseTheRest(commands: readonly RefCommand[], refusals: Map<string, string>): void {
  for (const { ref } of commands) {
    if (!refusals.has(ref)) refusals.set(ref, 'another ref of this atomic push was refused');
  }
}
