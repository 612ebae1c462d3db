import { CodeBuildClient, StopBuildCommand } from '@aws-sdk/client-codebuild';
import {
  CodePipelineClient,
  ConflictException,
  DuplicatedStopRequestException,
  NotLatestPipelineExecutionException,
  PipelineExecutionNotStoppableException,
  RetryStageExecutionCommand,
  StageNotRetryableException,
  StopPipelineExecutionCommand,
} from '@aws-sdk/client-codepipeline';
import { ECSClient, StopServiceDeploymentCommand } from '@aws-sdk/client-ecs';
import { TandemError } from '../../../core/error.ts';
import type { Execution } from '../../../model/execution.ts';
import type { PipelineEnvironment } from '../../../model/names.ts';
import type { PipelineDoer } from './approvals.ts';
import type { DeploymentReader } from './deployment-reader.ts';
import { settle } from './settle.ts';
import { at } from './stage-of.ts';

/** CodePipeline's limit (API reference, StopPipelineExecution). */
const REASON_LENGTH = 200;

/** Runs an execution again from the stage that failed. Throws RETRY_IMPOSSIBLE with the reason. */
export async function retryExecution(doer: PipelineDoer, id: string): Promise<Execution> {
  const { calls, pipeline, executions, clock } = doer;
  const execution = await executions.one(id);
  const definition = await pipeline.definition(undefined);
  const stage = definition.stages.find(({ name }) => name === execution.stage);
  await calls.ask(CodePipelineClient, 'codepipeline:RetryStageExecution', async client => {
    try {
      await client.send(
        new RetryStageExecutionCommand({
          pipelineName: pipeline.name,
          pipelineExecutionId: execution.id,
          stageName: execution.stage,
          // What a gate's first action began was rolled back: it must begin again.
          retryMode: (stage?.actions.length ?? 1) > 1 ? 'ALL_ACTIONS' : 'FAILED_ACTIONS',
        }),
      );
    } catch (error) {
      const isRefusal =
        error instanceof StageNotRetryableException ||
        error instanceof NotLatestPipelineExecutionException ||
        error instanceof ConflictException;
      throw isRefusal ? retryImpossible(execution, error.message) : error;
    }
  });
  return settle(
    clock,
    () => executions.one(execution.id),
    now => now.status !== execution.status || attemptsOf(now) > attemptsOf(execution),
  );
}

function attemptsOf({ stages }: Execution): number {
  return stages.reduce((total, { attempt }) => total + attempt, 0);
}

function retryImpossible({ id, status, stage }: Execution, reason: string): TandemError {
  return new TandemError(
    'RETRY_IMPOSSIBLE',
    `execution ${id.slice(0, 8)} can not be retried from ${stage}: ${reason}`,
    { data: { executionId: id, status, stage } },
  );
}

export interface StopRequest {
  abandon: boolean;
  by: string;
  deployments: Readonly<Record<PipelineEnvironment, DeploymentReader>>;
}

/**
 * Stops an execution. CodePipeline alone only turns away from what an abandoned execution runs: the build would go on, and
 * the deployment to its end. So these are ended too, the deployment by going back. Throws EXECUTION_ENDED.
 */
export async function stopExecution(
  doer: PipelineDoer,
  id: string,
  { abandon, by, deployments }: StopRequest,
): Promise<Execution> {
  const { calls, pipeline, executions, clock } = doer;
  const execution = await executions.one(id);
  await calls.ask(CodePipelineClient, 'codepipeline:StopPipelineExecution', async client => {
    try {
      await client.send(
        new StopPipelineExecutionCommand({
          pipelineName: pipeline.name,
          pipelineExecutionId: execution.id,
          // A question goes on waiting for its answer, maybe for days, and nothing else runs.
          abandon: abandon || execution.status === 'Waiting',
          reason: `stopped by ${by}`.slice(0, REASON_LENGTH),
        }),
      );
    } catch (error) {
      // Said before, and under way.
      if (error instanceof DuplicatedStopRequestException) return;
      if (!(error instanceof PipelineExecutionNotStoppableException)) throw error;
      throw new TandemError(
        'EXECUTION_ENDED',
        `execution ${execution.id.slice(0, 8)} can not be stopped: it is ${execution.status} (${error.message})`,
        { data: { executionId: execution.id, status: execution.status } },
      );
    }
  });
  if (abandon) await endWhatRuns(doer, execution, deployments);
  return settle(
    clock,
    () => executions.one(execution.id),
    ({ status }) => status !== 'InProgress' && status !== 'Waiting' && status !== 'Queued',
  );
}

async function endWhatRuns(
  { calls }: PipelineDoer,
  { stage, stages }: Execution,
  deployments: StopRequest['deployments'],
): Promise<void> {
  const running = stages.find(({ name }) => name === stage);
  if (running?.startedAt === undefined) return;
  const { buildId: id, startedAt, endedAt } = running;
  if (id !== undefined && endedAt === undefined) {
    await calls.ask(CodeBuildClient, 'codebuild:StopBuild', client =>
      client.send(new StopBuildCommand({ id })),
    );
  }
  const environment = stage === 'Staging' ? 'staging' : stage === 'Production' ? 'production' : undefined;
  if (environment === undefined) return;
  const [newest] = await deployments[environment].list(startedAt);
  const isUnderWay = newest?.status === 'IN_PROGRESS' || newest?.status === 'PENDING';
  if (!isUnderWay || at(newest.createdAt) < startedAt) return;
  await calls.ask(ECSClient, 'ecs:StopServiceDeployment', client =>
    client.send(
      new StopServiceDeploymentCommand({
        serviceDeploymentArn: newest.serviceDeploymentArn,
        stopType: 'ROLLBACK',
      }),
    ),
  );
}
