import type { RegionOperations, ReleaseRecord } from '../../../model/cloud.ts';
import { PIPELINE_ENVIRONMENTS, type PipelineEnvironment } from '../../../model/names.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { AwsSession } from '../aws-session.ts';
import { answerApproval, type PipelineDoer } from './approvals.ts';
import { CommitReader } from './commit-reader.ts';
import { DeploymentReader } from './deployment-reader.ts';
import { readEvents } from './event-reader.ts';
import { ExecutionReader } from './execution-reader.ts';
import { readImages } from './image-reader.ts';
import { readLogs } from './log-reader.ts';
import { PipelineReader } from './pipeline-reader.ts';
import { RegionCalls } from './region-calls.ts';
import type { OperatedService, RegionPlaces } from './region-places.ts';
import { readStatus } from './region-status.ts';
import { releaseRecords } from './releases.ts';
import { rollBack } from './rollback.ts';
import { retryExecution, stopExecution } from './steer-executions.ts';
import { restartService, scaleService } from './steer-services.ts';

/** How many executions are looked through for what was deployed when. */
const HISTORY = 100;
const DEFAULT_LIMIT = 20;

/** What can be asked of one region on AWS, through the SDK. */
export function createAwsRegion(session: AwsSession, places: RegionPlaces, clock: Clock): RegionOperations {
  const { region } = places;
  const calls = new RegionCalls(session, region);
  const pipeline = new PipelineReader(calls, places.pipeline);
  const deployments = Object.fromEntries(
    places.services.map(service => [service.environment, new DeploymentReader(calls, service)]),
  ) as Record<PipelineEnvironment, DeploymentReader>;
  const images = () => readImages(calls, places.registry);
  const executions = new ExecutionReader({
    pipeline,
    commits: new CommitReader(
      calls,
      places.source.kind === 'codecommit' ? places.source.repository : undefined,
    ),
    deployments,
    images,
    region,
    branch: places.branch,
  });
  const doer: PipelineDoer = { calls, pipeline, executions, clock };
  const serviceOf = (environment: PipelineEnvironment): OperatedService =>
    places.services.find(service => service.environment === environment)!;

  async function releases(): Promise<ReleaseRecord[]> {
    const [found, history] = await Promise.all([images(), executions.list(HISTORY)]);
    const running = await Promise.all(
      PIPELINE_ENVIRONMENTS.map(async environment => {
        const { inService } = await deployments[environment].read(found);
        return inService === undefined ? [] : [[environment, inService] as const];
      }),
    );
    return releaseRecords({
      images: found,
      executions: history,
      inService: Object.fromEntries(running.flat()),
    });
  }

  return {
    status: () =>
      readStatus({
        session,
        calls,
        places,
        now: clock.now(),
        executions: limit => executions.list(limit),
        deploymentsOf: ({ environment }) => deployments[environment],
        images,
      }),
    executions: ({ limit = DEFAULT_LIMIT }) => executions.list(limit),
    execution: id => executions.one(id),
    approve: request => answerApproval(doer, request, 'Approved'),
    reject: request => answerApproval(doer, request, 'Rejected'),
    retry: id => retryExecution(doer, id),
    stop: (id, { abandon, by }) => stopExecution(doer, id, { abandon, by, deployments }),
    async rollback({ to }) {
      const [records, history] = await Promise.all([releases(), executions.list(HISTORY)]);
      const { releaseProject } = serviceOf('production');
      return rollBack(doer, { to, releases: records, history, releaseProject });
    },
    releases,
    async restart(environment) {
      await restartService(calls, serviceOf(environment), await deployments[environment].read(undefined));
    },
    scale: (environment, desiredCount) => scaleService(calls, serviceOf(environment), desiredCount),
    events: (query, signal) => readEvents({ calls, places, pipeline, deployments, clock }, query, signal),
    logs: (query, signal) => readLogs({ calls, places, clock }, query, signal),
  };
}
