import type { GetPipelineStateOutput, PipelineExecutionSummary } from '@aws-sdk/client-codepipeline';
import type {
  ApprovalRecord,
  Execution,
  ExecutionStatus,
  ExecutionTrigger,
  StageState,
} from '../../../model/execution.ts';
import type { RegionName, StageName } from '../../../model/names.ts';
import type { Commit, Release } from '../../../model/release.ts';
import type { PipelineDefinition, PipelineRun } from './pipeline-reader.ts';
import { at, attemptAt, hasExpired, stageOf, type Attempt, type ReleaseEnding } from './stage-of.ts';

export interface ExecutionFacts {
  region: RegionName;
  branch: string;
  definition: PipelineDefinition;
  run: PipelineRun;
  state: GetPipelineStateOutput;
  commit: Commit;
  release: Release | undefined;
  /** How the deployment ended that an attempt of a stage began. */
  endingOf(stage: StageName, attempt: Attempt): ReleaseEnding | undefined;
}

/** An execution of CodePipeline in the words of the model. */
export function executionOf(facts: ExecutionFacts): Execution {
  const { region, definition, run, commit, release } = facts;
  const { summary } = run;
  const id = summary.pipelineExecutionId ?? '';
  const stages = definition.stages.map(stage => {
    const attempt = attemptAt(stage, run.actions);
    const ending = facts.endingOf(stage.name, attempt);
    const approveCommand = `tandem approve ${id.slice(0, 8)}`;
    return stageOf(stage, attempt, { run, state: facts.state, ending, approveCommand });
  });
  const current = currentStage(stages);
  const status = statusOf(summary, current, stages);
  const cause = causeOf(summary, status, current);
  const approval = approvalOf(definition, run);
  return {
    id,
    number: 0,
    region,
    trigger: triggerOf(summary, commit, facts.branch),
    commit,
    status,
    stage: current.name,
    stages,
    ...(cause !== undefined && { cause }),
    ...(current.waiting && { waiting: current.waiting }),
    ...(release && { release }),
    ...(approval && { approval }),
    startedAt: at(summary.startTime),
    ...(HAS_ENDED.has(status) && { endedAt: at(summary.lastUpdateTime) }),
  };
}

const HAS_ENDED: ReadonlySet<ExecutionStatus> = new Set([
  'Succeeded',
  'RolledBack',
  'Failed',
  'Stopped',
  'Superseded',
]);

function currentStage(stages: readonly StageState[]): StageState {
  const isBegun = ({ status }: StageState) => status !== 'NotStarted' && status !== 'Skipped';
  return stages.findLast(isBegun) ?? stages.find(({ status }) => status === 'NotStarted') ?? stages[0]!;
}

function statusOf(
  { status }: PipelineExecutionSummary,
  current: StageState,
  stages: readonly StageState[],
): ExecutionStatus {
  switch (status) {
    case 'InProgress':
      if (current.status === 'Waiting') return 'Waiting';
      if (current.status === 'Queued') return 'Queued';
      return stages.every(stage => stage.status === 'NotStarted') ? 'Queued' : 'InProgress';
    case 'Failed':
      if (current.status === 'RolledBack') return 'RolledBack';
      // What was released is still being taken back.
      return current.status === 'InProgress' ? 'InProgress' : 'Failed';
    case 'Stopped':
    case 'Cancelled':
      return 'Stopped';
    case 'Stopping':
    case 'Succeeded':
    case 'Superseded':
      return status;
    case undefined:
    default:
      return 'Unknown';
  }
}

function causeOf(
  { status: said, statusSummary, stopTrigger }: PipelineExecutionSummary,
  status: ExecutionStatus,
  { name, summary }: StageState,
): string | undefined {
  if (said === 'Cancelled') return 'cancelled: the pipeline itself was changed while it ran';
  switch (status) {
    case 'RolledBack':
    case 'Failed':
      return summary ?? statusSummary ?? `${name} failed`;
    case 'Stopping':
    case 'Stopped':
      return stopTrigger?.reason ?? statusSummary ?? 'stopped';
    case 'Superseded':
      return statusSummary ?? 'a newer execution overtook it';
    case 'Unknown':
      return `CodePipeline says ${said ?? 'nothing'} of it: see its console`;
    case 'Queued':
    case 'InProgress':
    case 'Waiting':
    case 'Succeeded':
    default:
      return undefined;
  }
}

const PUSHED: ReadonlySet<string | undefined> = new Set([
  'CloudWatchEvent',
  'Webhook',
  'WebhookV2',
  'PollForSourceChanges',
]);

/** Who pushed is not written down by CodePipeline; the commit's author is, in the repository. */
function triggerOf(
  { trigger, executionType }: PipelineExecutionSummary,
  { author }: Commit,
  branch: string,
): ExecutionTrigger {
  const ref = `refs/heads/${branch}`;
  const detail = trigger?.triggerDetail ?? '';
  if (executionType === 'ROLLBACK') return { kind: 'rollback', by: principal(detail) || 'CodePipeline', ref };
  if (!PUSHED.has(trigger?.triggerType)) {
    return { kind: 'manual', by: principal(detail) || 'CodePipeline', ref };
  }
  const by = author.name === '' ? 'somebody' : `${author.name} <${author.email}>`;
  return { kind: 'push', by, ref };
}

/** `arn:aws:sts::123456789012:assumed-role/deployer/ada` → `deployer/ada`. */
function principal(arn: string): string {
  return arn.startsWith('arn:')
    ? arn
        .split(':')
        .slice(5)
        .join(':')
        .replace(/^(assumed-role|user)\//, '')
    : arn;
}

/** The newest answer of a person, or that there was none in time. */
function approvalOf(definition: PipelineDefinition, { actions }: PipelineRun): ApprovalRecord | undefined {
  const approvals = definition.stages
    .flatMap(stage => stage.actions.map(action => ({ stage: stage.name, action })))
    .filter(({ action }) => action.isApproval);
  const asked = actions
    .flatMap(execution => {
      const found = approvals.find(
        ({ stage, action }) => stage === execution.stageName && action.name === execution.actionName,
      );
      return found ? [{ execution, action: found.action }] : [];
    })
    .sort((one, other) => at(other.execution.startTime) - at(one.execution.startTime))[0];
  if (asked === undefined || asked.execution.status === 'InProgress') return undefined;
  const { status, lastUpdateTime, updatedBy = '', output } = asked.execution;
  const { errorDetails, externalExecutionSummary } = output?.executionResult ?? {};
  const comment = externalExecutionSummary ?? errorDetails?.message ?? '';
  const answer = { by: principal(updatedBy), comment, at: at(lastUpdateTime) };
  if (status === 'Succeeded') return { decision: 'Approved', ...answer };
  if (status !== 'Failed') return undefined;
  return { decision: hasExpired(asked.action, asked.execution) ? 'Expired' : 'Rejected', ...answer };
}
