import {
  ApprovalAlreadyCompletedException,
  CodePipelineClient,
  InvalidApprovalTokenException,
  PutApprovalResultCommand,
  type GetPipelineStateOutput,
} from '@aws-sdk/client-codepipeline';
import { TandemError } from '../../../core/error.ts';
import type { ApprovalRequest } from '../../../model/cloud.ts';
import type { Execution } from '../../../model/execution.ts';
import type { ExecutionReader } from './execution-reader.ts';
import type { PipelineReader, PipelineRun } from './pipeline-reader.ts';
import type { RegionCalls } from './region-calls.ts';
import { settle } from './settle.ts';
import type { Clock } from '../../../platform/clock.ts';

export interface PipelineDoer {
  calls: RegionCalls;
  pipeline: PipelineReader;
  executions: ExecutionReader;
  clock: Clock;
}

/** CodePipeline's limit of an approval's summary (API reference, ApprovalResult). */
const SUMMARY_LENGTH = 512;

/**
 * Answers what an execution asks a person, at the approval stage or at a gate: with the token of that very question, so
 * that no other execution that waits there by then is let in. Throws APPROVAL_NOT_WAITING, COMMENT_TOO_LONG.
 */
export async function answerApproval(
  doer: PipelineDoer,
  { executionId, by, comment }: ApprovalRequest,
  status: 'Approved' | 'Rejected',
): Promise<Execution> {
  const { calls, pipeline, executions, clock } = doer;
  const summary = comment === '' ? by : `${by}: ${comment}`;
  if (summary.length > SUMMARY_LENGTH) {
    throw new TandemError(
      'COMMENT_TOO_LONG',
      `CodePipeline keeps ${SUMMARY_LENGTH} characters of an answer, who gives it included; this has ${summary.length}`,
      { data: { length: summary.length, limit: SUMMARY_LENGTH } },
    );
  }
  const [execution, run] = await Promise.all([executions.one(executionId), pipeline.run(executionId)]);
  const question =
    run.summary.executionMode === 'PARALLEL'
      ? questionAmong(run)
      : questionOf(await pipeline.state(), execution.id);
  if (question === undefined) throw notWaiting(execution);
  await calls.ask(CodePipelineClient, 'codepipeline:PutApprovalResult', async client => {
    try {
      await client.send(
        new PutApprovalResultCommand({
          pipelineName: pipeline.name,
          ...question,
          result: { status, summary },
        }),
      );
    } catch (error) {
      const isLate =
        error instanceof InvalidApprovalTokenException || error instanceof ApprovalAlreadyCompletedException;
      throw isLate ? notWaiting(await executions.one(executionId)) : error;
    }
  });
  return settle(
    clock,
    () => executions.one(execution.id),
    now => now.status !== 'Waiting' || now.stage !== execution.stage,
  );
}

interface Question {
  stageName: string;
  actionName: string;
  token: string;
}

/** What a person is asked of this execution now. */
function questionOf({ stageStates = [] }: GetPipelineStateOutput, id: string): Question | undefined {
  for (const { stageName = '', latestExecution, actionStates = [] } of stageStates) {
    if (latestExecution?.pipelineExecutionId !== id) continue;
    for (const { actionName = '', latestExecution: asked } of actionStates) {
      if (asked?.status === 'InProgress' && asked.token !== undefined) {
        return { stageName, actionName, token: asked.token };
      }
    }
  }
  return undefined;
}

/** In PARALLEL mode no state has a token: the id of the action's execution is it (API reference, PutApprovalResult). */
function questionAmong({ actions }: PipelineRun): Question | undefined {
  const asked = actions.find(
    ({ status, input }) => status === 'InProgress' && input?.actionTypeId?.category === 'Approval',
  );
  const token = asked?.output?.executionResult?.externalExecutionId;
  if (asked?.stageName === undefined || asked.actionName === undefined || token === undefined) {
    return undefined;
  }
  return { stageName: asked.stageName, actionName: asked.actionName, token };
}

function notWaiting({ id, status, stage, approval, cause }: Execution): TandemError {
  const answered =
    approval === undefined ? '' : `was ${approval.decision.toLowerCase()} by ${approval.by} and `;
  const why = cause === undefined ? '' : ` (${cause})`;
  return new TandemError(
    'APPROVAL_NOT_WAITING',
    `execution ${id.slice(0, 8)} does not wait for an answer: it ${answered}is ${status} in ${stage}${why}`,
    { data: { executionId: id, status, stage } },
  );
}
