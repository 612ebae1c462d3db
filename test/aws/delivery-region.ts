import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type {
  ActionExecutionDetail,
  ActionExecutionStatus,
  GetPipelineOutput,
  GetPipelineStateOutput,
  PipelineExecutionSummary,
  StageState,
} from '@aws-sdk/client-codepipeline';
import type { ServiceDeployment } from '@aws-sdk/client-ecs';
import { endDeployment, ServiceReleases } from './service-releases.ts';
import { nextInstant } from './next-instant.ts';

/*
 * One region's CodePipeline, which moto does not play: a pipeline as src/aws/terraform makes it, which runs by itself. What a commit's application does wrong is in the commit, as for the local cloud.
 */

const STAGES: readonly { name: string; actions: readonly string[] }[] = [
  { name: 'Source', actions: ['Source'] },
  { name: 'Build', actions: ['Build'] },
  { name: 'Staging', actions: ['Staging'] },
  { name: 'Approval', actions: ['Approval'] },
  { name: 'Production', actions: ['Production'] },
];
const GATED = ['Production', 'Gate', 'Rest'];
const APPROVAL_MINUTES = 60;
const APPROVALS = new Set(['Approval', 'Gate']);

export interface Run {
  summary: PipelineExecutionSummary;
  actions: (ActionExecutionDetail & { token?: string })[];
  /** The stage that it waits in front of. */
  inbound?: string;
}

/** An error that AWS answers by name. */
export class Refusal extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

export class DeliveryRegion {
  readonly region: string;
  /** The region's bare Git repository. */
  readonly repository: string;
  /** Newest first. */
  readonly runs: Run[] = [];
  readonly releases: ServiceReleases;
  /** Ids of builds that were stopped, and what was started by hand. */
  readonly stoppedBuilds: string[] = [];
  readonly startedBuilds: unknown[] = [];
  /** A release that begins stays under way until a test ends it. */
  holdsReleases = false;
  isGated = false;
  /** In PARALLEL mode no execution waits for another, and no state has a token. */
  executionMode: 'SUPERSEDED' | 'PARALLEL' = 'SUPERSEDED';
  #seen = '';
  #taken: Promise<void> = Promise.resolve();

  constructor(moto: { region: string; endpoint: string }, repository: string) {
    this.region = moto.region;
    this.releases = new ServiceReleases(moto);
    this.repository = repository;
  }

  /**
   * The branch as it is in Git: what is new there starts an execution, as the event of a push does. Resolves when that
   * has come as far as it does by itself, also for whoever asks meanwhile.
   */
  takePush(): Promise<void> {
    const commit = this.head();
    if (commit !== '' && commit !== this.#seen) {
      this.#seen = commit;
      this.#taken = this.#taken.then(async () => void (await this.start(commit)));
    }
    return this.#taken;
  }

  /** The branch's commit; empty before the first push. */
  head(): string {
    return this.#git('rev-parse', '--verify', '--quiet', 'refs/heads/main');
  }

  async start(commit: string): Promise<Run> {
    const at = nextInstant();
    const run: Run = {
      summary: {
        pipelineExecutionId: randomUUID(),
        status: 'InProgress',
        startTime: at,
        lastUpdateTime: at,
        executionType: 'STANDARD',
        executionMode: this.executionMode,
        trigger: { triggerType: 'CloudWatchEvent', triggerDetail: 'arn:aws:events:::rule/shop-push' },
        sourceRevisions: [
          {
            actionName: 'Source',
            revisionId: commit,
            revisionSummary: this.#git('log', '-1', '--format=%B', commit),
          },
        ],
      },
      actions: [],
    };
    this.runs.unshift(run);
    await this.#enter(run, 'Source');
    return run;
  }

  stages() {
    return STAGES.map(stage =>
      stage.name === 'Production' && this.isGated ? { ...stage, actions: GATED } : stage,
    );
  }

  definition(): GetPipelineOutput {
    return {
      pipeline: {
        name: 'shop',
        roleArn: 'arn:aws:iam::123456789012:role/shop',
        version: this.isGated ? 2 : 1,
        stages: this.stages().map(({ name, actions }) => ({
          name,
          actions: actions.map(action => ({
            name: action,
            actionTypeId: {
              category: APPROVALS.has(action) ? 'Approval' : 'Build',
              owner: 'AWS',
              provider: APPROVALS.has(action) ? 'Manual' : 'CodeBuild',
              version: '1',
            },
            ...(APPROVALS.has(action) && { timeoutInMinutes: APPROVAL_MINUTES }),
          })),
        })),
      },
    };
  }

  state(): GetPipelineStateOutput {
    return {
      pipelineName: 'shop',
      pipelineVersion: this.isGated ? 2 : 1,
      stageStates: this.stages().map(({ name, actions }): StageState => {
        if (this.executionMode === 'PARALLEL') return { stageName: name };
        const holder = this.runs.find(run => run.actions.some(({ stageName }) => stageName === name));
        const inbound = this.runs.filter(run => run.inbound === name);
        return {
          stageName: name,
          inboundExecutions: inbound.map(run => ({
            pipelineExecutionId: run.summary.pipelineExecutionId,
            status: 'InProgress',
          })),
          ...(holder && {
            latestExecution: {
              pipelineExecutionId: holder.summary.pipelineExecutionId,
              status: holder.summary.status === 'Superseded' ? 'Stopped' : holder.summary.status,
            },
          }),
          actionStates: actions.map(actionName => {
            const latest = holder?.actions.findLast(action => action.actionName === actionName);
            return {
              actionName,
              ...(latest && {
                latestExecution: {
                  status: latest.status,
                  ...(latest.status === 'InProgress' &&
                    latest.token !== undefined && { token: latest.token }),
                },
              }),
            };
          }),
        };
      }),
    };
  }

  async answer(question: {
    actionName?: string;
    token?: string;
    status: string;
    summary: string;
  }): Promise<void> {
    const run = this.runs.find(one =>
      one.actions.some(
        action => action.actionName === question.actionName && action.token === question.token,
      ),
    );
    const action = run?.actions.find(one => one.token === question.token);
    if (run === undefined || action === undefined) {
      throw new Refusal('InvalidApprovalTokenException', 'The approval token is not valid');
    }
    if (action.status !== 'InProgress') {
      throw new Refusal('ApprovalAlreadyCompletedException', 'The approval has been given already');
    }
    action.updatedBy = 'arn:aws:sts::123456789012:assumed-role/deployer/ada';
    const approved = question.status === 'Approved';
    this.#end(action, approved ? 'Succeeded' : 'Failed', { externalExecutionSummary: question.summary });
    if (approved) await this.#goOn(run, action);
    else await this.#endRun(run, 'Failed');
  }

  /** Nobody answers in the time that the approval has. */
  async expire(id: string): Promise<void> {
    const run = this.#run(id);
    const action = run.actions.find(({ status, token }) => status === 'InProgress' && token !== undefined)!;
    this.#end(action, 'Failed', { errorDetails: { message: 'The approval action timed out' } });
    action.lastUpdateTime = new Date(action.startTime!.getTime() + APPROVAL_MINUTES * 60_000);
    await this.#endRun(run, 'Failed');
  }

  async retry(id: string, stageName: string): Promise<void> {
    const run = this.#run(id);
    if (run.summary.status !== 'Failed' && run.summary.status !== 'Stopped') {
      throw new Refusal('StageNotRetryableException', 'The stage has not failed');
    }
    run.summary.status = 'InProgress';
    await this.#enter(run, stageName);
  }

  async stop(id: string, { abandon, reason }: { abandon: boolean; reason: string }): Promise<void> {
    const run = this.#run(id);
    if (run.summary.status !== 'InProgress' && run.summary.status !== 'Stopping') {
      throw new Refusal('PipelineExecutionNotStoppableException', 'The execution has ended');
    }
    if (run.summary.status === 'Stopping' && !abandon) {
      throw new Refusal('DuplicatedStopRequestException', 'The execution is being stopped');
    }
    run.summary.stopTrigger = { reason };
    run.summary.status = 'Stopping';
    const running = run.actions.filter(({ status }) => status === 'InProgress');
    if (!abandon && running.length > 0) return;
    for (const action of running) this.#end(action, 'Abandoned', {});
    await this.#endRun(run, 'Stopped');
  }

  async rollBackTo(targetId: string): Promise<string> {
    if (this.executionMode === 'PARALLEL') {
      throw new Refusal('UnableToRollbackStageException', 'Rollback is not supported in PARALLEL mode');
    }
    const target = this.#run(targetId);
    const hasRun = target.actions.some(
      ({ stageName, status }) => stageName === 'Production' && status === 'Succeeded',
    );
    if (!hasRun || target.summary.executionType === 'ROLLBACK') {
      throw new Refusal(
        'UnableToRollbackStageException',
        'The target execution has not succeeded in the stage',
      );
    }
    const at = nextInstant();
    const run: Run = {
      summary: {
        ...target.summary,
        pipelineExecutionId: randomUUID(),
        status: 'InProgress',
        startTime: at,
        lastUpdateTime: at,
        executionType: 'ROLLBACK',
        trigger: {
          triggerType: 'ManualRollback',
          triggerDetail: 'arn:aws:sts::123456789012:assumed-role/deployer/ada',
        },
        rollbackMetadata: { rollbackTargetPipelineExecutionId: targetId },
      },
      actions: [],
    };
    this.runs.unshift(run);
    await this.#enter(run, 'Production');
    return run.summary.pipelineExecutionId!;
  }

  /** Ends what a held release does: its deployment, and by it the action. */
  async endRelease(status: 'SUCCESSFUL' | 'ROLLBACK_SUCCESSFUL', reason = ''): Promise<void> {
    const run = this.runs.find(one => one.actions.some(action => action.status === 'InProgress'))!;
    const action = run.actions.find(one => one.status === 'InProgress')!;
    const deployment = this.releases.newest(serviceOf(action.stageName!));
    endDeployment(deployment, status, reason);
    if (run.summary.status === 'Stopping') {
      this.#end(action, 'Succeeded', {});
      await this.#endRun(run, 'Stopped');
    } else await this.#endReleaseAction(run, action, deployment);
  }

  async #enter(run: Run, stageName: string): Promise<void> {
    const isHeld = this.runs.some(
      other =>
        this.executionMode !== 'PARALLEL' &&
        other !== run &&
        other.actions.some(action => action.stageName === stageName && action.status === 'InProgress'),
    );
    if (isHeld) {
      for (const other of this.runs) if (other.inbound === stageName) await this.#supersede(other);
      run.inbound = stageName;
      return;
    }
    delete run.inbound;
    await this.#begin(run, stageName, this.stages().find(({ name }) => name === stageName)!.actions[0]!);
  }

  async #supersede(run: Run): Promise<void> {
    delete run.inbound;
    await this.#endRun(run, 'Superseded');
  }

  async #begin(run: Run, stageName: string, actionName: string): Promise<void> {
    const isApproval = APPROVALS.has(actionName);
    const at = nextInstant();
    const token = randomUUID();
    const isSeen = !isApproval || this.executionMode === 'PARALLEL';
    const action: Run['actions'][number] = {
      pipelineExecutionId: run.summary.pipelineExecutionId,
      actionExecutionId: randomUUID(),
      stageName,
      actionName,
      startTime: at,
      lastUpdateTime: at,
      status: 'InProgress',
      input: {
        actionTypeId: {
          category: isApproval ? 'Approval' : 'Build',
          owner: 'AWS',
          provider: isApproval ? 'Manual' : 'CodeBuild',
          version: '1',
        },
      },
      ...(isApproval && { token }),
      ...(isSeen && {
        output: {
          executionResult: { externalExecutionId: isApproval ? token : `shop-${actionName}:${token}` },
        },
      }),
    };
    run.actions.push(action);
    run.summary.lastUpdateTime = at;
    if (!isApproval) await this.#work(run, action);
  }

  async #work(run: Run, action: Run['actions'][number]): Promise<void> {
    const commit = run.summary.sourceRevisions![0]!.revisionId!;
    const behaviour = /behaviour = '(.*?)'/.exec(this.#git('show', `${commit}:behaviour.mjs`))?.[1];
    if (action.actionName === 'Build' && behaviour === 'fails-its-test') {
      this.#end(action, 'Failed', { errorDetails: { message: 'Build terminated with state: FAILED' } });
      await this.#endRun(run, 'Failed');
      return;
    }
    if (action.actionName === 'Build') await this.releases.putImage(commit);
    if (action.stageName === 'Staging' || action.actionName === 'Production') {
      const deployment = await this.releases.begin(serviceOf(action.stageName!), commit);
      if (this.holdsReleases) return;
      const isBad = behaviour === 'exits-at-once';
      if (this.isGated && action.actionName === 'Production' && !isBad) {
        this.#end(action, 'Succeeded', {});
        await this.#goOn(run, action);
        return;
      }
      endDeployment(
        deployment,
        isBad ? 'ROLLBACK_SUCCESSFUL' : 'SUCCESSFUL',
        isBad ? 'Service deployment rolled back because the circuit breaker threshold was exceeded.' : '',
      );
      await this.#endReleaseAction(run, action, deployment);
      return;
    }
    if (action.actionName === 'Rest')
      endDeployment(this.releases.newest('shop-production'), 'SUCCESSFUL', '');
    this.#end(action, 'Succeeded', {});
    await this.#goOn(run, action);
  }

  async #endReleaseAction(
    run: Run,
    action: Run['actions'][number],
    deployment: ServiceDeployment,
  ): Promise<void> {
    if (deployment.status === 'SUCCESSFUL') {
      this.#end(action, 'Succeeded', {});
      await this.#goOn(run, action);
      return;
    }
    this.#end(action, 'Failed', { errorDetails: { message: 'Build terminated with state: FAILED' } });
    await this.#endRun(run, 'Failed');
  }

  async #goOn(run: Run, { stageName, actionName }: ActionExecutionDetail): Promise<void> {
    const stages = this.stages();
    const index = stages.findIndex(({ name }) => name === stageName);
    const { actions } = stages[index]!;
    const nextAction = actions[actions.indexOf(actionName!) + 1];
    if (nextAction !== undefined) return this.#begin(run, stageName!, nextAction);
    const next = stages[index + 1];
    if (next === undefined) await this.#endRun(run, 'Succeeded');
    else await this.#enter(run, next.name);
    await this.#admit(stageName!);
  }

  /** Lets in what waits in front of a stage that is free. */
  async #admit(stageName: string): Promise<void> {
    const waiting = this.runs.find(run => run.inbound === stageName);
    if (waiting) await this.#enter(waiting, stageName);
  }

  async #endRun(run: Run, status: PipelineExecutionSummary['status']): Promise<void> {
    run.summary.status = status;
    run.summary.lastUpdateTime = nextInstant();
    const left = run.actions.at(-1)?.stageName;
    if (left !== undefined) await this.#admit(left);
  }

  #end(
    action: Run['actions'][number],
    status: ActionExecutionStatus,
    result: NonNullable<NonNullable<ActionExecutionDetail['output']>['executionResult']>,
  ): void {
    action.status = status;
    action.lastUpdateTime = nextInstant();
    action.output = { executionResult: { ...action.output?.executionResult, ...result } };
  }

  #run(id: string): Run {
    const run = this.runs.find(one => one.summary.pipelineExecutionId === id);
    if (run) return run;
    throw new Refusal('PipelineExecutionNotFoundException', `There is no execution ${id}`);
  }

  #git(...argv: string[]): string {
    try {
      const stdio = ['ignore', 'pipe', 'ignore'] as const;
      return execFileSync('git', argv, { cwd: this.repository, encoding: 'utf8', stdio: [...stdio] }).trim();
    } catch {
      return '';
    }
  }
}

function serviceOf(stageName: string): string {
  return stageName === 'Staging' ? 'shop-staging' : 'shop-production';
}
