import { assert, unreachable } from '../../core/assert.ts';
import { formatDuration } from '../../core/duration.ts';
import type { Deployment } from '../../model/deployment.ts';
import type { PipelineEnvironment, StageName } from '../../model/names.ts';
import type { Release } from '../../model/release.ts';
import { deploymentKey, outcomeOf } from './attempts.ts';
import type { ExecutionRecord, Turn } from './state.ts';
import {
  currentStage,
  endStopped,
  endSuperseded,
  failStage,
  rollBackStage,
  succeedStage,
  withStage,
  withWaiting,
} from './transitions.ts';
import { shortCommit } from './words.ts';

export function environmentOf(stage: StageName): PipelineEnvironment {
  assert(stage === 'Staging' || stage === 'Production', `${stage} deploys nothing`);
  return stage === 'Staging' ? 'staging' : 'production';
}

/**
 * The release that the current stage deploys. What reaches production is the very digest that staging proved;
 * a rollback's release proved itself in an earlier execution.
 */
export function releaseToDeploy(record: ExecutionRecord): Release {
  const { release, trigger, stage } = record.execution;
  assert(release, 'Build fixes the release before anything is deployed');
  if (stage === 'Production' && trigger.kind !== 'rollback') {
    assert(record.provedDigest === release.digest, 'production gets the digest that staging proved');
  }
  return release;
}

/** Staging and Production: one deployment of the release, waited for until it ends. */
export function stepDeploy(
  record: ExecutionRecord,
  turn: Turn,
  rivals: readonly ExecutionRecord[],
): ExecutionRecord {
  const stage = currentStage(record);
  const environment = environmentOf(stage.name);
  if (stage.deploymentId === undefined) return awaitStart(record, turn, environment);
  const deployment = turn.observed.deployment(stage.deploymentId);
  if (!deployment) return failStage(record, turn, `deployment ${stage.deploymentId} is unknown`);
  assert(deployment.release.digest === releaseToDeploy(record).digest, 'a deployment keeps its release');
  switch (deployment.status) {
    case 'SUCCESSFUL':
      return succeed(record, turn, environment, deployment);
    case 'ROLLBACK_SUCCESSFUL':
      return rollBackStage(record, turn, causeOf(deployment));
    case 'ROLLBACK_FAILED':
      return failStage(record, turn, `${causeOf(deployment)}; going back to the release before failed, too`);
    case 'STOPPED':
      return endUndeployed(record, turn, environment, deployment, rivals);
    case 'PENDING':
    case 'IN_PROGRESS':
    case 'STOP_REQUESTED':
    case 'ROLLBACK_REQUESTED':
    case 'ROLLBACK_IN_PROGRESS':
      return withWaiting(record, deployment.waiting ?? { for: `the deployment to ${environment}` });
    default:
      return unreachable(deployment.status);
  }
}

function awaitStart(record: ExecutionRecord, turn: Turn, environment: PipelineEnvironment): ExecutionRecord {
  const outcome = outcomeOf(turn, deploymentKey(record));
  if (outcome?.kind === 'deployment') {
    return withStage(record, { ...currentStage(record), deploymentId: outcome.id });
  }
  if (outcome?.kind === 'failed') {
    return failStage(record, turn, `the deployment to ${environment} could not start: ${outcome.failure}`);
  }
  return withWaiting(record, { for: `the deployment to ${environment} to start` });
}

function succeed(
  record: ExecutionRecord,
  turn: Turn,
  environment: PipelineEnvironment,
  deployment: Deployment,
): ExecutionRecord {
  const { commit, trigger } = record.execution;
  const { release } = deployment;
  const tasks = turn.observed.healthyTasks(environment);
  const endedAt = deployment.endedAt ?? turn.now;
  const took = formatDuration(endedAt - deployment.startedAt);
  const summary = `${tasks} ${tasks === 1 ? 'task' : 'tasks'} healthy on ${shortCommit(release.commit)} in ${took}`;
  const isRollback = trigger.kind === 'rollback';
  turn.enter({ kind: 'deployed', environment, release, commit, at: endedAt, isRollback });
  const proved = environment === 'staging' ? { ...record, provedDigest: release.digest } : record;
  return succeedStage(proved, turn, summary);
}

/** A deployment that was stopped: by us on request, by a newer one of the same service, or by somebody else. */
function endUndeployed(
  record: ExecutionRecord,
  turn: Turn,
  environment: PipelineEnvironment,
  deployment: Deployment,
  rivals: readonly ExecutionRecord[],
): ExecutionRecord {
  const { stage } = record.execution;
  if (record.stop?.abandon) {
    const left = `its deployment was ended half-way and ${environment} keeps the tasks that run now`;
    return endStopped(record, turn, `in ${stage}; ${left}`);
  }
  const winner = rivals.findLast(rival => hasEnteredAfter(rival, record));
  if (winner) {
    const remark = `: its newer deployment to ${environment} took the place of this one's`;
    return endSuperseded(record, turn, winner.execution.number, remark);
  }
  return failStage(record, turn, causeOf(deployment));
}

function hasEnteredAfter(rival: ExecutionRecord, record: ExecutionRecord): boolean {
  const [theirs, ours] = [currentStage(rival), currentStage(record)];
  return theirs.name === ours.name && (theirs.startedAt ?? 0) >= (ours.startedAt ?? 0);
}

function causeOf(deployment: Deployment): string {
  const words = deployment.status.toLowerCase().replaceAll('_', ' ');
  return deployment.cause ?? `deployment ${deployment.id} ended as ${words}`;
}
