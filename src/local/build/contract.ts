import type { Build } from '../../model/build.ts';
import type { CommitId } from '../../model/names.ts';
import type { Service } from '../context.ts';

export interface BuildRequest {
  /** The same token again returns the build it started, so that starting is safe to repeat. */
  token: string;
  commit: CommitId;
  ref: string;
  executionId: string;
  initiator: string;
}

/** The region's CodeBuild: runs the repository's buildspec in a clean checkout. */
export interface BuildService extends Service {
  startBuild(request: BuildRequest): Build;
  build(id: string): Build | undefined;
  /** Ends it with status STOPPED; every process it started is gone when the status changes. */
  stopBuild(id: string): void;
  /** Called after any build changed. */
  onChange(listener: (build: Build) => void): void;
}

/**
 * What lets a buildspec's `docker` and `aws ecr` commands run on this machine. Where a container engine answers,
 * the real `docker` is used; where the real `aws` CLI is installed it is still hidden for `ecr` and `sts` calls,
 * since the registry is the region's own.
 */
export interface ImageTools {
  /** To be put first in PATH. */
  binFolder: string;
  /** To be added to the build's environment. */
  environment: Record<string, string>;
  /** `Docker Engine 28.2 at unix:///…`, or `no container engine: Dockerfile runs as plain processes`; first line of the build log. */
  description: string;
}

export interface ImageToolsRequest {
  /** A folder of this build alone, removed after it. */
  folder: string;
  /** Layers by content, kept from build to build. */
  cacheFolder: string;
  /** `127.0.1.1:8000`: host and port of the region's registry, as in image names. */
  registryHost: string;
  region: string;
}

export type PrepareImageTools = (request: ImageToolsRequest) => Promise<ImageTools>;
