/** A task as placement sees it. */
export interface PlacedTask {
  id: string;
  zone: string;
  createdAt: number;
}

/**
 * The zone for one more task: the one with the fewest, the earlier in `zones` on a tie. Fargate spreads a
 * service's tasks over its subnets' zones the same way (best effort there, exact here).
 */
export function chooseZone(zones: readonly string[], taken: readonly string[]): string {
  const [first, ...others] = zones;
  if (first === undefined) throw new RangeError('at least one zone is needed to place a task');
  const count = (zone: string) => taken.filter(candidate => candidate === zone).length;
  return others.reduce((best, zone) => (count(zone) < count(best) ? zone : best), first);
}

/**
 * Which `count` of `tasks` to stop so that those left are spread as evenly as they can be: always one from the
 * fullest zone, there the newest (an older one is warm and has proved itself).
 */
export function chooseToStop<Candidate extends PlacedTask>(
  tasks: readonly Candidate[],
  count: number,
): Candidate[] {
  const left = [...tasks].sort((one, other) => other.createdAt - one.createdAt || compare(other.id, one.id));
  const chosen: Candidate[] = [];
  while (chosen.length < count && left.length > 0) {
    const sizes = new Map<string, number>();
    for (const { zone } of left) sizes.set(zone, (sizes.get(zone) ?? 0) + 1);
    const fullest = Math.max(...sizes.values());
    const index = left.findIndex(({ zone }) => sizes.get(zone) === fullest);
    chosen.push(...left.splice(index, 1));
  }
  return chosen;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
