import type { ReleaseRecord } from '../../../model/cloud.ts';
import type { Execution } from '../../../model/execution.ts';
import { PIPELINE_ENVIRONMENTS, type PipelineEnvironment, type StageName } from '../../../model/names.ts';
import type { Release } from '../../../model/release.ts';
import type { Images } from './image-reader.ts';

const STAGES: Record<PipelineEnvironment, StageName> = { staging: 'Staging', production: 'Production' };

export interface ReleaseFacts {
  images: Images;
  /** Newest first. */
  executions: readonly Execution[];
  /** What each environment runs. */
  inService: Partial<Record<PipelineEnvironment, Release>>;
}

/** What was built, what runs where, and when it was last deployed; those that run although their image is gone, too. */
export function releaseRecords({ images, executions, inService }: ReleaseFacts): ReleaseRecord[] {
  const gone = PIPELINE_ENVIRONMENTS.flatMap(environment => inService[environment] ?? []).filter(
    ({ digest }, index, all) =>
      images.ofDigest(digest) === undefined && all.findIndex(one => one.digest === digest) === index,
  );
  return [
    ...images.all().map(release => ({ release, imageAvailable: true })),
    ...gone.map(release => ({ release, imageAvailable: false })),
  ].map(({ release, imageAvailable }) => {
    const own = executions.filter(({ commit }) => commit.id === release.commit);
    return {
      ...release,
      subject: own[0]?.commit.subject ?? '',
      runningIn: PIPELINE_ENVIRONMENTS.filter(
        environment => inService[environment]?.digest === release.digest,
      ),
      deployedAt: deployedAt(own),
      imageAvailable,
    };
  });
}

function deployedAt(executions: readonly Execution[]): ReleaseRecord['deployedAt'] {
  const ends = PIPELINE_ENVIRONMENTS.flatMap(environment => {
    const times = executions.flatMap(({ stages }) =>
      stages.flatMap(({ name, status, endedAt }) =>
        name === STAGES[environment] && status === 'Succeeded' && endedAt !== undefined ? [endedAt] : [],
      ),
    );
    return times.length === 0 ? [] : [[environment, Math.max(...times)] as const];
  });
  return Object.fromEntries(ends);
}
