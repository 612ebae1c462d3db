import type { Instant } from '../core/instant.ts';
import type { CommitId, Digest } from './names.ts';

/** CodeBuild's words (API `StatusType`). */
export type BuildStatus = 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'FAULT' | 'TIMED_OUT' | 'STOPPED';

export type BuildPhaseName =
  | 'SUBMITTED'
  | 'QUEUED'
  | 'PROVISIONING'
  | 'DOWNLOAD_SOURCE'
  | 'INSTALL'
  | 'PRE_BUILD'
  | 'BUILD'
  | 'POST_BUILD'
  | 'UPLOAD_ARTIFACTS'
  | 'FINALIZING'
  | 'COMPLETED';

interface BuildPhase {
  name: BuildPhaseName;
  status: BuildStatus;
  startedAt: Instant;
  endedAt?: Instant;
  /** `COMMAND_EXECUTION_ERROR: npm test: exit status 1`, as CodeBuild's phase context reads. */
  context?: string;
}

/** One entry of `imagedefinitions.json`, its image resolved to a digest in this region's registry. */
export interface BuiltImage {
  /** The container's name. */
  name: string;
  imageUri: string;
  digest: Digest;
}

export interface Build {
  id: string;
  /** CODEBUILD_BUILD_NUMBER: counts up from 1 within the region. */
  number: number;
  commit: CommitId;
  executionId: string;
  status: BuildStatus;
  phases: BuildPhase[];
  /** One line for a person, when not SUCCEEDED: what failed, with the last line of output where that tells more. */
  cause?: string;
  images: BuiltImage[];
  exportedVariables: Record<string, string>;
  reports: TestReport[];
  /** Log group `build`, this stream. */
  logStream: string;
  startedAt: Instant;
  endedAt?: Instant;
}

export interface TestReport {
  group: string;
  total: number;
  passed: number;
  failed: number;
  skipped: number;
}
