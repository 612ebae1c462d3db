import type { ActionExecutionDetail } from '@aws-sdk/client-codepipeline';
import { DescribeServicesCommand, ECSClient, type ServiceDeploymentBrief } from '@aws-sdk/client-ecs';
import { TandemError } from '../../../core/error.ts';
import type { Instant } from '../../../core/instant.ts';
import type { EventQuery } from '../../../model/cloud.ts';
import type { RegionEvent } from '../../../model/event.ts';
import type { PipelineEnvironment } from '../../../model/names.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { DeploymentReader } from './deployment-reader.ts';
import type { PipelineReader } from './pipeline-reader.ts';
import { polledStream } from './polled-stream.ts';
import type { RegionCalls } from './region-calls.ts';
import type { OperatedService, RegionPlaces } from './region-places.ts';
import { at } from './stage-of.ts';

export interface EventSources {
  calls: RegionCalls;
  places: RegionPlaces;
  pipeline: PipelineReader;
  deployments: Readonly<Record<PipelineEnvironment, DeploymentReader>>;
  clock: Clock;
}

type Happening = Omit<RegionEvent, 'sequence'> & { key: string };
type Telling = Pick<RegionEvent, 'source' | 'type' | 'severity' | 'message' | 'data'> & {
  key: string;
  at: Instant;
};

const DEFAULT_LIMIT = 100;
/** One page of what began last: whatever ends now is in it. */
const ACTIONS_READ = 100;

/** What happened in a region: actions of the pipeline and its builds, deployments, and what ECS says of its services. */
export async function* readEvents(
  sources: EventSources,
  query: EventQuery,
  signal: AbortSignal | undefined,
): AsyncGenerator<RegionEvent> {
  const { places, clock } = sources;
  const readAll = async (actions: number): Promise<Happening[]> => {
    const told = await Promise.all([
      ofPipeline(sources, actions),
      ...places.services.flatMap(service => [ofService(sources, service), ofDeployments(sources, service)]),
    ]);
    return told.flat().map(telling => ({ ...telling, region: places.region }));
  };
  const stream = polledStream<Happening>(
    {
      newest: readAll,
      since: async from => (await readAll(ACTIONS_READ)).filter(happening => happening.at >= from),
      keyOf: ({ key }) => key,
    },
    {
      ...(query.after !== undefined && { after: query.after }),
      limit: query.limit ?? DEFAULT_LIMIT,
      follow: query.follow ?? false,
      clock,
      signal,
    },
  );
  for await (const { key: _key, ...event } of stream) yield event;
}

/** What may not be read is itself worth a line, once; the rest is still told. */
async function orRefusal(clock: Clock, source: string, read: () => Promise<Telling[]>): Promise<Telling[]> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof TandemError) || error.code !== 'AWS_CALL_FAILED') throw error;
    const { message } = error;
    const key = `unseen ${source} ${message}`;
    return [{ key, at: clock.now(), source, type: 'EventsUnseen', severity: 'warning', message, data: {} }];
  }
}

function ofPipeline({ pipeline, clock }: EventSources, atLeast: number): Promise<Telling[]> {
  return orRefusal(clock, 'pipeline', async () =>
    (await pipeline.newestActions(atLeast)).flatMap(tellingsOf),
  );
}

const ENDINGS = {
  Succeeded: { type: 'ActionSucceeded', severity: 'info', word: 'succeeded' },
  Failed: { type: 'ActionFailed', severity: 'error', word: 'failed' },
  Abandoned: { type: 'ActionAbandoned', severity: 'warning', word: 'was abandoned' },
} as const;

function tellingsOf(action: ActionExecutionDetail): Telling[] {
  const {
    actionExecutionId: id,
    pipelineExecutionId: executionId = '',
    stageName: stage,
    actionName,
  } = action;
  const isApproval = action.input?.actionTypeId?.category === 'Approval';
  const name = stage === actionName ? stage : `${stage}/${actionName}`;
  const about = `execution ${executionId.slice(0, 8)}: ${name}`;
  const shared = { source: 'pipeline', data: { executionId, stage, action: actionName } };
  const started: Telling = {
    ...shared,
    key: `${id} started`,
    at: at(action.startTime),
    type: isApproval ? 'ApprovalAsked' : 'ActionStarted',
    severity: 'info',
    message: isApproval
      ? `${about} asks a person: tandem approve ${executionId.slice(0, 8)}`
      : `${about} started`,
  };
  const { status } = action;
  if (status === undefined || status === 'InProgress') return [started];
  const { type, severity, word } = ENDINGS[status];
  const { errorDetails, externalExecutionSummary } = action.output?.executionResult ?? {};
  const reason = errorDetails?.message ?? externalExecutionSummary;
  const told = reason === undefined ? '' : `: ${reason}`;
  return [
    started,
    {
      ...shared,
      key: `${id} ${status}`,
      at: at(action.lastUpdateTime),
      type,
      severity,
      message: `${about} ${word}${told}`,
    },
  ];
}

function ofService({ calls, clock }: EventSources, { environment, cluster, service }: OperatedService) {
  return orRefusal(clock, 'compute', () =>
    calls.ask(ECSClient, 'ecs:DescribeServices', async client => {
      const { services = [] } = await client.send(
        new DescribeServicesCommand({ cluster, services: [service] }),
      );
      return (services[0]?.events ?? []).map(({ id = '', createdAt, message = '' }): Telling => ({
        key: id,
        at: at(createdAt),
        source: 'compute',
        type: 'ServiceEvent',
        severity: /unable|unhealthy|failed|error/i.test(message) ? 'warning' : 'info',
        message,
        data: { service: environment },
      }));
    }),
  );
}

function ofDeployments({ deployments, clock }: EventSources, { environment }: OperatedService) {
  return orRefusal(clock, 'compute', async () =>
    (await deployments[environment].list()).flatMap(one => deploymentTellings(one, environment)),
  );
}

function deploymentTellings(
  {
    serviceDeploymentArn = '',
    createdAt,
    finishedAt,
    status = 'PENDING',
    statusReason,
  }: ServiceDeploymentBrief,
  environment: PipelineEnvironment,
): Telling[] {
  const id = serviceDeploymentArn.split('/').at(-1)!;
  const shared = { source: 'compute', data: { service: environment, deploymentId: id } };
  const began: Telling = {
    ...shared,
    key: `${id} began`,
    at: at(createdAt),
    type: 'DeploymentStarted',
    severity: 'info',
    message: `${environment}: deployment ${id.slice(0, 8)} began`,
  };
  if (finishedAt === undefined) return [began];
  const reason = statusReason === undefined ? '' : `: ${statusReason}`;
  return [
    began,
    {
      ...shared,
      key: `${id} ${status}`,
      at: at(finishedAt),
      type: status === 'SUCCESSFUL' ? 'DeploymentSucceeded' : 'DeploymentFailed',
      severity: status === 'SUCCESSFUL' ? 'info' : 'error',
      message: `${environment}: deployment ${id.slice(0, 8)} ended as ${status}${reason}`,
    },
  ];
}
