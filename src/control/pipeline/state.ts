import type { Instant } from '../../core/instant.ts';
import type { Build } from '../../model/build.ts';
import type { Deployment } from '../../model/deployment.ts';
import type { NewRegionEvent } from '../../model/event.ts';
import type { Execution, ExecutionMode } from '../../model/execution.ts';
import type { CommitId, Digest, PipelineEnvironment, RegionName } from '../../model/names.ts';
import type { Commit, Release } from '../../model/release.ts';
import type { Waiting } from '../../model/waiting.ts';

/*
 * The pipeline's world as values. `PipelineState` is what the pipeline remembers (and stores), `Observation`
 * what it sees of its neighbours, `Decision` what follows. Nothing here is ever changed in place.
 */

export interface PipelineSettings {
  application: string;
  mode: ExecutionMode;
  approvalRequired: boolean;
  approvalExpiresAfterMs: number;
  buildTimeoutMs: number;
  /** Regions that can be asked for a release. */
  peers: readonly RegionName[];
}

/** Asked to end before its time, by a person or by a rollback that takes production over. */
export interface StopRequest {
  abandon: boolean;
  by: string;
  /** The number of the rollback's execution; the end is then `Superseded`. */
  supersededBy?: number;
}

/** How often something was asked in vain, and when it is asked again (absent: now). */
export interface Tries {
  failures: number;
  retryAt?: Instant;
}

/**
 * How the Build stage goes about it. A commit that came from another region is asked for there (`ask`) and its
 * image copied (`pull`); everything else, and everything that this did not work for, is built here (`build`).
 */
export type BuildProgress =
  | {
      step: 'ask';
      origin: RegionName;
      tries: Tries;
      /** Counts the questions, so that each answer belongs to one. */
      question: number;
      /** The origin is building: the next question may be held until that changes. */
      isHeld: boolean;
      deadline: Instant;
    }
  | { step: 'pull'; origin: RegionName; tries: Tries; release: Release }
  /** `run` 2 follows a build that the region's end interrupted. `note`: why it is built here after all. */
  | { step: 'build'; run: number; note?: string };

/** An execution and what only the pipeline needs to know of it. */
export interface ExecutionRecord {
  execution: Execution;
  stop?: StopRequest;
  source?: Tries;
  build?: BuildProgress;
  /** The digest that staging ran with success: the only one that production may get. */
  provedDigest?: Digest;
}

export interface PipelineState {
  /** Oldest first; those that have ended are of no more interest. */
  records: readonly ExecutionRecord[];
}

/** What a peer knows of the release of a commit: the answer of `/internal/pipeline/releases/<commit>`. */
export type PeerAnswer =
  | { state: 'built'; release: Release }
  | { state: 'building' }
  | { state: 'failed'; cause: string }
  | { state: 'absent' };

/** What became of an action, under the action's key. */
export type Outcome =
  | { kind: 'commit'; commit: Commit }
  | { kind: 'commit-unknown'; message: string }
  | { kind: 'peer'; answer: PeerAnswer }
  | { kind: 'pulled' }
  | { kind: 'build'; id: string }
  | { kind: 'deployment'; id: string }
  /** It could not be done (now); `failure` is one line. */
  | { kind: 'failed'; failure: string };

export interface Observation {
  outcomes: ReadonlyMap<string, Outcome>;
  /** By id. */
  build(id: string): Build | undefined;
  deployment(id: string): Deployment | undefined;
  healthyTasks(environment: PipelineEnvironment): number;
  /** The newest release of a commit whose image is in this region's registry. */
  localRelease(commit: CommitId): Release | undefined;
}

/** Something to be done. Doing it again under the same key is harmless. */
export type Action =
  | { kind: 'ReadCommit'; key: string; commit: CommitId }
  | { kind: 'AskPeer'; key: string; region: RegionName; commit: CommitId; isHeld: boolean }
  | { kind: 'PullImage'; key: string; region: RegionName; release: Release }
  | {
      kind: 'StartBuild';
      key: string;
      commit: CommitId;
      ref: string;
      executionId: string;
      initiator: string;
    }
  | { kind: 'StopBuild'; key: string; buildId: string }
  | {
      kind: 'StartDeployment';
      key: string;
      service: PipelineEnvironment;
      release: Release;
      executionId: string;
    }
  | { kind: 'StopDeployment'; key: string; deploymentId: string };

/** What the ledger of releases must take down together with the new state. */
export type LedgerEntry =
  | { kind: 'built'; release: Release; commit: Commit }
  | {
      kind: 'deployed';
      environment: PipelineEnvironment;
      release: Release;
      commit: Commit;
      at: Instant;
      isRollback: boolean;
    };

export interface Decision {
  state: PipelineState;
  /** All that should be under way or done, whether it was asked for before or not. */
  actions: Action[];
  /** Told once: they belong to the step from the old state to the new. */
  events: NewRegionEvent[];
  ledger: LedgerEntry[];
  /** The next moment at which time alone changes something. */
  waiting: Waiting | undefined;
}

/** What one step of one execution is decided with, and where it tells what happened. */
export interface Turn {
  settings: PipelineSettings;
  observed: Observation;
  now: Instant;
  tell(event: NewRegionEvent): void;
  enter(entry: LedgerEntry): void;
}
