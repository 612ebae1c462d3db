import { parseInstant, type Instant } from '../../core/instant.ts';
import type { ReleaseRecord } from '../../model/cloud.ts';
import type { ServiceStatus } from '../../model/deployment.ts';
import type { Execution, StageState, StageStatus } from '../../model/execution.ts';
import { STAGE_NAMES, type PipelineEnvironment, type StageName } from '../../model/names.ts';
import type { Release } from '../../model/release.ts';

/** The moment that the tests' clock shows. */
export const NOW: Instant = parseInstant('2026-11-23T02:15:00Z')!;

/** `commitId('a')` is forty times `a`. */
export function commitId(letter: string): string {
  return letter.repeat(40);
}

export function releaseOf(letter: string, overrides: Partial<Release> = {}): Release {
  return {
    commit: commitId(letter),
    digest: `sha256:${letter.repeat(64)}`,
    builtIn: 'us-east-1',
    builtAt: NOW - 60_000,
    ...overrides,
  };
}

export function releaseRecordOf(letter: string, overrides: Partial<ReleaseRecord> = {}): ReleaseRecord {
  return {
    ...releaseOf(letter),
    subject: `Change ${letter}`,
    runningIn: [],
    deployedAt: {},
    imageAvailable: true,
    ...overrides,
  };
}

/** `✓` for each stage before the one named, the status for it, nothing after: `stagesAt('Approval', 'Waiting')`. */
export function stagesAt(stage: StageName, status: StageStatus): StageState[] {
  const at = STAGE_NAMES.indexOf(stage);
  return STAGE_NAMES.map((name, index) => ({
    name,
    status: index < at ? 'Succeeded' : index === at ? status : 'NotStarted',
    attempt: 1,
    ...(index <= at && { startedAt: NOW - 30_000 }),
    ...(index < at && { endedAt: NOW - 20_000 }),
  }));
}

/** An execution of commit `a` that waits for approval, in us-east-1. */
export function executionOf(overrides: Partial<Execution> & { letter?: string } = {}): Execution {
  const { letter = 'a', ...rest } = overrides;
  return {
    id: `${letter.repeat(8)}-0000-4000-8000-000000000001`,
    number: 1,
    region: 'us-east-1',
    trigger: { kind: 'push', by: 'Ada <ada@example.com>', ref: 'refs/heads/main' },
    commit: {
      id: commitId(letter),
      subject: `Change ${letter}`,
      author: { name: 'Ada', email: 'ada@example.com' },
      authoredAt: NOW - 120_000,
    },
    status: 'Waiting',
    stage: 'Approval',
    stages: stagesAt('Approval', 'Waiting'),
    release: releaseOf(letter),
    startedAt: NOW - 60_000,
    ...rest,
  };
}

export function succeeded(execution: Execution): Execution {
  return {
    ...execution,
    status: 'Succeeded',
    stage: 'Production',
    stages: stagesAt('Production', 'Succeeded'),
    endedAt: execution.startedAt + 42_000,
  };
}

export function serviceOf(name: PipelineEnvironment, overrides: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    name,
    url: `http://127.0.1.1:${name === 'production' ? 8001 : 8002}`,
    desired: 2,
    running: 2,
    pending: 0,
    healthyTargets: 2,
    events: [],
    ...overrides,
  };
}
