import type { CheckedCloud } from './checked-cloud.ts';

/** What keeps a region from being as it should be when nothing is broken: every service at its wanted size, in sync. */
export async function unsettledServices(cloud: CheckedCloud): Promise<string[]> {
  const statuses = await Promise.all(cloud.regions.map(region => cloud.region(region).status()));
  return statuses.flatMap(({ region, services, replication, problems }) => [
    ...services
      .filter(
        ({ desired, running, healthyTargets, pending }) =>
          running !== desired || healthyTargets !== desired || pending > 0,
      )
      .map(
        ({ name, desired, running, healthyTargets }) =>
          `${region} ${name}: ${running} of ${desired} run, ${healthyTargets} healthy`,
      ),
    ...replication
      .filter(({ state }) => state !== 'in-sync' && state !== 'split')
      .map(
        ({ state, peer, pendingRefs, message }) =>
          `${region} is ${state} with ${peer}, ${pendingRefs} refs pending: ${message}`,
      ),
    ...problems
      .filter(problem => !/split|both|differ/i.test(problem))
      .map(problem => `${region}: ${problem}`),
  ]);
}
