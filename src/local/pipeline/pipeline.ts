import {
  approve,
  reject,
  retry,
  stageToRetry,
  startExecution,
  startRollback,
  stop,
} from '../../control/pipeline/commands.ts';
import { decide } from '../../control/pipeline/decide.ts';
import { answerPeer } from '../../control/pipeline/peer-answer.ts';
import type {
  ExecutionRecord,
  Observation,
  PeerAnswer,
  PipelineSettings,
} from '../../control/pipeline/state.ts';
import type { Step } from '../../control/pipeline/transitions.ts';
import type { NewRegionEvent } from '../../model/event.ts';
import type { Execution } from '../../model/execution.ts';
import type { Digest } from '../../model/names.ts';
import type { Commit } from '../../model/release.ts';
import type { PipelineTiming } from '../../model/timing.ts';
import { migrate } from '../../platform/database.ts';
import { newId } from '../../platform/random.ts';
import type { ServiceContext } from '../context.ts';
import { createReconcileLoop, type ReconcileLoop } from '../reconcile-loop.ts';
import type { RefChange } from '../repository/contract.ts';
import { ActionDoer, type Neighbours } from './action-doer.ts';
import type { Pipeline } from './contract.ts';
import { EventOutbox } from './event-outbox.ts';
import { ExecutionStore } from './execution-store.ts';
import { ImageLifecycle } from './image-lifecycle.ts';
import { Journal } from './journal.ts';
import type { PeerQuestion } from './peer-messages.ts';
import { PeerServer } from './peer-server.ts';
import { pusherLines } from './pusher-lines.ts';
import { ReleaseLedger } from './release-ledger.ts';
import { chooseRollback } from './rollback.ts';
import { PIPELINE_MIGRATIONS } from './schema.ts';

export interface PipelineDependencies extends Neighbours {
  timing: PipelineTiming;
}

export function createPipeline(context: ServiceContext, dependencies: PipelineDependencies): Pipeline {
  const { config, database, clock } = context;
  const { repository, build, registry, compute } = dependencies;
  migrate(database, 'pipeline', PIPELINE_MIGRATIONS);
  const settings = settingsOf(context, dependencies.timing);
  const store = new ExecutionStore(database);
  const ledger = new ReleaseLedger(database, registry, config.application);
  const outbox = new EventOutbox(database, context.events);
  const journal = new Journal(database, store, ledger, outbox);
  const peers = new PeerServer(context, tellPeer);
  const lifecycle = new ImageLifecycle(context.events, registry);
  const listeners: (() => void)[] = [];
  let running: { loop: ReconcileLoop; doer: ActionDoer } | undefined;
  let isListening = false;

  const wake = () => running?.loop.wake();

  /** One turn: observe, decide, store, act. Nothing in it waits, so no command comes in between. */
  function reconcile(doer: ActionDoer, loop: ReconcileLoop): void {
    const decision = decide(settings, { records: journal.records }, observe(doer), clock.now());
    const { records } = decision.state;
    const hasChanged = journal.store({ records, events: decision.events, ledger: decision.ledger });
    doer.outcomes.clear();
    const untold = tryToTell();
    doer.do(decision.actions);
    const hasNewImages = decision.ledger.some(
      entry => entry.kind === 'built' || entry.environment === 'production',
    );
    lifecycle.apply({ hasNewImages, isMakingImages: journal.records.some(isMakingImages) }, digestsInUse);
    if (decision.waiting?.until !== undefined) loop.wakeAt(decision.waiting.until);
    if (hasChanged) changed();
    if (untold) throw untold;
  }

  function observe(doer: ActionDoer): Observation {
    return {
      outcomes: doer.outcomes,
      build: id => build.build(id),
      deployment: id => compute.deployment(id),
      healthyTasks: environment => compute.service(environment).healthyTargets,
      localRelease: commit => ledger.available(commit),
    };
  }

  /** A log that cannot be written must not keep a deployment from going on; the telling is tried again. */
  function tryToTell(): Error | undefined {
    try {
      outbox.tell();
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Runs a command on a record and stores what it makes of it, with its events, before the caller hears of it. */
  function command(make: (step: Step) => ExecutionRecord, refSequence?: number): Execution {
    const events: NewRegionEvent[] = [];
    const record = make({ settings, now: clock.now(), tell: event => events.push(event) });
    journal.put(record, events, refSequence);
    wake();
    changed();
    return record.execution;
  }

  function changed(): void {
    peers.wake();
    for (const listener of listeners) listener();
  }

  function tellPeer({ commit, from }: PeerQuestion): PeerAnswer {
    return answerPeer(from, {
      localRelease: ledger.available(commit),
      records: journal.records.filter(record => record.execution.commit.id === commit),
      latestEnded: store.latestEnded(commit),
    });
  }

  function digestsInUse(): ReadonlySet<Digest> {
    const underWay = journal.records.flatMap(({ execution: { release } }) =>
      release ? [release.digest] : [],
    );
    const good = ledger.good().map(({ release }) => release.digest);
    return new Set([...compute.releasesInUse(), ...underWay, ...good]);
  }

  function listen(): void {
    if (isListening) return;
    isListening = true;
    repository.onRefChange(change => pusherLines(context, change, handleRefChange(change)));
    build.onChange(wake);
    compute.onChange(wake);
  }

  function handleRefChange(change: RefChange): Execution | undefined {
    const { sequence, ref, after, replicatedFrom, by } = change;
    if (ref !== `refs/heads/${config.pipeline.branch}` || after === undefined) return undefined;
    const known = store.ofRefChange(sequence);
    if (known) return known;
    const kind = replicatedFrom === undefined ? 'push' : 'replication';
    const trigger = { kind, by: replicatedFrom ?? by, ref } as const;
    const request = { ...newExecution(), trigger, commit: unreadCommit(after, change, clock.now()) };
    return command(step => startExecution(request, step), sequence);
  }

  function newExecution() {
    return { id: newId(), number: store.nextNumber(), region: context.region };
  }

  return {
    async start() {
      if (running) return;
      listen();
      const doer: ActionDoer = new ActionDoer(context, dependencies, wake);
      const loop = createReconcileLoop(context, 'pipeline', self => reconcile(doer, self));
      running = { doer, loop };
    },
    async stop() {
      const { doer, loop } = running ?? {};
      running = undefined;
      doer?.stop();
      peers.stop();
      await loop?.stop();
      await lifecycle.stop();
    },
    handleRefChange,
    handle: (request, response) => peers.handle(request, response),
    executions: limit => store.newest(Math.max(0, limit)),
    execution: id => journal.find(id).execution,
    approve: request => command(step => approve(journal.find(request.executionId), request, step)),
    reject: request => command(step => reject(journal.find(request.executionId), request, step)),
    retry(executionId, by) {
      const record = journal.find(executionId);
      const { number, release } = record.execution;
      const isParallel = settings.mode === 'PARALLEL';
      const facts = {
        overtakenBy: isParallel ? undefined : store.overtaking(number, stageToRetry(record.execution)),
        isImageAvailable: release === undefined || ledger.isAvailable(release.digest),
      };
      return command(step => retry(record, by, facts, step));
    },
    stopExecution: (executionId, request) => command(() => stop(journal.find(executionId), request)),
    rollback({ to, by }) {
      const { release, commit } = chooseRollback(to, journal.records, store, ledger);
      const trigger = { kind: 'rollback', by, ref: `refs/heads/${config.pipeline.branch}` } as const;
      const request = { ...newExecution(), trigger, commit };
      return command(step => startRollback(request, release, step));
    },
    releases: () => ledger.list(compute),
    onChange(listener) {
      listeners.push(listener);
    },
  };
}

function settingsOf(context: ServiceContext, timing: PipelineTiming): PipelineSettings {
  const { pipeline, application } = context.config;
  return {
    application,
    mode: pipeline.executionMode,
    approvalRequired: pipeline.approval.required,
    approvalExpiresAfterMs: timing.approvalExpiresAfterMs,
    buildTimeoutMs: timing.buildTimeoutMs,
    peers: context.peers.map(peer => peer.region),
  };
}

/** What is known of a commit before Source has read it. */
function unreadCommit(id: string, change: RefChange, now: number): Commit {
  return { id, subject: '', author: { name: change.by, email: '' }, authoredAt: now };
}

function isMakingImages(record: ExecutionRecord): boolean {
  return record.build !== undefined && record.build.step !== 'ask';
}
