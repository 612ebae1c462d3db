/** Deployments that stayed, newest first, by the task definition that each brought. */
export type DeploymentHistory = readonly { taskDefinition: string }[];

/**
 * What to go back to from what runs now: what ran before it did for the first time. Not simply what ran before: after a rollback
 * that is the very release that was rolled back from. `undefined`: nothing older is known.
 */
export function earlierTaskDefinition(history: DeploymentHistory, running: string): string | undefined {
  const firstTime = history.findLastIndex(({ taskDefinition }) => taskDefinition === running);
  return history.slice(firstTime + 1)[0]?.taskDefinition;
}
