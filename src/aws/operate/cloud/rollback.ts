import {
  CodePipelineClient,
  ConflictException,
  PipelineExecutionOutdatedException,
  RollbackStageCommand,
  UnableToRollbackStageException,
} from '@aws-sdk/client-codepipeline';
import { TandemError } from '../../../core/error.ts';
import type { ReleaseRecord } from '../../../model/cloud.ts';
import { ENDED_EXECUTION_STATUSES, type Execution } from '../../../model/execution.ts';
import { lastGoodRelease, productionOf } from '../../../model/last-good-release.ts';
import type { CommitId } from '../../../model/names.ts';
import { deployedRelease } from '../../../model/release-name.ts';
import type { PipelineDoer } from './approvals.ts';
import { settle } from './settle.ts';

export interface RollbackRequest {
  /** The beginning of a commit or digest; absent: the last good release before the current. */
  to: string | undefined;
  releases: readonly ReleaseRecord[];
  /** Newest first. */
  history: readonly Execution[];
  /** What releases by hand to production. */
  releaseProject: string;
}

/**
 * Runs the Production stage of an earlier execution again (CodePipeline's RollbackStage): with the image definitions of that
 * execution, so by the very digest; through the release project, so by the service's own deployment strategy, gate and
 * alarms; and as an execution that everybody sees. Throws ROLLBACK_IMPOSSIBLE, RELEASE_UNKNOWN, RELEASE_AMBIGUOUS.
 */
export async function rollBack(doer: PipelineDoer, request: RollbackRequest): Promise<Execution> {
  const { calls, pipeline, executions, clock } = doer;
  const commit = targetCommit(request);
  const target = request.history.find(
    execution =>
      execution.commit.id === commit &&
      execution.trigger.kind !== 'rollback' &&
      productionOf(execution)?.status === 'Succeeded',
  );
  if (target === undefined) {
    throw impossible(request, calls.region, commit, 'no execution has brought it to production');
  }
  const id = await calls.ask(CodePipelineClient, 'codepipeline:RollbackStage', async client => {
    try {
      const { pipelineExecutionId } = await client.send(
        new RollbackStageCommand({
          pipelineName: pipeline.name,
          stageName: 'Production',
          targetPipelineExecutionId: target.id,
        }),
      );
      return pipelineExecutionId!;
    } catch (error) {
      const isRefusal =
        error instanceof UnableToRollbackStageException ||
        error instanceof PipelineExecutionOutdatedException ||
        error instanceof ConflictException;
      throw isRefusal ? impossible(request, calls.region, commit, error.message) : error;
    }
  });
  const started = await settle(
    clock,
    () => executions.one(id).catch(whereUnknown),
    execution => execution !== undefined,
  );
  if (started !== undefined) return started;
  throw new TandemError('EXECUTION_NOT_STARTED', `CodePipeline does not show the rollback ${id} yet`, {
    kind: 'system',
    data: { id },
  });
}

function whereUnknown(error: unknown): undefined {
  if (error instanceof TandemError && error.code === 'EXECUTION_UNKNOWN') return undefined;
  throw error;
}

function targetCommit({ to, releases, history }: RollbackRequest): CommitId {
  const running = history.find(
    ({ trigger, status }) => trigger.kind === 'rollback' && !ENDED_EXECUTION_STATUSES.has(status),
  );
  if (to === undefined && running !== undefined) {
    throw new TandemError(
      'ROLLBACK_IMPOSSIBLE',
      `execution ${running.id.slice(0, 8)}, asked for by ${running.trigger.by}, is rolling production back already: ` +
        'wait for its end, or name a release: tandem rollback <commit>',
      { data: { executionId: running.id } },
    );
  }
  if (to === undefined) {
    const good = lastGoodRelease(history);
    if (good !== undefined) return good.commit;
    throw new TandemError(
      'ROLLBACK_IMPOSSIBLE',
      'there is no good release before the one in production, or its image is gone: name one of `tandem releases`',
    );
  }
  const chosen = deployedRelease(releases, to);
  if (!chosen.runningIn.includes('production')) return chosen.commit;
  throw new TandemError('ROLLBACK_IMPOSSIBLE', `production runs ${chosen.commit.slice(0, 7)} already`, {
    data: { digest: chosen.digest },
  });
}

/** CodePipeline goes back only to what its present structure has run; the release project takes any image that is there. */
function impossible(
  { releaseProject, releases }: RollbackRequest,
  region: string,
  commit: CommitId,
  reason: string,
): TandemError {
  const isThere = releases.some(release => release.commit === commit && release.imageAvailable);
  const byHand =
    `aws codebuild start-build --region ${region} --project-name ${releaseProject} --source-type-override NO_SOURCE ` +
    `--artifacts-override type=NO_ARTIFACTS --environment-variables-override name=RELEASE,value=${commit}`;
  const mend = isThere
    ? `release it by its image instead: ${byHand}`
    : 'its image is gone, too: push the commit again';
  return new TandemError(
    'ROLLBACK_IMPOSSIBLE',
    `CodePipeline can not go back to ${commit.slice(0, 7)}: ${reason}; ${mend}`,
    { data: { commit, reason } },
  );
}
