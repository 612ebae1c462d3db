import type { ActionExecutionDetail, GetPipelineStateOutput } from '@aws-sdk/client-codepipeline';
import type { Instant } from '../../../core/instant.ts';
import { unreachable } from '../../../core/assert.ts';
import { expiryCause, type StageState, type StageStatus } from '../../../model/execution.ts';
import type { PipelineAction, PipelineDefinition, PipelineRun } from './pipeline-reader.ts';

/** What ECS made of a deployment that a release began, by the end of its service deployment. */
export interface ReleaseEnding {
  deploymentId: string;
  standing:
    'under way' | 'rolling back' | 'rolled back' | 'rollback failed' | 'stopped' | 'in service' | 'not known';
  reason: string;
}

/** The stage's newest attempt: what each of its actions did last. Actions of earlier attempts are left out. */
export interface Attempt {
  number: number;
  latest: Map<string, ActionExecutionDetail>;
}

export function attemptAt(
  stage: PipelineDefinition['stages'][number],
  actions: readonly ActionExecutionDetail[],
): Attempt {
  const own = actions
    .filter(({ stageName }) => stageName === stage.name)
    .sort((one, other) => at(one.startTime) - at(other.startTime));
  const latest = new Map(own.map(action => [action.actionName ?? '', action]));
  const begun = at(latest.get(stage.actions[0]?.name ?? '')?.startTime);
  for (const [name, action] of latest) if (at(action.startTime) < begun) latest.delete(name);
  const counts = stage.actions.map(({ name }) => own.filter(({ actionName }) => actionName === name).length);
  return { number: Math.max(1, ...counts), latest };
}

export interface StageFacts {
  run: PipelineRun;
  state: GetPipelineStateOutput;
  /** How the deployment ended that this attempt began, where it has begun one and failed. */
  ending: ReleaseEnding | undefined;
  /** `tandem approve 1a2b3c4d`, to be told to the person who is asked. */
  approveCommand: string;
}

/** One stage of an execution, put together from what its actions did. */
export function stageOf(
  stage: PipelineDefinition['stages'][number],
  attempt: Attempt,
  facts: StageFacts,
): StageState {
  const { name } = stage;
  const { latest, number } = attempt;
  const status = statusOf(stage, attempt, facts);
  const actions = [...latest.values()];
  const startedAt = Math.min(...actions.map(({ startTime }) => at(startTime)));
  const endedAt = Math.max(...actions.map(({ lastUpdateTime }) => at(lastUpdateTime)));
  const waiting = waitingOf(stage, attempt, status, facts);
  const summary = summaryOf(stage, attempt, status, facts.ending);
  const buildId = actions.findLast(action => action.input?.actionTypeId?.provider === 'CodeBuild')?.output
    ?.executionResult?.externalExecutionId;
  return {
    name,
    status,
    attempt: number,
    ...(actions.length > 0 && { startedAt }),
    ...(actions.length > 0 && HAS_ENDED.has(status) && { endedAt }),
    ...(summary !== undefined && { summary }),
    ...(waiting && { waiting }),
    ...(buildId !== undefined && { buildId }),
    ...(facts.ending && { deploymentId: facts.ending.deploymentId }),
  };
}

const HAS_ENDED: ReadonlySet<StageStatus> = new Set([
  'Succeeded',
  'RolledBack',
  'Failed',
  'Stopped',
  'Skipped',
]);

function statusOf(
  { name, actions: defined }: PipelineDefinition['stages'][number],
  { latest }: Attempt,
  { run, state, ending }: StageFacts,
): StageStatus {
  const { pipelineExecutionId: id, status, executionType } = run.summary;
  const actions = [...latest.values()];
  if (actions.length === 0) {
    if (executionType === 'ROLLBACK' && name !== 'Production') return 'Skipped';
    return comesNext(state, name, id) ? 'Queued' : 'NotStarted';
  }
  if (actions.some(action => action.status === 'InProgress')) {
    if (status === 'Stopping') return 'Stopping';
    return askingAction(defined, latest) === undefined ? 'InProgress' : 'Waiting';
  }
  if (actions.some(action => action.status === 'Abandoned')) return 'Stopped';
  if (actions.some(action => action.status === 'Failed')) return failedStatus(ending, actions, defined);
  if (defined.every(action => latest.has(action.name))) return 'Succeeded';
  // Between two actions.
  if (status === 'Stopping') return 'Stopping';
  return status === 'InProgress' ? 'InProgress' : 'Stopped';
}

/** A stage whose deployment is still being taken back has not ended, whatever CodePipeline calls it. */
function failedStatus(
  ending: ReleaseEnding | undefined,
  actions: readonly ActionExecutionDetail[],
  defined: readonly PipelineAction[],
): StageStatus {
  if (ending === undefined) return 'Failed';
  switch (ending.standing) {
    case 'rolled back':
      return 'RolledBack';
    case 'rolling back':
      return 'InProgress';
    case 'under way': {
      // A refusal at a gate sets off the rollback a moment later.
      const failed = actions.find(({ status }) => status === 'Failed');
      const isRefusal = defined.some(action => action.isApproval && action.name === failed?.actionName);
      return isRefusal ? 'InProgress' : 'Failed';
    }
    case 'rollback failed':
    case 'stopped':
    case 'in service':
    case 'not known':
      return 'Failed';
    default:
      return unreachable(ending.standing);
  }
}

function comesNext(state: GetPipelineStateOutput, stageName: string, id: string | undefined): boolean {
  const stage = state.stageStates?.find(one => one.stageName === stageName);
  const inbound = [stage?.inboundExecution, ...(stage?.inboundExecutions ?? [])];
  return inbound.some(one => one?.pipelineExecutionId === id);
}

/** The action at which a person is asked right now. */
function askingAction(
  defined: readonly PipelineAction[],
  latest: ReadonlyMap<string, ActionExecutionDetail>,
): { action: PipelineAction; execution: ActionExecutionDetail } | undefined {
  for (const action of defined) {
    const execution = latest.get(action.name);
    if (action.isApproval && execution?.status === 'InProgress') return { action, execution };
  }
  return undefined;
}

/** CodePipeline ends what nobody has answered in time as it ends a refusal: as failed. */
export function hasExpired(
  { isApproval, timeoutMs }: PipelineAction,
  execution: ActionExecutionDetail | undefined,
): boolean {
  if (!isApproval || execution?.status !== 'Failed') return false;
  return at(execution.lastUpdateTime) >= at(execution.startTime) + timeoutMs;
}

function waitingOf(
  { name, actions }: PipelineDefinition['stages'][number],
  { latest }: Attempt,
  status: StageStatus,
  { ending, approveCommand }: StageFacts,
): StageState['waiting'] {
  if (status === 'Waiting') {
    const { action, execution } = askingAction(actions, latest)!;
    const what = name === 'Approval' ? 'approve' : 'let all requests go to the new release';
    return {
      for: `a person to ${what} (${approveCommand}) or reject it`,
      until: at(execution.startTime) + action.timeoutMs,
    };
  }
  if (status === 'Queued') return { for: `the execution ahead of it in ${name}` };
  if (status !== 'InProgress') return undefined;
  if (ending !== undefined) return { for: `the rollback of ${name.toLowerCase()}` };
  if (name === 'Source') return { for: 'the commit to be read' };
  return { for: name === 'Build' ? 'the image of the commit' : `the deployment to ${name.toLowerCase()}` };
}

/** What its last action says, or what ECS says of its deployment. */
function summaryOf(
  { actions: defined }: PipelineDefinition['stages'][number],
  { latest }: Attempt,
  status: StageStatus,
  ending: ReleaseEnding | undefined,
): string | undefined {
  const failed = [...latest.values()].find(
    action => action.status === 'Failed' || action.status === 'Abandoned',
  );
  if (failed === undefined) return undefined;
  const { errorDetails, externalExecutionSummary } = failed.output?.executionResult ?? {};
  const expired = defined.find(action => hasExpired(action, latest.get(action.name)));
  const said = expired
    ? expiryCause(expired.timeoutMs)
    : oneLine(
        errorDetails?.message ?? externalExecutionSummary ?? `${failed.actionName} has ${failed.status}`,
      );
  if (ending === undefined) return said;
  if (status === 'RolledBack') return oneLine(ending.reason === '' ? said : ending.reason);
  const { standing, reason } = ending;
  return oneLine(`${said}; the deployment ${ENDINGS[standing]}${reason === '' ? '' : `: ${reason}`}`);
}

const ENDINGS: Record<ReleaseEnding['standing'], string> = {
  'under way': 'still goes on in ECS',
  'rolling back': 'is being rolled back',
  'rolled back': 'was rolled back',
  'rollback failed': 'could not be rolled back',
  stopped: 'was stopped',
  'in service': 'succeeded all the same',
  'not known': 'may have been rolled back: ECS did not say',
};

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

export function at(date: Date | undefined): Instant {
  return date?.getTime() ?? 0;
}
