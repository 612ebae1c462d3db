import { z } from 'zod';

export const networkSchema = z.strictObject({
  firstBlock: z
    .int()
    .min(0)
    .max(255)
    .default(0)
    .describe('The first region’s network is 10.<this>.0.0/16, each further region’s the next.'),
  nat: z
    .enum(['per-zone', 'single', 'regional', 'none'])
    .default('per-zone')
    .describe('NAT gateways: one a zone, one for all, AWS’s regional one, or VPC endpoints instead.'),
  flowLogs: z.boolean().default(true).describe('Log who spoke to whom in the network.'),
});
