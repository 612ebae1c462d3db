import type { GetPipelineStateOutput } from '@aws-sdk/client-codepipeline';
import type { ServiceDeploymentBrief } from '@aws-sdk/client-ecs';
import { errorMessage } from '../../../core/error.ts';
import type { Execution } from '../../../model/execution.ts';
import type { PipelineEnvironment, StageName } from '../../../model/names.ts';
import type { CommitReader } from './commit-reader.ts';
import { endingBetween, type DeploymentReader } from './deployment-reader.ts';
import { executionOf } from './execution-of.ts';
import { Images } from './image-reader.ts';
import type { PipelineReader, PipelineRun } from './pipeline-reader.ts';
import { at, type Attempt, type ReleaseEnding } from './stage-of.ts';

export interface ExecutionSources {
  pipeline: PipelineReader;
  commits: CommitReader;
  deployments: Readonly<Record<PipelineEnvironment, DeploymentReader>>;
  images(): Promise<Images>;
  region: string;
  branch: string;
}

/** Of which environment a stage's deployment is. */
const RELEASES: Partial<Record<StageName, PipelineEnvironment>> = {
  Staging: 'staging',
  Production: 'production',
};

/** Executions, put together from CodePipeline, ECS (how a failed release ended), ECR and CodeCommit. */
export class ExecutionReader {
  readonly #sources: ExecutionSources;

  constructor(sources: ExecutionSources) {
    this.#sources = sources;
  }

  /** Newest first. */
  async list(limit: number): Promise<Execution[]> {
    const { pipeline } = this.#sources;
    const [runs, state] = await Promise.all([pipeline.runs(limit), pipeline.state()]);
    return this.#executionsOf(runs, state);
  }

  /** Throws EXECUTION_UNKNOWN, EXECUTION_AMBIGUOUS. */
  async one(id: string): Promise<Execution> {
    const { pipeline } = this.#sources;
    const [run, state] = await Promise.all([pipeline.run(id), pipeline.state()]);
    const [execution] = await this.#executionsOf([run], state);
    return execution!;
  }

  async #executionsOf(runs: readonly PipelineRun[], state: GetPipelineStateOutput): Promise<Execution[]> {
    const { pipeline, commits, region, branch } = this.#sources;
    const ids = new Map(runs.map(run => [run, commitOf(run, runs)]));
    const [definition, endings, images] = await Promise.all([
      pipeline.definition(state.pipelineVersion),
      this.#endings(runs),
      // What an image is called changes nothing of how an execution stands.
      this.#sources.images().catch(() => new Images([])),
      commits.lookUp([...ids.values()]),
    ]);
    return runs.map(run => {
      const id = ids.get(run)!;
      return executionOf({
        region,
        branch,
        definition,
        run,
        state,
        commit: commits.of(id, run.summary.sourceRevisions?.[0]),
        release: images.ofCommit(id),
        endingOf: (stage, attempt) => endings(stage, attempt),
      });
    });
  }

  /** Asks ECS only where a release has failed: how that ended is what CodePipeline does not know. */
  async #endings(
    runs: readonly PipelineRun[],
  ): Promise<(stage: StageName, attempt: Attempt) => ReleaseEnding | undefined> {
    const failed = runs
      .flatMap(({ actions }) => actions)
      .filter(({ status }) => status === 'Failed' || status === 'Abandoned');
    const listed = new Map<PipelineEnvironment, ServiceDeploymentBrief[] | string>();
    await Promise.all(
      Object.entries(RELEASES).map(async ([stage, environment]) => {
        if (!failed.some(({ stageName }) => stageName === stage)) return;
        const reader = this.#sources.deployments[environment];
        listed.set(environment, await reader.list().catch(errorMessage));
      }),
    );
    return (stage, { latest }) => {
      const environment = RELEASES[stage];
      const deployments = environment && listed.get(environment);
      const actions = [...latest.values()];
      const release = actions[0];
      if (deployments === undefined || release === undefined) return undefined;
      if (!actions.some(({ status }) => status === 'Failed' || status === 'Abandoned')) return undefined;
      if (typeof deployments === 'string') {
        return { deploymentId: '', standing: 'not known', reason: deployments };
      }
      const to = release.status === 'InProgress' ? Infinity : at(release.lastUpdateTime);
      return endingBetween(deployments, { from: at(release.startTime), to });
    };
  }
}

/** A rollback is of the commit of the execution that it goes back to. */
function commitOf({ summary }: PipelineRun, runs: readonly PipelineRun[]): string {
  const own = summary.sourceRevisions?.[0]?.revisionId;
  const targetId = summary.rollbackMetadata?.rollbackTargetPipelineExecutionId;
  const target = runs.find(run => run.summary.pipelineExecutionId === targetId);
  return (targetId === undefined ? own : (target?.summary.sourceRevisions?.[0]?.revisionId ?? own)) ?? '';
}
