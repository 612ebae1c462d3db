import {
  BatchGetBuildsCommand,
  CodeBuildClient,
  ListBuildsForProjectCommand,
  type Build,
} from '@aws-sdk/client-codebuild';
import { CodePipelineClient, GetPipelineStateCommand } from '@aws-sdk/client-codepipeline';
import { MINUTE_MS } from '../../../core/duration.ts';
import type { BuildObservation } from '../../../model/diagnosis.ts';
import { newestLines } from './log-tail.ts';
import type { Looking } from './looking.ts';

export interface BuildPlace {
  /** The project that runs the application's buildspec. */
  project: string;
  pipeline: string;
}

/** Enough to know how long a build usually takes. */
const BUILDS_READ = 20;
/** The stages before there is anything to release. */
const BUILDING_STAGES = ['Source', 'Build'];

/** The newest build; or, where that is fine, what else keeps the pipeline from having one. */
export async function observeBuild(
  looking: Looking,
  place: BuildPlace,
): Promise<BuildObservation | undefined> {
  const [builds, failure] = await Promise.all([
    newestBuilds(looking, place.project),
    stageFailure(looking, place),
  ]);
  const [newest, ...earlier] = builds;
  const build = newest && (await observed(looking, newest, earlier));
  if (build?.status === 'failed' || build?.status === 'running') return build;
  // The pipeline fails by itself too, such as where it may not start the build: after which an old one is no answer.
  return failure !== undefined && failure.startedAt > (build?.startedAt ?? 0) ? failure : build;
}

async function newestBuilds(looking: Looking, projectName: string): Promise<Build[]> {
  const listed = await looking.ask(
    {
      what: 'builds',
      permission: 'codebuild:ListBuildsForProject',
      client: new CodeBuildClient(looking.settings),
    },
    client => client.send(new ListBuildsForProjectCommand({ projectName, sortOrder: 'DESCENDING' })),
  );
  const ids = (listed?.ids ?? []).slice(0, BUILDS_READ);
  if (ids.length === 0) return [];
  const described = await looking.ask(
    { what: 'builds', permission: 'codebuild:BatchGetBuilds', client: new CodeBuildClient(looking.settings) },
    client => client.send(new BatchGetBuildsCommand({ ids })),
  );
  return (described?.builds ?? []).sort(
    (one, other) => (other.startTime?.getTime() ?? 0) - (one.startTime?.getTime() ?? 0),
  );
}

const STATUSES: Readonly<Record<string, BuildObservation['status']>> = {
  IN_PROGRESS: 'running',
  SUCCEEDED: 'succeeded',
  STOPPED: 'stopped',
};

async function observed(
  looking: Looking,
  build: Build,
  earlier: readonly Build[],
): Promise<BuildObservation> {
  // FAILED, FAULT, TIMED_OUT
  const status = STATUSES[build.buildStatus ?? ''] ?? 'failed';
  const failed = build.phases?.find(
    ({ contexts, phaseStatus }) =>
      contexts?.some(({ message = '' }) => message !== '') === true && phaseStatus !== 'SUCCEEDED',
  );
  const phase = status === 'failed' ? (failed?.phaseType ?? build.currentPhase) : build.currentPhase;
  const usualMs = usualDuration(earlier);
  return {
    id: build.buildNumber === undefined ? (build.id ?? '') : `#${build.buildNumber}`,
    status,
    startedAt: build.startTime?.getTime() ?? 0,
    timeoutMs: (build.timeoutInMinutes ?? 60) * MINUTE_MS,
    commands: commandsOf(looking),
    ...(phase !== undefined && { phase }),
    ...(usualMs !== undefined && { usualMs }),
    ...(status === 'failed' && {
      cause: await causeOf(looking, build, failed?.contexts?.[0]?.message ?? build.buildStatus),
    }),
  };
}

function usualDuration(builds: readonly Build[]): number | undefined {
  const durations = builds
    .filter(({ buildStatus }) => buildStatus === 'SUCCEEDED')
    .flatMap(({ startTime, endTime }) =>
      startTime && endTime ? [endTime.getTime() - startTime.getTime()] : [],
    )
    .sort((one, other) => one - other);
  return durations[Math.floor(durations.length / 2)];
}

/** What CodeBuild says of it, and the last that the build itself said: CodeBuild's own lines begin with `[Container]`. */
async function causeOf(looking: Looking, { logs }: Build, told = 'its log says why'): Promise<string> {
  if (logs?.groupName === undefined || logs.streamName === undefined) return told;
  const lines = await newestLines(looking, {
    what: 'the log of the build',
    logGroupName: logs.groupName,
    streamPrefix: logs.streamName,
  });
  const last = lines.findLast(line => line.trim() !== '' && !line.startsWith('[Container]'));
  return last === undefined ? told : `${told}; its log ends with: ${last.trim()}`;
}

async function stageFailure(looking: Looking, place: BuildPlace): Promise<BuildObservation | undefined> {
  const name = place.pipeline;
  const state = await looking.ask(
    {
      what: 'the pipeline',
      permission: 'codepipeline:GetPipelineState',
      client: new CodePipelineClient(looking.settings),
    },
    client => client.send(new GetPipelineStateCommand({ name })),
  );
  const stage = state?.stageStates?.find(
    ({ stageName = '', latestExecution }) =>
      BUILDING_STAGES.includes(stageName) && latestExecution?.status === 'Failed',
  );
  const action = stage?.actionStates?.find(({ latestExecution }) => latestExecution?.status === 'Failed');
  if (stage === undefined) return undefined;
  const { lastStatusChange, errorDetails, summary } = action?.latestExecution ?? {};
  return {
    id: `of pipeline ${name}`,
    status: 'failed',
    startedAt: lastStatusChange?.getTime() ?? 0,
    timeoutMs: Infinity,
    commands: commandsOf(looking),
    ...(stage.stageName !== undefined && { phase: stage.stageName }),
    cause: errorDetails?.message ?? summary ?? `its stage ${stage.stageName} failed`,
  };
}

function commandsOf({ settings: { region } }: Looking): BuildObservation['commands'] {
  const there = `--target aws --region ${region}`;
  return {
    logs: `tandem logs build ${there}`,
    retry: `tandem retry ${there}`,
    stop: `tandem stop --abandon ${there}`,
  };
}
