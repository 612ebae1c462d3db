import { expect, test } from 'vitest';
import type { TargetHealth } from '../../model/target.ts';
import type { ContainerHealth } from '../../model/task.ts';
import { judgeHealth } from './task-health.ts';

const HEALTHY: TargetHealth = { state: 'healthy' };
const REFUSED: TargetHealth = { state: 'unhealthy', reason: 'Target.FailedHealthChecks' };
const SLOW: TargetHealth = { state: 'unhealthy', reason: 'Target.Timeout' };
const WRONG: TargetHealth = {
  state: 'unhealthy',
  reason: 'Target.ResponseCodeMismatch',
  description: 'Health checks failed with these codes: [503]',
};

test.each<[TargetHealth | undefined, ContainerHealth | undefined, string]>([
  [HEALTHY, undefined, 'healthy'],
  [HEALTHY, 'HEALTHY', 'healthy'],
  [HEALTHY, 'UNKNOWN', 'unknown'],
  [HEALTHY, 'UNHEALTHY', 'unhealthy'],
  [REFUSED, 'HEALTHY', 'unhealthy'],
  [{ state: 'initial' }, undefined, 'unknown'],
  [undefined, undefined, 'unknown'],
])('a task whose target is %j and container %j is %s', (target, container, expected) => {
  expect(judge(target, container).health).toBe(expected);
});

test('within the grace period failed checks do not count, and passed ones do', () => {
  expect(judge(REFUSED, undefined, 999).health).toBe('unknown');
  expect(judge(HEALTHY, undefined, 999).health).toBe('healthy');
  expect(judge(REFUSED, undefined, 1_000).health).toBe('unhealthy');
});

test('says in the words of ECS and of people why', () => {
  expect(judge(WRONG).failure).toEqual({
    reason: 'Task failed ELB health checks in (target-group storefront-staging)',
    phrase: 'answered health checks on /health with 503',
  });
  expect(judge(SLOW).failure?.phrase).toBe('did not answer health checks on /health in time');
  expect(judge(REFUSED).failure?.phrase).toContain('no connection');
  expect(judge(HEALTHY, 'UNHEALTHY').failure?.reason).toBe('Task failed container health checks');
});

function judge(target?: TargetHealth, container?: ContainerHealth, now = 5_000) {
  const evidence = { startedAt: 0, graceMs: 1_000, targetGroup: 'storefront-staging', path: '/health' };
  return judgeHealth({ ...evidence, ...(target && { target }), ...(container && { container }) }, now);
}
