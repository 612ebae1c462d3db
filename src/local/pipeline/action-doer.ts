import { assert, unreachable } from '../../core/assert.ts';
import { errorMessage, TandemError } from '../../core/error.ts';
import type { Action, Outcome } from '../../control/pipeline/state.ts';
import { oneLine } from '../../control/pipeline/words.ts';
import type { BuildService } from '../build/contract.ts';
import type { Compute } from '../compute/contract.ts';
import type { ServiceContext } from '../context.ts';
import type { Registry } from '../registry/contract.ts';
import type { Repository } from '../repository/contract.ts';
import { askPeer } from './peer-client.ts';

export interface Neighbours {
  repository: Repository;
  build: BuildService;
  registry: Registry;
  compute: Compute;
}

/**
 * Does what the decisions name, each key once while it is wanted, and keeps the outcomes for the next decision.
 * Nothing of it is stored: what a crash takes is named, and done, again; the tokens make that harmless.
 */
export class ActionDoer {
  readonly outcomes = new Map<string, Outcome>();
  readonly #context: ServiceContext;
  readonly #neighbours: Neighbours;
  readonly #wake: () => void;
  readonly #stopping = new AbortController();
  /** Keys that are being done or were done. */
  #known = new Set<string>();

  constructor(context: ServiceContext, neighbours: Neighbours, wake: () => void) {
    this.#context = context;
    this.#neighbours = neighbours;
    this.#wake = wake;
  }

  do(actions: readonly Action[]): void {
    const wanted = new Set(actions.map(action => action.key));
    this.#known = new Set([...this.#known].filter(key => wanted.has(key)));
    for (const action of actions) {
      if (this.#known.has(action.key)) continue;
      this.#known.add(action.key);
      this.#start(action);
    }
  }

  /** What is still under way comes to nothing. */
  stop(): void {
    this.#stopping.abort(new Error('the region is stopping'));
    this.#known.clear();
  }

  #start(action: Action): void {
    const { build, compute } = this.#neighbours;
    switch (action.kind) {
      case 'StartBuild': {
        const { key: token, commit, ref, executionId, initiator } = action;
        const request = { token, commit, ref, executionId, initiator };
        return this.#startNow(action.key, () => ({ kind: 'build', id: build.startBuild(request).id }));
      }
      case 'StartDeployment': {
        const { key: token, service, release, executionId } = action;
        const request = { token, service, release, executionId };
        return this.#startNow(action.key, () => ({
          kind: 'deployment',
          id: compute.startDeployment(request).id,
        }));
      }
      case 'StopBuild':
        return this.#stopNow(action.key, () => build.stopBuild(action.buildId));
      case 'StopDeployment':
        return this.#stopNow(action.key, () => compute.stopDeployment(action.deploymentId, 'ABORT'));
      case 'ReadCommit':
      case 'AskPeer':
      case 'PullImage':
        void this.#await(action.key, this.#ask(action));
        return;
      default:
        unreachable(action);
    }
  }

  #startNow(key: string, start: () => Outcome): void {
    try {
      this.outcomes.set(key, start());
    } catch (error) {
      this.outcomes.set(key, failed(error));
    }
    this.#wake();
  }

  /** A stop that could not be asked for is asked for again. */
  #stopNow(key: string, stop: () => void): void {
    try {
      stop();
    } catch (error) {
      this.#known.delete(key);
      throw error;
    }
  }

  async #await(key: string, outcome: Promise<Outcome>): Promise<void> {
    const reached = await outcome.catch(failed);
    if (this.#stopping.signal.aborted || !this.#known.has(key)) return;
    this.outcomes.set(key, reached);
    this.#wake();
  }

  async #ask(action: Extract<Action, { kind: 'ReadCommit' | 'AskPeer' | 'PullImage' }>): Promise<Outcome> {
    switch (action.kind) {
      case 'ReadCommit':
        return this.#readCommit(action.commit);
      case 'AskPeer': {
        const peer = this.#peer(action.region);
        return { kind: 'peer', answer: await askPeer(this.#context, peer, action, this.#stopping.signal) };
      }
      case 'PullImage': {
        const { digest, commit } = action.release;
        const { endpoint } = this.#peer(action.region);
        const { application } = this.#context.config;
        await this.#neighbours.registry.pullFrom(endpoint, application, digest, commit);
        return { kind: 'pulled' };
      }
      default:
        return unreachable(action);
    }
  }

  async #readCommit(id: string): Promise<Outcome> {
    try {
      return { kind: 'commit', commit: await this.#neighbours.repository.commit(id) };
    } catch (error) {
      if (!(error instanceof TandemError) || error.code !== 'COMMIT_UNKNOWN') throw error;
      return { kind: 'commit-unknown', message: error.message };
    }
  }

  #peer(region: string) {
    const peer = this.#context.peers.find(candidate => candidate.region === region);
    assert(peer, 'only regions of this file are asked');
    return peer;
  }
}

function failed(error: unknown): Outcome {
  return { kind: 'failed', failure: oneLine(errorMessage(error)) };
}
