import { join } from 'node:path';
import { assert } from '../../core/assert.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/duration.ts';
import { TandemError, errorMessage } from '../../core/error.ts';
import type { NewRegionEvent } from '../../model/event.ts';
import { rm } from '../../platform/files.ts';
import type { IncomingMessage, ServerResponse } from '../../platform/network.ts';
import { newToken } from '../../platform/random.ts';
import type { ServiceContext } from '../context.ts';
import { prepareBareRepository, readReplica } from './bare-repository.ts';
import type { Repository } from './contract.ts';
import { Delivery } from './delivery.ts';
import { createGit, requireGit, type Git } from './git.ts';
import { serveInternal } from './internal-http.ts';
import { Maintenance } from './maintenance.ts';
import { checkOut, readCommit, resolveRevision } from './objects.ts';
import { createPeerClient } from './peer-client.ts';
import { decodeVersionOptions } from './peer-messages.ts';
import { RefStore, type PlannedChange } from './ref-store.ts';
import { RefWriter, type PushOrigin } from './ref-writer.ts';
import { Replicator } from './replicator.ts';
import { secureInOneOf } from './secure-elsewhere.ts';
import { senderOf, type Sender } from './sender.ts';
import { sendText } from './send-text.ts';
import { SmartHttp } from './smart-http.ts';

/** How long a region that got a change from another waits before it makes sure that the rest has it too. */
const FORWARD_AFTER_MS = SECOND_MS;

const RECONCILE_EVERY_MS = 30 * SECOND_MS;

/** A client may think for long between two pieces of a large pack. */
const GIT_IDLE_MS = 5 * MINUTE_MS;

const INTERNAL_PATH = '/internal/repository/';

export function createRepository(context: ServiceContext): Repository {
  const git = createGit(context.folder, join(context.folder, 'repository.git'));
  const store = new RefStore(context.database, context.clock);
  const delivery = new Delivery(store, context);
  let running: RunningRepository | undefined;

  const requireRunning = (): RunningRepository => {
    if (running) return running;
    throw new TandemError('REPOSITORY_STOPPED', `The repository of ${context.region} is not running.`, {
      kind: 'system',
    });
  };

  return {
    async start() {
      assert(running === undefined, 'a repository starts once');
      running = await startRepository(context, { git, store, delivery });
    },
    async stop() {
      const stopping = running;
      running = undefined;
      await stopping?.stop();
    },
    handle(request, response) {
      const [path, query] = splitOnce(request.url ?? '', '?');
      if (!path.startsWith('/git/') && !path.startsWith(INTERNAL_PATH)) return false;
      if (running) running.serve(request, response, path, query);
      else
        sendText(response, 503, `The repository of ${context.region} is not running; try again in a moment.`);
      return true;
    },
    onRefChange(listener) {
      delivery.add(listener);
    },
    async commit(id) {
      requireRunning();
      return readCommit(git, id);
    },
    async resolve(revision) {
      requireRunning();
      return resolveRevision(git, revision);
    },
    async checkout(commit, folder) {
      requireRunning();
      await checkOut(git, commit, { folder, indexFolder: indexFolderOf(context) });
    },
    replication() {
      return running?.replicators.map(replicator => replicator.status()) ?? [];
    },
  };
}

interface RunningRepository {
  replicators: readonly Replicator[];
  serve(request: IncomingMessage, response: ServerResponse, path: string, query: string): void;
  stop(): Promise<void>;
}

async function startRepository(
  context: ServiceContext,
  parts: { git: Git; store: RefStore; delivery: Delivery },
): Promise<RunningRepository> {
  const { git, store, delivery } = parts;
  await requireGit(git);
  // Of checkouts that ended with the process that wanted them.
  await rm(indexFolderOf(context), { recursive: true, force: true });
  const replica = await prepareReplica(context, git, store);

  const replicators = new Map(
    context.peers.map(peer => {
      const client = createPeerClient(context, git, peer);
      return [peer.region, new Replicator({ context, git, store, client })] as const;
    }),
  );
  const maintenance = new Maintenance(git, context);
  await maintenance.start();

  const onRecorded = (changes: readonly PlannedChange[]) => {
    for (const change of changes) context.events.append(pushReceived(change));
    maintenance.countPush();
    for (const [region, replicator] of replicators) {
      const fromThere = changes.filter(({ replicated }) => replicated?.from === region);
      const isOurs = changes.some(({ replicated }) => replicated === undefined);
      if (fromThere.length > 0) replicator.learn(fromThere.map(change => ({ ...change, id: change.after })));
      else if (isOurs) replicator.wake();
      else replicator.wakeLater(FORWARD_AFTER_MS);
    }
  };
  const isSynchronous = context.config.replication === 'synchronous';
  const writer = new RefWriter({
    git,
    clock: context.clock,
    replica,
    store,
    delivery,
    ...(isSynchronous ? { secureElsewhere: secureInOneOf([...replicators.values()]) } : {}),
    onRecorded,
  });

  delivery.open();
  await writer.reconcile();
  for (const replicator of replicators.values()) replicator.start();
  const reconciling = context.clock.every(RECONCILE_EVERY_MS, () => void reconcileQuietly(writer, context), {
    idle: true,
  });

  const smartHttp = new SmartHttp({
    git,
    clock: context.clock,
    idleMs: GIT_IDLE_MS,
    apply: ({ commands, atomic, pushOptions }, sender, signal) =>
      writer.apply({ origin: originOf(sender, pushOptions), commands, atomic, signal }),
  });

  return {
    replicators: [...replicators.values()],
    serve(request, response, path, query) {
      const sender = senderOf(request, context);
      if (sender.kind === 'region') replicators.get(sender.region)?.noteSignOfLife();
      if (path.startsWith(INTERNAL_PATH)) {
        serveInternal(request, response, path.slice(INTERNAL_PATH.length), {
          sender,
          store,
          onAsked: (region, digest) => replicators.get(region)?.noteState(digest),
          onAdopted: (region, adoptions) => replicators.get(region)?.learn(adoptions),
        });
        return;
      }
      if (sender.kind === 'impostor') {
        sendText(response, 403, 'This region is not known here, or its token is wrong.');
        return;
      }
      const repositoryPath = `/git/${context.config.application}.git`;
      const isServed =
        path.startsWith(`${repositoryPath}/`) &&
        smartHttp.serve(request, response, { path: path.slice(repositoryPath.length), query, sender });
      if (!isServed) {
        sendText(response, 404, `The repository of this region is ${context.endpoint}${repositoryPath}`);
      }
    },
    async stop() {
      reconciling.cancel();
      delivery.close();
      await smartHttp.stop();
      await Promise.all([...replicators.values()].map(replicator => replicator.stop()));
      await writer.finish();
      await maintenance.stop();
    },
  };
}

/** The folder and the records belong together by the replica's name; where they do not, the folder wins. */
function indexFolderOf(context: ServiceContext): string {
  return join(context.folder, 'indexes');
}

async function prepareReplica(context: ServiceContext, git: Git, store: RefStore): Promise<string> {
  const ofFolder = await readReplica(git);
  const isSame = ofFolder !== undefined && ofFolder === store.replica;
  const replica = isSame ? ofFolder : `${context.region}.${newToken(4)}`;
  if (!isSame) store.beginReplica(replica);
  await prepareBareRepository(git, {
    branch: context.config.pipeline.branch,
    hooksFolder: join(context.folder, 'hooks'),
    replica,
    clock: context.clock,
  });
  return replica;
}

function originOf(sender: Sender, pushOptions: readonly string[]): PushOrigin {
  assert(sender.kind !== 'impostor', 'an impostor gets no service');
  return sender.kind === 'region'
    ? { kind: 'region', region: sender.region, versions: decodeVersionOptions(pushOptions) }
    : sender;
}

async function reconcileQuietly(writer: RefWriter, context: ServiceContext): Promise<void> {
  try {
    await writer.reconcile();
  } catch (error) {
    context.events.append({
      source: 'repository',
      type: 'ReconcileFailed',
      severity: 'error',
      message: `The repository could not be compared with its records: ${errorMessage(error)}`,
      data: {},
    });
  }
}

function pushReceived({ ref, before, after, by, replicated }: PlannedChange): NewRegionEvent {
  const what = `${before?.slice(0, 12) ?? 'new'} → ${after?.slice(0, 12) ?? 'deleted'}`;
  const how = replicated ? `replicated from ${replicated.from}` : `pushed by ${by}`;
  return {
    source: 'repository',
    type: 'PushReceived',
    severity: 'info',
    message: `${ref.replace(/^refs\/(?:heads|tags)\//, '')}: ${what}, ${how}`,
    data: { ref, before, after, by, replicatedFrom: replicated?.from },
  };
}

function splitOnce(text: string, separator: string): [string, string] {
  const position = text.indexOf(separator);
  return position === -1 ? [text, ''] : [text.slice(0, position), text.slice(position + 1)];
}
