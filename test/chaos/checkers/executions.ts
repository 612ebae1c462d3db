import { ENDED_EXECUTION_STATUSES, type Execution } from '../../../src/model/execution.ts';
import type { CheckedCloud } from './checked-cloud.ts';
import type { History } from '../history.ts';

const ALL = 1_000;

/** Acknowledged pushes to main have an execution; rollbacks and retries that were promised exist. */
export async function checkPromisedExecutions(cloud: CheckedCloud, history: History): Promise<string[]> {
  const executions = await executionsByRegion(cloud);
  return [
    ...history.pushes
      .filter(({ ref }) => ref === 'refs/heads/main')
      .filter(
        ({ region, commit }) => !executions.get(region)!.some(execution => execution.commit.id === commit),
      )
      .map(
        ({ region, commit }) => `${region} acknowledged ${commit.slice(0, 7)} and has no execution for it`,
      ),
    ...history.executions
      .filter(({ region, id }) => !executions.get(region)!.some(execution => execution.id === id))
      .map(({ region, id }) => `${region} promised execution ${id}, and has none of that id`),
  ];
}

/** An acknowledged approval or rejection stands. (A retry of a later stage keeps it; one of Approval asks again.) */
export async function checkDecisions(cloud: CheckedCloud, history: History): Promise<string[]> {
  const executions = await executionsByRegion(cloud);
  return history.decisions
    .filter(({ region, executionId, decision }) => {
      const execution = executions.get(region)!.find(({ id }) => id === executionId);
      const isAskedAgain = history.executions.some(({ id }) => id === executionId);
      return execution?.approval?.decision !== decision && !isAskedAgain;
    })
    .map(({ region, executionId, decision }) => {
      const execution = executions.get(region)!.find(({ id }) => id === executionId);
      return `${region} acknowledged that ${executionId} is ${decision}, and now says ${execution?.approval?.decision}`;
    });
}

/** Once nothing is broken any more, every execution has an honest end or waits for a person. */
export async function unfinishedExecutions(cloud: CheckedCloud): Promise<string[]> {
  return [...(await executionsByRegion(cloud)).entries()].flatMap(([region, executions]) =>
    executions
      .filter(({ status }) => !ENDED_EXECUTION_STATUSES.has(status) && status !== 'Waiting')
      .map(
        ({ number, status, stage, waiting }) =>
          `${region} #${number} is ${status} in ${stage}, waiting for ${waiting?.for ?? 'nothing'}`,
      ),
  );
}

/** An execution that did not end well says why. */
export async function checkHonestEnds(cloud: CheckedCloud): Promise<string[]> {
  return [...(await executionsByRegion(cloud)).entries()].flatMap(([region, executions]) =>
    executions
      .filter(
        ({ status, cause }) => ['Failed', 'RolledBack', 'Stopped', 'Superseded'].includes(status) && !cause,
      )
      .map(({ number, status }) => `${region} #${number} is ${status} and does not say why`),
  );
}

async function executionsByRegion(cloud: CheckedCloud): Promise<Map<string, Execution[]>> {
  return new Map(
    await Promise.all(
      cloud.regions.map(
        async region => [region, await cloud.region(region).executions({ limit: ALL })] as const,
      ),
    ),
  );
}
