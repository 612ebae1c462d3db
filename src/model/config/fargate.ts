/** Valid Fargate memory sizes in MiB by CPU units (ECS task definition parameters, "Task CPU and memory"). */
export const FARGATE_MEMORY_MB: ReadonlyMap<number, readonly number[]> = new Map([
  [256, [512, 1024, 2048]],
  [512, range(1, 4, 1)],
  [1024, range(2, 8, 1)],
  [2048, range(4, 16, 1)],
  [4096, range(8, 30, 1)],
  [8192, range(16, 60, 4)],
  [16_384, range(32, 120, 8)],
  [32_768, [60, 120, 244].map(gigabytes => gigabytes * 1024)],
]);

/** Tasks that one service may have (Amazon ECS service quotas, "Tasks per service"). */
export const MAXIMUM_TASKS = 5000;

export function isFargatePair(cpu: number, memoryMb: number): boolean {
  return FARGATE_MEMORY_MB.get(cpu)?.includes(memoryMb) ?? false;
}

function range(firstGb: number, lastGb: number, stepGb: number): number[] {
  const sizes: number[] = [];
  for (let gigabytes = firstGb; gigabytes <= lastGb; gigabytes += stepGb) sizes.push(gigabytes * 1024);
  return sizes;
}

/** The next larger size of memory that Fargate offers with any CPU; `undefined` above the largest. */
export function nextMemoryMb(memoryMb: number): number | undefined {
  const sizes = [...FARGATE_MEMORY_MB.values()].flat().sort((a, b) => a - b);
  return sizes.find(size => size > memoryMb);
}
