import { assert, unreachable } from '../../core/assert.ts';
import { askKey, buildKey, deploymentKey, isDue, pullKey, sourceKey } from './attempts.ts';
import { environmentOf, releaseToDeploy } from './deploy-stage.ts';
import type { Action, ExecutionRecord, Turn } from './state.ts';
import { currentStage, hasEnded } from './transitions.ts';

/**
 * What should be under way for an execution as it stands. It follows from the state alone, never from how the
 * state came about: whoever does the actions may lose any of them (a crash) and gets them again.
 */
export function wantedActions(record: ExecutionRecord, turn: Turn): Action[] {
  const stage = currentStage(record);
  if (hasEnded(record) || (stage.status !== 'InProgress' && stage.status !== 'Stopping')) return [];
  switch (stage.name) {
    case 'Source':
      return readCommit(record, turn);
    case 'Build':
      return buildActions(record, turn);
    case 'Staging':
    case 'Production':
      return deployActions(record);
    case 'Approval':
      return [];
    default:
      return unreachable(stage.name);
  }
}

function readCommit(record: ExecutionRecord, turn: Turn): Action[] {
  if (!isDue(record.source, turn.now)) return [];
  return [{ kind: 'ReadCommit', key: sourceKey(record), commit: record.execution.commit.id }];
}

function buildActions(record: ExecutionRecord, turn: Turn): Action[] {
  const { build: progress, execution, stop } = record;
  assert(progress, 'a Build under way has chosen its way');
  if (progress.step === 'build') {
    const { buildId } = currentStage(record);
    const key = buildKey(record, progress.run);
    if (buildId !== undefined)
      return stop?.abandon ? [{ kind: 'StopBuild', key: `${key}/stop`, buildId }] : [];
    const { commit, trigger, id } = execution;
    const request = { commit: commit.id, ref: trigger.ref, executionId: id, initiator: trigger.by };
    return [{ kind: 'StartBuild', key, ...request }];
  }
  if (!isDue(progress.tries, turn.now)) return [];
  const region = progress.origin;
  if (progress.step === 'pull') {
    const key = pullKey(record, progress.tries);
    return [{ kind: 'PullImage', key, region, release: progress.release }];
  }
  const key = askKey(record, progress.question);
  return [{ kind: 'AskPeer', key, region, commit: execution.commit.id, isHeld: progress.isHeld }];
}

function deployActions(record: ExecutionRecord): Action[] {
  const { name, deploymentId } = currentStage(record);
  const key = deploymentKey(record);
  if (deploymentId !== undefined) {
    return record.stop?.abandon ? [{ kind: 'StopDeployment', key: `${key}/stop`, deploymentId }] : [];
  }
  const release = releaseToDeploy(record);
  const service = environmentOf(name);
  return [{ kind: 'StartDeployment', key, service, release, executionId: record.execution.id }];
}
