import { z } from 'zod';

export const localSchema = z.strictObject({
  balancerProcesses: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe(
      'Load balancer processes of a region, which share its ports: on Linux, for more requests than one core can carry. ' +
        'A change waits for `tandem down` and `tandem up`.',
    ),
});
